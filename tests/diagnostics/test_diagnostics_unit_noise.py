"""Noise of a mean whose rows come in units: the identity, its blocks, and what dividing by n understates."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

from realign_core.diagnostics.decomposition import measure_gap
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.diagnostics.unit_noise import UnitScatter, has_units, row_covariance
from realign_core.moments import Moments


def numbered(labels):
    return np.unique(labels, return_inverse=True)[1]


def naive_scatter(rows, unit):
    sums = np.stack([(rows - rows.mean(0))[unit == u].sum(0) for u in range(unit.max() + 1)])
    return sums.T @ sums


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 15), st.integers(1, 9), st.integers(0, 99))
def test_blocks_give_the_scatter_of_unit_sums(n, dim, units, block, seed):
    generator = np.random.default_rng(seed)
    rows, unit = generator.standard_normal((n, dim)), numbered(generator.integers(0, units, n))
    scatter = merged(torch.from_numpy(rows - rows.mean(0)), unit, block)
    expected = naive_scatter(rows, unit)
    assert len(scatter.units) == 0
    assert scatter.scatter.numpy() == pytest.approx(expected, abs=EXACT * n * n)
    whole = row_covariance(torch.from_numpy(rows), Moments.of(torch.from_numpy(rows)), unit)
    assert whole.numpy() == pytest.approx(expected / n, abs=EXACT * n * n)


def parts_of(deviations, unit, block):
    sizes = np.bincount(unit)[unit]
    return [
        UnitScatter.of(deviations[here], unit[here.numpy()], sizes[here.numpy()])
        for here in torch.arange(len(unit)).split(block)
    ]


def merged(deviations, unit, block):
    return reduce(UnitScatter.merge, parts_of(deviations, unit, block))


def test_only_units_that_more_rows_are_awaited_of_are_held():
    unit = np.repeat(np.arange(50), 2)
    parts = parts_of(torch.randn(100, 3).double(), unit, 7)
    for end in range(1, len(parts) + 1):
        assert len(reduce(UnitScatter.merge, parts[:end]).units) == end * 7 % 2 * (end < len(parts))


def test_stretches_that_cut_units_merge_in_any_grouping():
    unit = np.repeat(np.arange(30), 5)[np.random.default_rng(0).permutation(150)]
    deviations = torch.randn(150, 3).double()
    parts = parts_of(deviations, unit, 11)
    left, right = reduce(UnitScatter.merge, parts[:6]), reduce(UnitScatter.merge, parts[6:])
    again = UnitScatter.from_arrays(left.arrays()).merge(right)
    sums = np.stack([deviations.numpy()[unit == u].sum(0) for u in range(30)])
    assert again.scatter.numpy() == pytest.approx(sums.T @ sums, rel=1e-12, abs=1e-12)


def test_single_rows_are_no_units():
    assert not has_units(np.arange(5))
    assert has_units(np.array([0, 0, 1]))


def gap_of(images, captions, generator, *, knows_units):
    """Sets without a gap, `captions` near-copies a picture."""
    shift = generator.standard_normal((images, 6)).repeat(captions, axis=0)
    rows = [shift + 0.05 * generator.standard_normal(shift.shape) for _ in range(2)]
    rows[1] = rows[1] + 0.8 * generator.standard_normal((images, 6)).repeat(captions, axis=0)
    unit = np.repeat(np.arange(images), captions)
    return measure_gap(
        PairStatistics.collect(
            *(torch.from_numpy(part) for part in rows),
            paired=True,
            normalize=False,
            groups=unit if knows_units else None,
        )
    )


@pytest.mark.parametrize("captions", [1, 5])
def test_the_floor_is_the_size_of_the_noise_where_captions_share_an_image(captions):
    generator = np.random.default_rng(0)
    found = [gap_of(60, captions, generator, knows_units=True) for _ in range(200)]
    gaps, floors = (
        np.array([getattr(one, name) for one in found]) for name in ("centroid_distance", "sampling_floor")
    )
    assert np.sqrt((gaps**2).mean()) / np.sqrt((floors**2).mean()) == pytest.approx(1, abs=0.1)
    above = np.mean([one.centroid_distance > one.sampling_floor_95 for one in found])
    assert above == pytest.approx(0.05, abs=0.045)


def test_dividing_by_rows_would_call_noise_a_gap():
    generator = np.random.default_rng(0)
    found = [gap_of(60, 5, generator, knows_units=False) for _ in range(50)]
    assert np.mean([one.centroid_distance > one.sampling_floor_95 for one in found]) > 0.7
