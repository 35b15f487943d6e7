"""What theory says of each method, with a negative control where a property could hold by accident."""

from __future__ import annotations

import warnings

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, SOLVED

from realign_core import linalg
from realign_core.alignment import (
    AlignmentWarning,
    AnchorTrace,
    Blockwise,
    GaussianOT,
    Procrustes,
    RandomTarget,
    ReAlign,
    create,
)
from realign_core.alignment.blockwise import whitening_colouring
from realign_core.alignment.gaussian_ot import transport_matrix
from realign_core.alignment.random_target import derangement
from realign_core.frame import FixedFrame
from realign_core.moments import Moments

DETERMINISTIC = (
    "mean_shift", "anchor_trace", "realign", "rotation", "blockwise", "gaussian_ot", "procrustes"
)  # fmt: skip


def cloud(n=120, d=12, seed=0, offset=0.6):
    generator = np.random.default_rng(seed)
    spectrum = np.arange(1, d + 1) ** -0.7
    direction = generator.standard_normal(d)
    rows = generator.standard_normal((n, d)) * spectrum + offset * direction
    return rows @ np.linalg.qr(generator.standard_normal((d, d)))[0]


@pytest.fixture(scope="module")
def sets():
    return cloud(seed=1), cloud(seed=2)


def gap(z, x):
    return np.linalg.norm(oracles.unit(x).mean(axis=0) - z.mean(axis=0))


@pytest.mark.parametrize("name", ["mean_shift", "anchor_trace", "realign", "blockwise", "gaussian_ot"])
def test_methods_follow_their_formulas(name, sets):
    y, x = sets
    z = create(name).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(z, getattr(oracles, name)(y, x), atol=EXACT)


@pytest.mark.parametrize("energy", [0.5, 0.8, 1.0])
def test_blockwise_follows_its_formula_at_other_frames(energy, sets):
    y, x = sets
    z = Blockwise(energy=energy).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(z, oracles.blockwise(y, x, energy=energy), atol=EXACT)


@pytest.mark.parametrize("name", ["blockwise", "gaussian_ot"])
def test_unshrunk_methods_follow_their_formulas(name, sets):
    y, x = sets
    z = create(name, shrinkage=None).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(z, getattr(oracles, name)(y, x, shrink=lambda s, n: s), atol=1e-10)


@pytest.mark.parametrize("name", ["identity", *DETERMINISTIC])
def test_a_source_equal_to_its_target_stays(name, sets):
    y, x = sets
    unit = oracles.unit(y)
    stays = np.abs(create(name).fit(source=y, target=y).transform(y) - unit).max()
    # Against another target the same rows do move, unless the method is not to move them.
    moves = np.abs(create(name).fit(source=y, target=x).transform(y) - unit).max()
    assert stays < 1e-9
    assert (moves > 0.05) == (name != "identity")


def test_random_target_does_not_keep_a_source_equal_to_its_target(sets):
    y, _ = sets
    z = RandomTarget().fit(source=y, target=y).transform_in_sample(y)
    assert np.abs(z - oracles.unit(y)).max(axis=1).min() > 1e-3


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_rotating_both_sets_rotates_the_result(name, sets):
    y, x = sets
    q = np.linalg.qr(np.random.default_rng(5).standard_normal((12, 12)))[0]
    plain = create(name).fit(source=y, target=x).transform(y)
    turned = create(name).fit(source=y @ q, target=x @ q).transform(y @ q)
    np.testing.assert_allclose(turned, plain @ q, atol=1e-9)
    assert np.abs(turned - plain).max() > 0.01


@settings(max_examples=25, deadline=None)
@given(n=st.integers(3, 60), d=st.integers(2, 20), seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e3))
def test_realign_gap_is_at_most_its_centroid_shift(n, d, seed, scale):
    # Proposition B.19 of [R]: the last projection cannot open the gap beyond ||mu' - mu_x||.
    y, x = cloud(n, d, seed) * scale, cloud(n + 1, d, seed + 1)
    method = ReAlign().fit(source=y, target=x)
    shift = float(torch.linalg.vector_norm(method.centroid_ - method.mean_target_))
    assert gap(method.transform(y), x) <= shift + 1e-14


