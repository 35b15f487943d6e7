"""Polar blocks: exact both ways, wrapped, bounded; radial maps that keep order."""

import math

import numpy as np
import pytest
import torch

from realign_core.alignment.aniso.polar import Polar, coordinates, correction_bound, mixed_basis, wrap
from realign_core.alignment.aniso.quantiles import knots, level_count, map_radii
from realign_core.alignment.aniso.refinement import Bounds, Corrections, refined
from realign_core.alignment.aniso.start import Start
from realign_core.frame import FixedFrame
from realign_core.moments import Moments
from realign_core.validation import UnusableInput


def rows(n, d, seed, scale=None):
    generator = torch.Generator().manual_seed(seed)
    found = torch.randn(n, d, dtype=torch.float64, generator=generator)
    return found * (torch.arange(1, d + 1, dtype=torch.float64) ** -0.7 if scale is None else scale)


def frame_of(x, y, energy=0.9):
    return FixedFrame.from_moments(Moments.of(y), Moments.of(x), energy=energy)


@pytest.fixture
def basis():
    return mixed_basis(frame_of(rows(200, 12, 1), rows(200, 12, 2)), mixing="random", seed=3)


def test_the_mixed_basis_is_orthonormal_even_and_spans_u():
    frame = frame_of(rows(200, 12, 1), rows(200, 12, 2))
    for energy in np.linspace(0.3, 1, 12):
        cut = frame.with_energy(float(energy))
        mixed = mixed_basis(cut, mixing="random", seed=0)
        plain = mixed_basis(cut, mixing="none", seed=0)
        rank = mixed.shape[1]
        assert rank % 2 == 0
        assert cut.rank <= rank <= min(cut.rank + 1, 12)
        torch.testing.assert_close(mixed.mT @ mixed, torch.eye(rank, dtype=torch.float64))
        torch.testing.assert_close(mixed @ mixed.mT, plain @ plain.mT)
        torch.testing.assert_close(plain, frame.basis[:, :rank])


