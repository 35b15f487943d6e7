"""Sums over all pairs of cosines from d x d products, against the n x n cosines themselves."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

from realign_core.diagnostics.angular import correlation
from realign_core.diagnostics.cross_moments import CrossMoments, all_pair_sums


def rows_of(n, dim, seed, spread=1.0):
    generator = np.random.default_rng(seed)
    y = oracles.unit(generator.standard_normal((n, dim)) * spread + 0.5)
    z = oracles.unit(y + spread * 0.3 * generator.standard_normal((n, dim)) + 0.2)
    return y, z


def psi(y, z):
    y, z = torch.from_numpy(y), torch.from_numpy(z)
    across = CrossMoments.of(y, z)
    products = (CrossMoments.of(rows, rows).product for rows in (y, z))
    return float(correlation(all_pair_sums(*products, across)))


@given(st.integers(4, 60), st.integers(2, 20), st.integers(0, 99))
def test_the_sums_are_those_of_the_cosines(n, dim, seed):
    y, z = rows_of(n, dim, seed)
    y[0] = 0  # a row without a direction stays zero and has cosine 0 with all
    a, b = ((rows @ rows.T)[~np.eye(n, dtype=bool)] for rows in (y, z))
    a, b = a - y.mean(0) @ y.mean(0), b - z.mean(0) @ z.mean(0)
    ty, tz = torch.from_numpy(y), torch.from_numpy(z)
    products = (CrossMoments.of(rows, rows).product for rows in (ty, tz))
    found = all_pair_sums(*products, CrossMoments.of(ty, tz))
    expected = [n * (n - 1), a.sum(), b.sum(), a @ a, b @ b, a @ b]
    assert found.tolist() == pytest.approx(expected, abs=EXACT * n * n)


@given(st.integers(8, 60), st.integers(2, 20), st.integers(1, 5), st.integers(0, 99))
def test_rows_taken_out_leave_the_moments_of_the_rest(n, dim, out, seed):
    y, z = (torch.from_numpy(rows) for rows in rows_of(n, dim, seed))
    left = CrossMoments.of(y, z).without(CrossMoments.of(y[:out], z[:out]))
    expected = CrossMoments.of(y[out:], z[out:])
    torch.testing.assert_close(left.scatter, expected.scatter, rtol=0, atol=EXACT * n)
    assert left.product == pytest.approx(expected.product, abs=EXACT * n * n)
    assert left.first == pytest.approx(expected.first, abs=EXACT * n)


def test_digits_stay_where_cosines_hardly_vary():
    y, z = rows_of(200, 10, 3, spread=3e-3)
    exact = np.longdouble
    wide = [oracles.unit(rows.astype(exact)) for rows in (y, z)]
    upper = np.triu_indices(200, 1)
    a, b = ((rows @ rows.T)[upper] for rows in wide)
    a, b = a - a.mean(), b - b.mean()
    expected = float(a @ b / np.sqrt((a @ a) * (b @ b)))
    assert 1e-6 < float(a.std()) < 1e-4
    assert psi(y, z) == pytest.approx(expected, abs=1e-8)
    # Negative control: float32 cosines, lose digits that are here.
    narrow = [(rows.astype(np.float32) @ rows.astype(np.float32).T)[upper] for rows in (y, z)]
    assert abs(np.corrcoef(*narrow)[0, 1] - expected) > 1e-7
