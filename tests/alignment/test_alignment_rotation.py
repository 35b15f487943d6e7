"""The rotation method: its plane, its exact centroid and trace, and where neither exists."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realign_core.alignment import AlignmentWarning, MeanShift, Rotation
from realign_core.alignment.rotation import minimal_rotation


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


def test_bures_rotation_is_equivariant_too(sets):
    y, x = sets
    q = np.linalg.qr(np.random.default_rng(6).standard_normal((12, 12)))[0]
    plain = Rotation(bures=0.3).fit(source=y, target=x).transform(y)
    turned = Rotation(bures=0.3).fit(source=y @ q, target=x @ q).transform(y @ q)
    np.testing.assert_allclose(turned, plain @ q, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(20, 80),
    d=st.integers(6, 16),
    seed=st.integers(0, 10**6),
    bures=st.sampled_from([0, 0.2, 1]),
)
def test_rotation_reaches_centroid_and_trace_exactly(n, d, seed, bures):
    y, x = cloud(n, d, seed), cloud(n + 3, d, seed + 1)
    method = Rotation(bures=bures).fit(source=y, target=x)
    z = method.transform(y)
    assert gap(z, x) < 1e-12
    assert np.trace(oracles.covariance(z)) == pytest.approx(
        np.trace(oracles.covariance(oracles.unit(x))), abs=1e-12
    )
    # The negative control: a translation alone leaves a gap.
    assert gap(MeanShift().fit(source=y, target=x).transform(y), x) > 1e-9


def test_minimal_rotation_turns_one_plane_only():
    generator = np.random.default_rng(3)
    p, q = torch.from_numpy(generator.standard_normal((2, 7)))
    r = minimal_rotation(p, q)
    p, q = p / p.norm(), q / q.norm()
    torch.testing.assert_close(r @ r.mT, torch.eye(7, dtype=torch.float64))
    torch.testing.assert_close(r @ p, q)
    assert float(torch.linalg.det(r)) == pytest.approx(1)
    assert int((torch.linalg.svdvals(r - torch.eye(7)) > 1e-9).sum()) == 2


def test_minimal_rotation_of_equal_and_opposite_directions():
    p = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    identity = torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(minimal_rotation(p, 3 * p), identity)
    torch.testing.assert_close(minimal_rotation(p, torch.zeros_like(p)), identity)
    half_turn = minimal_rotation(p, -2 * p)
    torch.testing.assert_close(half_turn @ p, -p)
    torch.testing.assert_close(half_turn @ half_turn, identity)
    assert float(torch.linalg.det(half_turn)) == pytest.approx(1)
    assert torch.equal(half_turn, minimal_rotation(p, -2 * p))
    near = minimal_rotation(p, -p + torch.tensor([0.0, 1e-5, 0.0], dtype=torch.float64))
    torch.testing.assert_close(near @ near.mT, identity, atol=1e-14, rtol=0)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_mean_of_zero_but_for_rounding_turns_nothing(side, sets):
    y, x = sets
    around_zero = np.concatenate([x, -x])
    mean = oracles.unit(around_zero).mean(axis=0)
    assert 0 < np.linalg.norm(mean) < 1e-15
    given = {"source": y, "target": x, side: around_zero}
    for scale, normalize in ((1, True), (1e-9, False)):
        fitted = Rotation(normalize=normalize).fit(**{name: scale * rows for name, rows in given.items()})
        assert torch.equal(fitted.rotation_, torch.eye(12, dtype=torch.float64))
    moved = {**given, side: around_zero + 1e-6}
    assert not torch.equal(Rotation().fit(**moved).rotation_, torch.eye(12, dtype=torch.float64))


def test_rotation_between_opposite_sets(sets):
    y, _ = sets
    z = Rotation().fit(source=y, target=-y).transform(y)
    assert gap(z, -y) < 1e-12


def test_rotation_says_when_one_row_dominates():
    # The objective has a kink where a row lands on 0; a row of large share can hold the minimiser there.
    y, x = cloud(5, 2, 0), cloud(8, 2, 1)
    with pytest.warns(AlignmentWarning, match="a few rows dominate"):
        method = Rotation().fit(source=y, target=x)
    assert method.centroid_gap_ == pytest.approx(gap(method.transform(y), x))


def test_rotation_says_when_no_bias_closes_the_gap():
    # On a line there are two directions only, so most centroids are out of reach.
    y, x = np.array([[1.0], [2.0], [-1.0]]), np.array([[1.0], [-2.0], [1.0], [1.0]])
    with pytest.warns(AlignmentWarning, match="the centroid is still"):
        Rotation().fit(source=y, target=x)