def test_mixing_is_seeded():
    frame = frame_of(rows(200, 12, 1), rows(200, 12, 2))
    first, again, other = (mixed_basis(frame, mixing="random", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert float((first - other).abs().max()) > 0.1
    with pytest.raises(UnusableInput, match="mixing is 'varimax'"):
        mixed_basis(frame, mixing="varimax", seed=0)


def test_an_odd_number_of_directions_loses_one():
    x = torch.zeros(50, 5, dtype=torch.float64)
    x[:, :3] = rows(50, 3, 0)
    frame = frame_of(x, x, energy=1)
    assert frame.rank == 3
    assert mixed_basis(frame, mixing="random", seed=0).shape == (5, 2)


def test_one_direction_is_refused():
    x = torch.outer(torch.linspace(-1, 1, 20, dtype=torch.float64), torch.ones(4, dtype=torch.float64))
    with pytest.raises(UnusableInput, match="at least two directions"):
        mixed_basis(frame_of(x, x), mixing="random", seed=0)


def test_rows_come_back_from_their_blocks(basis):
    x = rows(50, 12, 5)
    x[0] = 0
    polar = Polar.of(x, basis)
    torch.testing.assert_close(polar.rows(basis), x, rtol=0, atol=1e-12)
    assert float((polar.rest @ basis).abs().max()) < 1e-13
    assert bool((polar.radii > 0).all())


@pytest.mark.parametrize("turns", [-3, -1, 0, 1, 5])
def test_phases_wrap(turns):
    phases = torch.linspace(-math.pi, math.pi, 101, dtype=torch.float64)[:-1]
    torch.testing.assert_close(wrap(phases + 2 * math.pi * turns), phases, rtol=0, atol=1e-12)
    assert float(wrap(torch.tensor(math.pi, dtype=torch.float64))) == -math.pi


@pytest.mark.parametrize("seed", range(5))
def test_corrections_of_any_network_stay_within_the_bound(seed, basis):
    generator = torch.Generator().manual_seed(seed)
    start = Polar.of(rows(300, 12, seed + 10), basis)
    bounds = Bounds(*(3.1 * torch.rand(3, generator=generator)).tolist())
    network = Corrections(basis.shape[1] // 2, 12, 16, seed).double()
    network.standardise(start)
    for parameter in network.parameters():
        parameter.data = 5 * torch.randn(parameter.shape, generator=generator).double()
    moved = refined(start, network.requires_grad_(False), bounds, basis)
    before, after = (coordinates(polar.radii, polar.phases) for polar in (start, moved))
    ratio = (after - before).norm(dim=1) / before.norm(dim=1)
    bound = correction_bound(bounds.radius, bounds.phase)
    assert float(ratio.max()) <= bound * (1 + 1e-12)
    # The bound is near what a network at its limits reaches: it is not met by being far away.
    assert float(ratio.max()) > 0.3 * bound
    assert float(wrap(moved.phases - start.phases).abs().max()) <= bounds.phase + 1e-12
    assert float((moved.rest @ basis).abs().max()) < 1e-12
    assert float((moved.rest - start.rest).abs().max()) <= bounds.rest * math.sqrt(12)


def test_the_bound_is_that_of_the_worst_block():
    angle, growth = 0.4, 0.3
    worst = abs(complex(math.exp(growth) * math.cos(angle), math.exp(growth) * math.sin(angle)) - 1)
    assert correction_bound(growth, angle) == pytest.approx(worst)
    assert correction_bound(0, 0) == 0


def test_a_start_with_equal_sets_returns_the_rows(basis):
    x = rows(400, 12, 8)
    polar = Polar.of(x - x.mean(dim=0), basis)
    for radial_map in ("quantile", "scale", "none"):
        started = Start.of(polar, polar, basis, radial_map=radial_map, levels=65)(polar)
        torch.testing.assert_close(started.rows(basis), x - x.mean(dim=0), rtol=0, atol=1e-10)


def test_the_start_takes_the_target_s_radii_and_spread(basis):
    source, target = (
        Polar.of(part - part.mean(dim=0), basis) for part in (rows(4000, 12, 1), rows(4000, 12, 2))
    )
    target = Polar(target.phases, target.radii * 1.7, target.rest * 0.4)
    for radial_map in ("quantile", "scale"):
        started = Start.of(source, target, basis, radial_map=radial_map, levels=65)(source)
        torch.testing.assert_close(started.phases, source.phases)
        torch.testing.assert_close(
            started.radii.square().mean(dim=0), target.radii.square().mean(dim=0), rtol=0.02, atol=0
        )
        assert float(started.rest.square().sum() / target.rest.square().sum()) == pytest.approx(1, abs=0.1)
        assert float((started.rest @ basis).abs().max()) < 1e-12


def test_quantile_maps_keep_order_and_go_on_beyond_the_ends():
    radii = rows(999, 3, 4).abs()
    source, target = knots(radii, 9), knots(radii.sqrt(), 9)
    given = torch.linspace(0, 2 * float(radii.max()), 400, dtype=torch.float64)[:, None].expand(-1, 3)
    mapped = map_radii(given, source, target)
    assert bool((mapped.diff(dim=0) >= -1e-12).all())
    torch.testing.assert_close(map_radii(source.mT.contiguous(), source, target), target.mT)
    beyond = given[-1]
    torch.testing.assert_close(mapped[-1], beyond * (target[:, -1] / source[:, -1]))
    assert float(mapped[0].abs().max()) == 0


def test_knots_are_quantiles_and_equal_radii_stay_finite():
    radii = rows(501, 2, 3).abs()
    expected = np.quantile(radii.numpy(), np.linspace(0, 1, 11), axis=0).T
    np.testing.assert_allclose(knots(radii, 11).numpy(), expected, rtol=1e-12)
    same = torch.full((40, 2), 0.5, dtype=torch.float64)
    mapped = map_radii(same, knots(same, 5), knots(2 * same, 5))
    torch.testing.assert_close(mapped, 2 * same)
    assert [level_count(257, n) for n in (2, 16, 800, 10**6)] == [2, 2, 100, 257]


def test_a_radius_that_many_rows_share_goes_to_the_middle_of_their_images():
    target = torch.tensor([[1.0, 2, 3, 4, 5]], dtype=torch.float64)
    for source, given, expected in (
        ([0.5, 0.5, 0.5, 0.5, 0.5], [0.25, 0.5, 1], [0.5, 3, 10]),
        ([0.5, 1, 1, 1, 2], [0.5, 0.75, 1, 1.5, 2], [1, 1.5, 3, 4.5, 5]),
        ([1, 1, 2, 4, 4], [1, 1.5, 2, 4], [1.5, 2.5, 3, 4.5]),
    ):
        radii = torch.tensor(given, dtype=torch.float64)[:, None]
        mapped = map_radii(radii, torch.tensor([source], dtype=torch.float64), target)
        torch.testing.assert_close(mapped[:, 0], torch.tensor(expected, dtype=torch.float64))


def test_the_mixed_basis_follows_from_u_alone():
    # All directions of U are alike, so that an eigensolver may give any basis of it.
    values = torch.tensor([2.0] * 6 + [0.0] * 4, dtype=torch.float64)
    turn = torch.linalg.qr(rows(10, 10, 4))[0]
    other = turn.clone()
    other[:, :6] = turn[:, :6] @ torch.linalg.qr(rows(6, 6, 5))[0]
    first, second = (FixedFrame(values, basis, 6, 1.0) for basis in (turn, other))
    assert float((first.basis - second.basis).abs().max()) > 0.1
    torch.testing.assert_close(
        mixed_basis(first, mixing="random", seed=1), mixed_basis(second, mixing="random", seed=1)
    )
