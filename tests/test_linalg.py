"""Eigenproblems, ranks, roots and shrinkage against matrices of known spectrum."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, SOLVED

from realign_core import linalg


def matrix_with(values, seed=0):
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))[0]
    return torch.from_numpy((basis * np.asarray(values, dtype=float)) @ basis.T)


@given(st.integers(1, 12), st.integers(0, 5))
def test_the_eigensystem_rebuilds_the_matrix_largest_first_with_fixed_signs(dim, seed):
    matrix = matrix_with(np.random.default_rng(seed).random(dim), seed)
    values, vectors = linalg.eigh_descending(matrix)
    assert torch.allclose((vectors * values) @ vectors.mT, matrix, atol=EXACT)
    assert bool((values[:-1] >= values[1:]).all())
    peaks = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    assert bool((peaks > 0).all())
    assert torch.allclose(linalg.eigenvalues_descending(matrix), values, atol=EXACT)


def test_an_empty_matrix_has_an_empty_spectrum():
    values, vectors = linalg.eigh_descending(torch.zeros(0, 0, dtype=torch.float64))
    assert values.shape == (0,)
    assert vectors.shape == (0, 0)
    assert linalg.numerical_rank(values) == 0


@pytest.mark.parametrize("dim", [3, linalg.ITERATED_FROM - 1, linalg.ITERATED_FROM, 300])
@pytest.mark.parametrize("shape", ["decaying", "flat", "twin"])
def test_the_largest_eigenvalue_alone_is_that_of_the_whole_spectrum(dim, shape):
    values = {"decaying": 1 / np.arange(1, dim + 1), "flat": np.ones(dim), "twin": np.ones(dim) * 0.1}[shape]
    if shape == "twin":
        values[:2] = 1, 1 - 1e-9
    matrix = matrix_with(values)
    assert linalg.largest_eigenvalue(matrix) == pytest.approx(values.max(), rel=EXACT)


@pytest.mark.parametrize("dim", [1, 3, 70])
def test_products_add_up_in_one_triangle_and_are_mirrored(dim):
    generator = np.random.default_rng(dim)
    total, expected = torch.zeros(dim, dim, dtype=torch.float64), np.zeros((dim, dim))
    for n in (1, 5, 200):
        rows = generator.standard_normal((n, dim))
        expected += rows.T @ rows
        linalg.add_gram(total, torch.from_numpy(rows))
        linalg.add_gram(total, torch.from_numpy(np.asfortranarray(rows)))
        linalg.add_gram(total, torch.from_numpy(np.repeat(rows, 2, axis=0))[::2])
    found = linalg.mirrored(total)
    assert torch.equal(found, found.mT)
    np.testing.assert_allclose(found.numpy(), 3 * expected, rtol=1e-13, atol=1e-13)
    if dim > 1:
        with pytest.raises(AssertionError, match="copied"):
            linalg.add_gram(total.mT, torch.from_numpy(rows))
        with pytest.raises(AssertionError, match="copied"):
            linalg.add_gram(total.float(), torch.from_numpy(rows))


def test_a_zero_matrix_has_largest_eigenvalue_zero():
    assert linalg.largest_eigenvalue(torch.zeros(300, 300, dtype=torch.float64)) == 0


def test_the_rank_counts_eigenvalues_above_the_cutoff_only():
    values = torch.tensor([1.0, 1e-3, 1.01e-10, 0.99e-10, 0.0, -1e-17], dtype=torch.float64)
    assert linalg.numerical_rank(values) == 3
    assert linalg.numerical_rank(torch.zeros(4)) == 0
    assert linalg.condition_number(values) == pytest.approx(1 / 1.01e-10)
    assert linalg.condition_number(torch.zeros(4)) is None
    assert linalg.effective_condition_number(torch.zeros(4)) is None


def test_energy_ranks_of_a_flat_spectrum():
    values = torch.ones(100, dtype=torch.float64)
    assert [linalg.energy_rank(values, e) for e in (0.001, 0.01, 0.011, 0.5, 0.99, 0.991, 1.0)] == [
        1, 1, 2, 50, 99, 100, 100,
    ]  # fmt: skip
    assert linalg.k99(values) == 99


def test_all_the_energy_takes_the_whole_numerical_rank_however_small_the_tail():
    values = torch.cat([torch.ones(2000), torch.full((1,), 2e-10), torch.full((5,), 1e-12)]).double()
    assert linalg.energy_rank(values, 1) == 2001
    # Negative control: the share of that last eigenvalue is less than the slack for rounding.
    assert linalg.energy_rank(values, 1 - 1e-12) == 2000


@given(st.floats(0.01, 1), st.lists(st.floats(1e-6, 1), min_size=1, max_size=30))
def test_the_energy_rank_is_the_smallest_that_reaches_the_threshold(energy, spectrum):
    values = torch.tensor(sorted(spectrum, reverse=True), dtype=torch.float64)
    rank = linalg.energy_rank(values, energy)
    share = values.cumsum(0) / values.sum()
    assert share[rank - 1] >= energy - 2e-12
    assert rank == 1 or share[rank - 2] < energy


@pytest.mark.parametrize("exponent", [0.5, -0.5, -1, 2])
def test_powers_act_on_the_range_only(exponent):
    values = np.array([4.0, 2.0, 0.5, 0.0, 0.0])
    expected = matrix_with(np.where(values > 0, np.where(values > 0, values, 1) ** exponent, 0))
    assert torch.allclose(linalg.spd_power(matrix_with(values), exponent), expected, atol=SOLVED)


def test_shrinkage_keeps_the_trace_and_is_whole_for_a_multiple_of_the_identity():
    matrix = matrix_with([3.0, 1.0, 0.5])
    for amount in (0, 0.3, 1):
        assert float(linalg.shrink(matrix, amount).trace()) == pytest.approx(4.5)
    assert linalg.oas_shrinkage(torch.eye(4, dtype=torch.float64), 10) == 1
    assert linalg.oas_shrinkage(torch.zeros(4, 4, dtype=torch.float64), 10) == 1


@pytest.mark.parametrize("scale", [1, 1e-200, 1e200])
def test_oas_agrees_with_its_formula_at_any_scale(scale):
    matrix = matrix_with([3.0, 1.0, 0.5, 0.1])
    amount = linalg.oas_shrinkage(matrix * scale, 40)
    assert torch.allclose(linalg.shrink(matrix, amount), torch.from_numpy(oracles.oas(matrix.numpy(), 40)))
    assert 0 < amount < 1


@settings(max_examples=20)
@given(st.integers(1, 8), st.integers(0, 100))
def test_the_monge_map_carries_one_gaussian_to_the_other(dim, seed):
    generator = np.random.default_rng(seed)
    a, b = (matrix_with(generator.uniform(0.1, 1, dim), seed + i) for i in range(2))
    mapping = linalg.monge_map(a, b)
    assert torch.allclose(mapping @ a @ mapping.mT, b, atol=SOLVED)
    assert torch.allclose(mapping, mapping.mT)
    assert float(linalg.eigenvalues_descending(mapping)[-1]) > 0