@pytest.mark.parametrize("shrinkage", ["oas", None, 0.2])
def test_monge_map_takes_one_covariance_to_the_other(shrinkage, sets):
    source, target = (Moments.from_batches(rows) for rows in sets)
    a = transport_matrix(source, target, shrinkage)
    torch.testing.assert_close(a, a.mT)
    assert float(linalg.eigenvalues_descending(a)[-1]) > 0
    if shrinkage is None:
        torch.testing.assert_close(a @ source.covariance @ a, target.covariance, atol=1e-12, rtol=1e-9)
    else:
        assert float((a @ source.covariance @ a - target.covariance).norm()) > 1e-4


def test_whitening_colouring_reaches_the_target_in_each_block(sets):
    source, target = (Moments.from_batches(rows) for rows in sets)
    frame = FixedFrame.from_moments(source, target, energy=0.8)
    w = whitening_colouring(source, target, frame, None)
    reached, wanted = frame.blocks(w @ source.covariance @ w.mT), frame.blocks(target.covariance)
    for a, b in zip(reached, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=1e-9)
    # The blocks are mapped apart, so U and V stay correlated as they were not in the target.
    assert float((w @ source.covariance @ w.mT - target.covariance).norm()) > 1e-4


@pytest.mark.parametrize("method", [Blockwise, GaussianOT])
@pytest.mark.parametrize("shrinkage", ["oas", None])
def test_covariance_methods_bear_fewer_rows_than_dimensions(method, shrinkage):
    y, x = cloud(9, 20, 1), cloud(11, 20, 2)
    z = method(shrinkage=shrinkage).fit(source=y, target=x).transform(y)
    assert np.isfinite(z).all()
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=EXACT)


def test_unshrunk_transport_stays_on_the_source_range():
    y, x = cloud(9, 20, 1), cloud(40, 20, 2)
    source, target = Moments.from_batches(y), Moments.from_batches(x)
    a = transport_matrix(source, target, None)
    values, vectors = linalg.eigh_descending(source.covariance)
    outside = vectors[:, linalg.numerical_rank(values) :]
    assert float((a @ outside).abs().max()) < 1e-9


def test_procrustes_is_the_best_orthogonal_map(sets):
    y, x = sets
    w = Procrustes().fit(source=y, target=x).rotation_.numpy()
    u, v = oracles.unit(y), oracles.unit(x)
    np.testing.assert_allclose(w.T @ w, np.eye(12), atol=EXACT)
    best = np.linalg.norm(v - u @ w)
    generator = np.random.default_rng(0)
    for size in (1e-3, 0.1, 3):
        turn = np.linalg.qr(w + size * generator.standard_normal((12, 12)))
        other = turn[0] * np.sign(np.diag(turn[1]))
        assert np.linalg.norm(v - u @ other) > best


@pytest.mark.parametrize("pairs", [4, 9])
def test_procrustes_turns_least_where_fewer_pairs_than_dimensions_leave_it_open(pairs, sets):
    y, x = (oracles.unit(rows)[:pairs] for rows in sets)
    w = Procrustes().fit(source=y, target=x).rotation_.numpy()
    np.testing.assert_allclose(w.T @ w, np.eye(12), atol=EXACT)
    # Every best map is Z W for an orthogonal Z that leaves the source's span alone: W is the one nearest I.
    span = np.linalg.svd(y)[2]
    free = span[pairs:].T
    for seed in range(20):
        turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((12 - pairs,) * 2))[0]
        other = (span[:pairs].T @ span[:pairs] + free @ turn @ free.T) @ w
        assert np.linalg.norm(x - y @ other) == pytest.approx(np.linalg.norm(x - y @ w), rel=SOLVED)
        assert np.trace(other) < np.trace(w)
    # So the order of the pairs, which changes rounding alone, does not show in rows that they do not span.
    backwards = Procrustes().fit(source=y[::-1], target=x[::-1]).rotation_.numpy()
    np.testing.assert_allclose(backwards, w, atol=SOLVED)


