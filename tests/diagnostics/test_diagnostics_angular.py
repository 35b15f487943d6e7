"""Cosines of pairs within a set: which pairs, their correlation, their histograms."""

from __future__ import annotations

import mpmath
import numpy as np
import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerances import COSINE32, EXACT

from realign_core.diagnostics import angular
from realign_core.diagnostics.angular import PairCosines, RowPairs, bin_of, correlation, pair_sums

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("n", [2, 3, 10, 77])
def test_small_sets_take_every_pair(n):
    pairs = RowPairs.of(n, 0)
    i, j = np.triu_indices(n, 1)
    assert pairs.i.tolist() == i.tolist()
    assert pairs.j.tolist() == j.tolist()
    assert pairs.every
    assert pairs.starts.tolist() == np.searchsorted(i, np.arange(n + 1)).tolist()


def test_large_sets_take_the_sampled_pairs_of_the_definition():
    n, seed = angular.ALL_PAIRS_UP_TO + 1, 7
    pairs = RowPairs.of(n, seed)
    generator = np.random.default_rng(seed)
    i = generator.integers(0, n, 5_000_000)
    j = generator.integers(0, n - 1, 5_000_000)
    j += j >= i
    order = np.argsort(i, kind="stable")
    assert np.array_equal(pairs.i, i[order])
    assert np.array_equal(pairs.j, j[order])
    assert not pairs.every
    assert bool((pairs.i != pairs.j).all())
    assert np.array_equal(pairs.starts, np.searchsorted(i[order], np.arange(n + 1)))


@pytest.mark.parametrize("every", [True, False])
def test_cosines_are_collected_block_by_block(every, monkeypatch):
    monkeypatch.setattr(angular, "SAMPLED_PAIRS", 300)
    if not every:
        monkeypatch.setattr(angular, "ALL_PAIRS_UP_TO", 10)
    rows = oracles.unit(GENERATOR.standard_normal((41, 5)))
    pairs = RowPairs.of(41, 3)
    assert pairs.every == every
    collected = PairCosines(pairs)
    full = torch.from_numpy(rows @ rows.T).float()
    for start in range(0, 41, 9):
        collected.visit(start, full[start : start + 9])
    expected = full[pairs.i, pairs.j]
    assert torch.equal(collected.bins, bin_of(expected))
    assert torch.equal(collected.histogram, torch.bincount(bin_of(expected), minlength=200))
    if every:
        assert collected.values is None
    else:
        assert torch.equal(collected.values, expected)


@given(st.integers(3, 200), st.floats(-1, 1), st.floats(1e-4, 1), st.floats(-0.9, 0.9), st.integers(0, 99))
def test_the_correlation_is_numpys(n, mixing, spread, mean, seed):
    generator = np.random.default_rng(seed)
    a = generator.standard_normal(n)
    b = mixing * a + (1 - abs(mixing)) * generator.standard_normal(n) + 1e-9 * generator.standard_normal(n)
    a, b = mean + spread * a, mean + spread * b
    if min(a.std(), b.std()) < 1e-5:
        return
    found = float(correlation(pair_sums(torch.from_numpy(a), torch.from_numpy(b))))
    assert found == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)
    assert abs(found) <= 1


def test_a_correlation_near_one_keeps_its_digits():
    a = GENERATOR.standard_normal(10_000) * 1e-3 + 0.9
    b = a + GENERATOR.standard_normal(10_000) * 1e-8
    centred = [v - v.mean() for v in (a.astype(np.longdouble), b.astype(np.longdouble))]
    exact = float(
        1 - centred[0] @ centred[1] / np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1]))
    )
    found = 1 - float(correlation(pair_sums(torch.from_numpy(a), torch.from_numpy(b))))
    assert exact > 1e-12
    assert found == pytest.approx(exact, abs=1e-15)
    # Negative control: sums that are not shifted lose them.
    n, sums = len(a), [a.sum(), b.sum(), a @ a, b @ b, a @ b]
    raw = (sums[4] - sums[0] * sums[1] / n) / np.sqrt(
        (sums[2] - sums[0] ** 2 / n) * (sums[3] - sums[1] ** 2 / n)
    )
    assert abs((1 - raw) - exact) > 1e-12


def test_equal_cosines_have_no_correlation():
    flat = torch.full((100,), 0.7) + torch.from_numpy(GENERATOR.uniform(-1e-7, 1e-7, 100)).float()
    varied = torch.from_numpy(GENERATOR.standard_normal(100)).float()
    assert torch.isnan(correlation(pair_sums(flat, varied)))
    assert torch.isnan(correlation(pair_sums(varied, flat)))
    assert float(correlation(pair_sums(varied, varied))) == pytest.approx(1, abs=EXACT)


def test_bins_are_equal_half_open_and_the_last_closed():
    edges = torch.tensor([-1.2, -1.0, -0.995, -0.9899, -1e-9, 0.0, 0.99, 0.9901, 1.0, 1.0000002])
    assert bin_of(edges.double()).tolist() == [0, 0, 0, 1, 100, 100, 199, 199, 199, 199]
    values = torch.from_numpy(GENERATOR.uniform(-1, 1, 1000))
    assert np.array_equal(
        torch.bincount(bin_of(values), minlength=200), np.histogram(values, bins=200, range=(-1, 1))[0]
    )


@given(st.integers(2, 50), st.integers(0, 99))
def test_the_divergence_is_symmetric_bounded_and_the_oracles(bins, seed):
    generator = np.random.default_rng(seed)
    a, b = generator.integers(0, 5, (2, bins)) + np.eye(1, bins, dtype=int)[0]
    found = float(angular.jensen_shannon(torch.from_numpy(a), torch.from_numpy(b)))
    assert found == pytest.approx(oracles.jensen_shannon(a, b), abs=EXACT)
    assert found == pytest.approx(float(angular.jensen_shannon(torch.from_numpy(b), torch.from_numpy(a))))
    assert 0 <= found <= 1 + EXACT


def test_the_divergence_is_zero_for_proportional_one_for_disjoint_and_right_when_tiny():
    a = torch.tensor([1, 2, 3, 0])
    assert float(angular.jensen_shannon(a, 7 * a)) == pytest.approx(0, abs=EXACT)
    assert float(angular.jensen_shannon(a, torch.tensor([0, 0, 0, 5]))) == pytest.approx(1, abs=EXACT)
    counts = np.array([10**7, 10**7, 3 * 10**6]), np.array([10**7 + 40, 10**7 - 40, 3 * 10**6])
    p, q = ([mpmath.mpf(int(c)) / int(side.sum()) for c in side] for side in counts)
    middle = [(u + v) / 2 for u, v in zip(p, q)]
    exact = sum(s * mpmath.log(s / m, 2) for side in (p, q) for s, m in zip(side, middle)) / 2
    found = float(angular.jensen_shannon(*(torch.from_numpy(side) for side in counts)))
    assert 0 < exact < 1e-10
    assert found == pytest.approx(float(exact), abs=1e-15)


def test_psi_and_js_of_rows_are_the_naive_ones():
    y = GENERATOR.standard_normal((80, 6))
    z = y + 0.4 * GENERATOR.standard_normal((80, 6))
    a, b = (torch.from_numpy(oracles.cosines_of_pairs(rows)).float() for rows in (y, z))
    assert float(correlation(pair_sums(a, b))) == pytest.approx(
        oracles.pairwise_correlation(y, z), abs=COSINE32
    )
