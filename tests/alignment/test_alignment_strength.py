"""ReAlign part of the way: from no map at all to the method as published."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch

from realign_core.alignment import ReAlign, load_aligner
from realign_core.alignment.affine_map import AffineMap
from realign_core.alignment.anchor_trace import anchor_trace_map
from realign_core.validation import UnusableInput


@pytest.fixture(scope="module")
def sets():
    generator = np.random.default_rng(3)
    x = generator.standard_normal((150, 8)) / np.arange(1, 9) + np.eye(8)[0]
    y = 2 * generator.standard_normal((130, 8)) / np.arange(1, 9) ** 0.5 + np.eye(8)[1]
    return x, y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("normalize", [True, False])
def test_full_strength_is_the_method_without_the_setting_to_the_last_bit(sets, dtype, normalize):
    x, y = (rows.astype(dtype) for rows in sets)
    found = ReAlign(strength=1, normalize=normalize).fit(source=y, target=x)
    scale, bias = anchor_trace_map(found._source, found._target)
    assert found.scale_ == scale
    if normalize:
        assert torch.equal(found.bias_, bias)
    shift = found.mean_target_ - found.centroid_ if normalize else None
    expected = torch.empty(y.shape, dtype=torch.from_numpy(y).dtype)
    AffineMap(scale, found.bias_, shift, normalize)(torch.from_numpy(y), expected)
    np.testing.assert_array_equal(found.transform(y), expected.numpy())


@pytest.mark.parametrize("normalize", [True, False])
def test_no_strength_leaves_rows_where_they_are(sets, normalize):
    x, y = sets
    found = ReAlign(strength=0, normalize=normalize).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(found, oracles.unit(y) if normalize else y, atol=1e-14)


def test_part_of_the_way_follows_its_formula(sets):
    x, y = map(oracles.unit, sets)
    t = 0.3
    found = ReAlign(strength=t).fit(source=y, target=x).transform(y)
    aim = (1 - t) * y.mean(axis=0) + t * x.mean(axis=0)
    scale = 1 - t + t * np.sqrt(np.trace(oracles.covariance(x)) / np.trace(oracles.covariance(y)))
    first = oracles.unit(aim + scale * (y - y.mean(axis=0)))
    np.testing.assert_allclose(found, oracles.unit(first - first.mean(axis=0) + aim), atol=1e-12)


def test_off_the_sphere_the_mean_and_the_spread_go_exactly_that_share(sets):
    x, y = sets
    z = ReAlign(strength=0.25, normalize=False).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(z.mean(axis=0), 0.75 * y.mean(axis=0) + 0.25 * x.mean(axis=0), atol=1e-12)
    spread = [np.trace(oracles.covariance(rows)) ** 0.5 for rows in (x, y, z)]
    assert spread[2] == pytest.approx(0.25 * spread[0] + 0.75 * spread[1], rel=1e-12)


def test_the_gap_shrinks_with_strength(sets):
    x, y = map(oracles.unit, sets)
    gaps = [
        np.linalg.norm(ReAlign(strength=t).fit(source=y, target=x).transform(y).mean(0) - x.mean(0))
        for t in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert gaps == sorted(gaps, reverse=True)


def test_a_saved_share_maps_alike(sets, tmp_path):
    x, y = sets
    method = ReAlign(strength=0.6).fit(source=y, target=x)
    method.save(tmp_path / "saved")
    np.testing.assert_array_equal(load_aligner(tmp_path / "saved").transform(y), method.transform(y))


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), "much"])
def test_a_strength_out_of_range_is_refused(sets, strength):
    x, y = sets
    with pytest.raises(UnusableInput, match="strength"):
        ReAlign(strength=strength).fit(source=y, target=x)
