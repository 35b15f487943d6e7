"""The tracker on trajectories whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT, SOLVED
from trajectories import World, orthogonal, white

import realign_core as rc
from realign_core.linalg import effective_condition_number

WORLD = World.of()
ROOT_OF_ROUNDING = 1e-7
NEEDS_REFERENCE = ("sin_theta", "remainder", "leakage_bound", "cob_drift")


def tracker(**settings):
    return rc.GapTracker(**{"reference_step": 0, "normalize": False, **settings})


def gaussian(seed=3, n=150, dim=WORLD.dim):
    return np.random.default_rng(seed).standard_normal((n, dim))


def test_gradients_confined_to_u_do_not_leak():
    inside = gaussian() @ WORLD.u @ WORLD.u.T
    row = tracker().update(0, *WORLD.rows(WORLD.bias(1)), inside, inside)
    assert row.rank == WORLD.rank
    assert row.leakage_image == row.leakage_text == row.leakage
    assert row.leakage == pytest.approx(0, abs=ROOT_OF_ROUNDING)


def test_gradients_without_a_direction_leak_as_the_dimensions_do():
    everywhere = np.concatenate([np.eye(WORLD.dim), -np.eye(WORLD.dim)])
    row = tracker().update(0, *WORLD.rows(WORLD.bias(1)), everywhere, 5 * everywhere)
    assert row.leakage == pytest.approx(np.sqrt(8 / 12), abs=SOLVED)


def test_pooled_leakage_weighs_rows_and_energies():
    inside, outside = gaussian(n=40) @ WORLD.u @ WORLD.u.T, gaussian(n=90) @ WORLD.v @ WORLD.v.T
    row = tracker().update(0, *WORLD.rows(WORLD.bias(1)), inside, outside)
    energy = (inside**2).sum(), (outside**2).sum()
    assert row.leakage_image == pytest.approx(0, abs=ROOT_OF_ROUNDING)
    assert row.leakage_text == pytest.approx(1, abs=SOLVED)
    assert row.leakage == pytest.approx(np.sqrt(energy[1] / sum(energy)), abs=SOLVED)
    alone = tracker().update(0, *WORLD.rows(WORLD.bias(1)), None, outside)
    assert (alone.leakage_image, alone.leakage) == (None, alone.leakage_text)


@pytest.mark.parametrize("degrees", [0.0, 1e-3, 7.0, 60.0, 90.0])
def test_a_turned_subspace_has_the_sine_of_its_angle(degrees):
    followed = tracker()
    followed.update(0, *WORLD.rows(WORLD.bias(1)))
    row = followed.update(20, *WORLD.rows(WORLD.bias(1), turn=WORLD.turn(degrees)))
    assert row.sin_theta == pytest.approx(np.sin(np.radians(degrees)), abs=SOLVED)


def test_a_gradient_along_the_turned_direction_leaks_by_that_sine_and_nothing_remains():
    followed = tracker()
    followed.update(0, *WORLD.rows(WORLD.bias(1)))
    turn = WORLD.turn(30)
    along = np.outer(gaussian()[:, 0], turn @ WORLD.u[:, -1])
    # Residuals that stay in U leave no coupling: rotation alone explains the leakage.
    x, y = WORLD.rows(WORLD.bias(1), noise_u=(0.01, 0.01, 0.01, 0), turn=turn)
    row = followed.update(20, x, y, along, along)
    assert row.coupling_norm == pytest.approx(0, abs=ROOT_OF_ROUNDING)
    assert row.remainder == pytest.approx(0, abs=ROOT_OF_ROUNDING)
    assert (row.leakage, row.sin_theta) == pytest.approx((0.5, 0.5), abs=SOLVED)


@given(seed=st.integers(0, 10**6), degrees=st.floats(0, 90), scale=st.sampled_from([1e-12, 1.0, 1e12]))
def test_the_bound_holds_whatever_the_gradients(seed, degrees, scale):
    followed = tracker()
    noisy = {"noise_v": np.full(8, 0.001), "seed": seed}
    followed.update(0, *WORLD.rows(WORLD.bias(1), **noisy))
    generator = np.random.default_rng(seed)
    grads = scale * generator.standard_normal((30, 12)) * generator.exponential(size=12) ** 3
    rows = WORLD.rows(WORLD.bias(1), turn=WORLD.turn(degrees), **noisy)
    row = followed.update(1, *rows, grads, None)
    assert row.leakage <= row.leakage_bound + SOLVED
    assert row.leakage_bound == pytest.approx(row.sin_theta + row.coupling_norm + row.remainder, abs=EXACT)


def test_without_its_remainder_the_bound_is_broken_by_gradients_in_v():
    followed = tracker()
    followed.update(0, *WORLD.rows(WORLD.bias(1), noise_v=np.full(8, 0.001)))
    outside = gaussian() @ WORLD.v @ WORLD.v.T
    row = followed.update(1, *WORLD.rows(WORLD.bias(1), noise_v=np.full(8, 0.001)), outside, outside)
    assert row.leakage > row.sin_theta + row.coupling_norm


def test_a_bias_that_moves_evenly_drifts_evenly():
    followed = tracker(reference_step=40)
    for step in range(0, 120, 20):
        followed.update(step, *WORLD.rows(WORLD.bias(2, 0.01 * step)))
    frame = followed.to_frame()
    angle = np.arctan(0.005 * frame.step)
    expected = (0.01 * frame.step - 0.4).abs() / np.hypot(2, 0.4)
    assert frame.frozen.tolist() == [False, False, True, True, True, True]
    assert frame.cob_drift[:2].isna().all()
    np.testing.assert_allclose(frame.cob_drift[2:], expected[2:], atol=SOLVED)
    np.testing.assert_allclose(frame.cob_stability[1:], np.cos(np.diff(angle)), atol=SOLVED)
    np.testing.assert_allclose(frame.cob_norm, np.hypot(2, 0.01 * frame.step), atol=SOLVED)
    np.testing.assert_allclose(frame.pmb_norm, 0, atol=ROOT_OF_ROUNDING)


def test_a_bias_that_turns_round_is_not_stable():
    followed = tracker()
    followed.update(0, *WORLD.rows(WORLD.bias(1)))
    row = followed.update(1, *WORLD.rows(WORLD.bias(-1)))
    assert row.cob_stability == pytest.approx(-1, abs=SOLVED)
    assert row.cob_drift == pytest.approx(2, abs=SOLVED)


def test_covariances_are_averaged_and_their_means_kept_apart():
    first, second = np.array([8.0] + [1] * 7) / 1000, np.array([1.0, 8] + [1] * 6) / 1000
    followed = tracker(window=2)
    followed.update(0, *WORLD.rows(WORLD.bias(1), noise_v=first))
    row = followed.update(1, *WORLD.rows(WORLD.bias(3), noise_v=second))
    mean = torch.from_numpy(np.sort((first + second) / 2)[::-1].copy())
    assert row.kappa_eff_v_step == pytest.approx(8, rel=SOLVED)
    assert row.kappa_eff_v == pytest.approx(effective_condition_number(mean), rel=SOLVED)
    assert row.kappa_eff_v == pytest.approx(4.5, rel=SOLVED)
    assert row.kappa_eff_u == pytest.approx(10, rel=SOLVED)
    # A third step pushes the first out of the window.
    third = followed.update(2, *WORLD.rows(WORLD.bias(1), noise_v=second))
    assert (third.window_steps, third.kappa_eff_v) == (2, pytest.approx(8, rel=SOLVED))


def test_the_window_starts_anew_at_the_reference():
    followed = tracker(reference_step=2, window=9)
    counts = [followed.update(step, *WORLD.rows(WORLD.bias(1))).window_steps for step in range(5)]
    assert counts == [1, 2, 1, 2, 3]


def test_gradients_proportional_to_the_residual_are_locked_to_it():
    x, y = WORLD.rows(WORLD.bias(1))
    row = tracker().update(0, x, y, 1e-6 * (x - y), None)
    assert row.locking_eigenvalues == pytest.approx(1, abs=SOLVED)
    assert row.locking_diagonal == pytest.approx(1, abs=SOLVED)


def test_eigenvalues_cannot_tell_a_turned_spectrum_and_diagonals_can():
    x, y = WORLD.rows(WORLD.bias(1))
    backwards = white(150, 4, np.random.default_rng(0)) * np.sqrt([2, 5, 10, 20]) @ WORLD.u.T
    row = tracker().update(0, x, y, backwards, backwards)
    assert row.locking_eigenvalues == pytest.approx(1, abs=1e-6)
    assert row.locking_diagonal < -0.5


def test_gradients_alike_in_all_directions_are_locked_to_nothing():
    x, y = WORLD.rows(WORLD.bias(1))
    row = tracker().update(0, x, y, np.concatenate([np.eye(12), -np.eye(12)]), None)
    assert row.locking_eigenvalues is None
    assert row.locking_diagonal is None


@pytest.mark.parametrize(("gamma", "angle"), [((1, 0), 0), ((0, 1), 90), ((1, 1), 45)])
def test_the_angle_is_to_the_widest_direction_of_v(gamma, angle):
    row = tracker().update(0, *WORLD.rows(WORLD.bias(*gamma), noise_v=[0.01] + [0.001] * 7))
    assert row.bias_noise_angle == pytest.approx(angle, abs=1e-5)
    assert 0 < row.bias_noise_null_low < row.bias_noise_null_high < 90


def test_the_parts_add_up_and_the_loss_is_kept():
    row = tracker().update(
        0, *WORLD.rows(WORLD.bias(1), noise_v=np.full(8, 0.001)), loss=2.5, recall_at_1=None
    )
    parts = row.pmb_norm**2 + row.cob_norm**2 + row.u_residual_energy + row.v_residual_energy
    assert row.total_energy == pytest.approx(parts, abs=SOLVED)
    assert row.gap == pytest.approx(np.hypot(row.pmb_norm, row.cob_norm), abs=SOLVED)
    assert row.scalars == {"loss": 2.5, "recall_at_1": None}


def test_before_the_reference_what_needs_it_is_missing():
    followed = tracker(reference_step=10)
    x, y = WORLD.rows(WORLD.bias(1), noise_v=np.full(8, 0.001))
    before = followed.update(9, x, y, gaussian(), gaussian())
    assert not followed.frozen
    at = followed.update(12, x, y, gaussian(), gaussian())
    assert followed.frozen
    assert all(getattr(before, name) is None for name in NEEDS_REFERENCE)
    assert all(getattr(at, name) is not None for name in NEEDS_REFERENCE)
    assert (at.sin_theta, at.cob_drift) == (pytest.approx(0, abs=ROOT_OF_ROUNDING), 0)
    assert followed.to_dict()["frozen_at"] == 12


def test_the_frame_follows_until_the_reference_and_stays_after():
    followed = tracker(reference_step=1)
    turns = [WORLD.turn(degrees) for degrees in (0, 20, 50)]
    bases = []
    for step, turn in enumerate(turns):
        followed.update(step, *WORLD.rows(WORLD.bias(1), turn=turn))
        bases.append(followed.frame.u @ followed.frame.u.mT)
    for basis, turn in zip(bases, (turns[0], turns[1], turns[1])):
        np.testing.assert_allclose(basis, turn @ WORLD.u @ WORLD.u.T @ turn.T, atol=SOLVED)


def test_an_empty_v_has_no_angle_and_no_drift():
    x, y = gaussian(1, 50, 3), gaussian(2, 50, 3)
    followed = tracker(energy=1.0)
    followed.update(0, x, y)
    row = followed.update(1, x + 1, y, x, y)
    assert (row.cob_norm, row.cob_drift, row.leakage, row.sin_theta) == (0, 0, 0, 0)
    for name in ("kappa_eff_v", "bias_noise_angle", "coupling_norm", "leakage_bound", "cob_stability"):
        assert getattr(row, name) is None


def test_gradients_that_are_zero_have_no_direction():
    row = tracker().update(0, *WORLD.rows(WORLD.bias(1)), np.zeros((5, 12)), np.zeros((5, 12)))
    assert (row.leakage, row.leakage_image, row.locking_diagonal, row.remainder) == (None,) * 4


def test_a_collapse_below_the_frames_rank_has_no_rotation():
    followed = tracker()
    followed.update(0, *WORLD.rows(WORLD.bias(1)))
    line = np.outer(gaussian()[:, 0], WORLD.u[:, 0])
    assert followed.update(1, line, line + 1).sin_theta is None


def figures(row):
    return {name: value for name, value in row.as_row().items() if value is not None}


def test_the_order_of_the_rows_changes_nothing_but_the_halves_of_the_coupling():
    world = World.of(n=2000)
    order = np.random.default_rng(0).permutation(world.n)
    rows = [world.rows(world.bias(1), noise_v=np.linspace(2, 1, 8) / 1000, seed=s) for s in (1, 2)]
    found = []
    for keep in (slice(None), order):
        followed = tracker()
        for step, pair in enumerate(rows):
            row = followed.update(step, *(side[keep] for side in (*pair, *pair)))
        found.append(figures(row))
    fitted = ("coupling_norm", "remainder", "leakage_bound")
    for name in found[0]:
        tolerance = 0.2 if name in fitted else 1e-8
        assert found[0][name] == pytest.approx(found[1][name], rel=tolerance, abs=1e-6), name
    # Negative control: pairs torn apart are another residual.
    torn = tracker().update(0, rows[1][0], rows[1][1][order])
    assert torn.u_residual_energy > 10 * found[0]["u_residual_energy"]


def test_rotating_everything_changes_nothing():
    q = orthogonal(12, np.random.default_rng(9))
    found = []
    for turn in (np.eye(12), q):
        followed = tracker()
        for step in range(2):
            x, y = WORLD.rows(WORLD.bias(1, step), noise_v=np.linspace(2, 1, 8) / 1000, turn=WORLD.turn(step))
            row = followed.update(step, x @ turn, y @ turn, gaussian() @ turn, gaussian(4) @ turn)
        found.append(figures(row))
    assert found[0] == pytest.approx(found[1], rel=1e-7, abs=1e-7)
