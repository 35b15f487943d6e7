"""References for isotropic data against simulated Gaussian covariances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from realign_core.diagnostics.isotropic import isotropic_reference, wishart_spectrum
from realign_core.diagnostics.shape import participation_ratio


@pytest.mark.parametrize(("n", "dim"), [(6, 10), (11, 10), (10, 10), (60, 10), (2, 5), (9, 1)])
def test_drawn_spectra_are_distributed_as_those_of_gaussian_covariances(n, dim):
    draws = 1500
    generator = np.random.default_rng(0)
    drawn = np.array([wishart_spectrum(n, dim, generator).numpy() for _ in range(draws)])
    rows = generator.standard_normal((draws, n, dim))
    rows -= rows.mean(1, keepdims=True)
    simulated = np.linalg.eigvalsh(rows.transpose(0, 2, 1) @ rows / n)[:, ::-1]
    smallest = min(dim, n - 1) - 1
    assert np.abs(drawn[:, smallest + 1 :]).max(initial=0) == 0
    for name, figure in (
        ("trace", lambda v: v.sum(1)),
        ("largest", lambda v: v[:, 0]),
        ("smallest", lambda v: v[:, smallest]),
    ):
        assert ks_2samp(figure(drawn), figure(simulated)).pvalue > 1e-3, name
    # Negative control: one row more is told apart where it changes the trace enough.
    if n <= 11 and dim > 1:
        more = np.array([wishart_spectrum(n + 3, dim, generator).numpy().sum() for _ in range(draws)])
        assert ks_2samp(more * (n + 3) / n, simulated.sum(1)).pvalue < 1e-3


def test_the_references_are_what_isotropic_rows_read():
    n, dim = 500, 200
    found = isotropic_reference(n, dim, 150, paired=True)
    spectra = [wishart_spectrum(n, dim, np.random.default_rng(seed)) for seed in range(10)]
    measured = np.mean([participation_ratio(v) / dim for v in spectra])
    assert found.effective_dimension_ratio == pytest.approx(measured, rel=0.02)
    measured = np.mean([float(v[0]) * dim / float(v.sum()) for v in spectra])
    assert found.anisotropy == pytest.approx(measured, rel=0.05)
    edge = [(1 + s * np.sqrt(150 / n)) ** 2 for s in (1, -1)]
    assert found.kappa_u == pytest.approx(edge[0] / edge[1], rel=0.2)
    assert found.kappa_v < found.kappa_eff_u < found.kappa_u
    assert found.alpha > 0


def test_references_are_seeded_and_null_where_there_is_nothing():
    assert isotropic_reference(40, 6, 4, paired=True) == isotropic_reference(40, 6, 4, paired=True)
    assert isotropic_reference(40, 6, 4, paired=True) != isotropic_reference(40, 6, 4, paired=True, seed=1)
    whole = isotropic_reference(40, 6, 6, paired=True)
    assert (whole.kappa_v, whole.kappa_eff_v) == (None, None)
    unpaired = isotropic_reference(40, 6, 4, paired=False)
    assert (unpaired.kappa_u, unpaired.anisotropy, unpaired.effective_dimension_ratio) == (None, None, None)
    assert unpaired.alpha == isotropic_reference(40, 6, 4, paired=True).alpha
    assert isotropic_reference(2, 2, 1, paired=True).alpha is None