def test_procrustes_recovers_a_rotation_and_needs_the_pairing(sets):
    y, _ = sets
    q = np.linalg.qr(np.random.default_rng(5).standard_normal((12, 12)))[0]
    np.testing.assert_allclose(
        Procrustes().fit(source=y, target=y @ q).transform(y), oracles.unit(y @ q), atol=EXACT
    )
    shuffled = np.random.default_rng(0).permutation(len(y))
    assert gap(Procrustes().fit(source=y, target=(y @ q)[shuffled]).transform(y)[:1], (y @ q)[:1]) > 0.01


@given(n=st.integers(2, 300), seed=st.integers(0, 1000))
def test_a_derangement_moves_every_row_and_uses_each_once(n, seed):
    order = derangement(n, seed)
    assert sorted(order) == list(range(n))
    assert (order != np.arange(n)).all()


def test_random_target_gives_target_rows(sets):
    y, x = sets
    method = RandomTarget(seed=3).fit(source=y, target=x)
    unit = oracles.unit(x)
    inside = method.transform_in_sample(y)
    np.testing.assert_allclose(np.sort(inside, axis=0), np.sort(unit, axis=0), atol=EXACT)
    assert (np.abs(inside - unit).max(axis=1) > 1e-3).all()
    drawn = method.transform(y)
    assert {row.tobytes() for row in drawn} < {row.tobytes() for row in inside}
    assert len({row.tobytes() for row in drawn}) < len(y)


def test_random_target_of_unequal_counts_draws_in_sample_too(sets):
    y, x = sets
    method = RandomTarget().fit(source=y, target=x[:50])
    np.testing.assert_array_equal(method.transform_in_sample(y), method.transform(y))


def test_off_the_sphere_nothing_is_projected():
    y, x = cloud(seed=1) * 3 + 1, cloud(seed=2) * 0.5 - 2
    sx, sy = (np.trace(oracles.covariance(rows)) for rows in (x, y))
    moved = {
        "identity": y,
        "mean_shift": y - y.mean(0) + x.mean(0),
        "anchor_trace": x.mean(0) + np.sqrt(sx / sy) * (y - y.mean(0)),
        "realign": x.mean(0) + np.sqrt(sx / sy) * (y - y.mean(0)),
    }
    for name, expected in moved.items():
        z = create(name, normalize=False).fit(source=y, target=x).transform(y)
        np.testing.assert_allclose(z, expected, atol=1e-11)
    for name in ("rotation", "blockwise", "gaussian_ot"):
        z = create(name, normalize=False).fit(source=y, target=x).transform(y)
        np.testing.assert_allclose(z.mean(axis=0), x.mean(axis=0), atol=1e-11)
    transported = GaussianOT(normalize=False, shrinkage=None).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(oracles.covariance(transported), oracles.covariance(x), atol=1e-9)


@pytest.mark.parametrize("name", ["anchor_trace", "realign", "rotation", "blockwise", "gaussian_ot"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_target_gives_a_constant_map_and_a_warning(name, dtype):
    y = cloud(seed=1).astype(dtype)
    x = np.tile(cloud(n=1, seed=2), (30, 1)).astype(dtype)
    with pytest.warns(AlignmentWarning, match="all target rows are equal"):
        method = create(name).fit(source=y, target=x)
    z = method.transform(y)
    np.testing.assert_allclose(z, np.tile(oracles.unit(x)[:1], (len(y), 1)), atol=1e-6)


def test_a_fit_on_ordinary_sets_is_silent(sets):
    y, x = sets
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in DETERMINISTIC:
            create(name).fit(source=y, target=x)


def test_anchor_trace_before_projection_reaches_mean_and_trace(sets):
    y, x = sets
    method = AnchorTrace().fit(source=y, target=x)
    raw = oracles.unit(y) * method.scale_ + method.bias_.numpy()
    np.testing.assert_allclose(raw.mean(axis=0), oracles.unit(x).mean(axis=0), atol=EXACT)
    assert np.trace(oracles.covariance(raw)) == pytest.approx(method.trace_target_)
