"""Decomposition, shape, shared geometry and residual against theorems and known answers."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from paired_rows import collect, framed, pairs
from scipy.stats import chi2
from tolerances import EXACT, SOLVED

from realign_core.diagnostics.coupling import measure_coupling
from realign_core.diagnostics.decomposition import measure_gap, sampling_floor, split_gap
from realign_core.diagnostics.drift import measure_drift
from realign_core.diagnostics.residual import measure_residual
from realign_core.diagnostics.shape import (
    effective_rank,
    measure_shape,
    null_band,
    participation_ratio,
    power_law,
)
from realign_core.diagnostics.shared import measure_shared, spectral_correlation, subspace_overlap
from realign_core.frame import FixedFrame
from realign_core.validation import UnusableInput


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(2, 8), st.floats(0.3, 1), st.integers(0, 99), st.booleans())
def test_the_four_parts_add_up(n, dim, energy, seed, normalize):
    x, y = pairs(n, dim, seed)
    statistics = collect(x, y, normalize=normalize)
    frame = framed(statistics, energy)
    found = split_gap(statistics, frame)
    if normalize:
        x, y = oracles.unit(x), oracles.unit(y)
    rows = torch.from_numpy(x - y)
    mean = rows.mean(0)
    beta, gamma = frame.project(mean)
    delta, zeta = frame.project(rows - mean)
    assert torch.allclose(beta + gamma + delta + zeta, rows, atol=EXACT)
    assert float(delta.mean(0).abs().max()) < EXACT
    assert float(zeta.mean(0).abs().max()) < EXACT
    expected = [
        float(v) for v in (beta.norm(), gamma.norm(), delta.square().sum() / n, zeta.square().sum() / n)
    ]
    parts = [found.pmb_norm, found.cob_norm, found.u_residual_energy, found.v_residual_energy]
    assert parts == pytest.approx(expected, abs=1e-10)
    total = parts[0] ** 2 + parts[1] ** 2 + parts[2] + parts[3]
    assert found.total_energy == pytest.approx(total, rel=1e-10)
    assert found.total_energy == pytest.approx(float(rows.square().sum()) / n, rel=1e-10)
    assert found.energy_coverage == pytest.approx(parts[2] / (parts[2] + parts[3]))
    assert statistics.mean_distance == pytest.approx(float(rows.norm(dim=1).mean()))
    assert statistics.centred_distance == pytest.approx(float((rows - mean).norm(dim=1).mean()))


def test_pairs_matter_to_the_residual_and_not_to_the_bias():
    x, y = pairs()
    kept, shuffled = collect(x, y), collect(x, y[::-1].copy())
    frame = framed(kept)
    a, b = split_gap(kept, frame), split_gap(shuffled, frame)
    assert a.pmb_norm == pytest.approx(b.pmb_norm)
    assert a.cob_norm == pytest.approx(b.cob_norm)
    assert a.u_residual_energy < 0.7 * b.u_residual_energy


def test_the_floor_is_the_size_of_pure_noise():
    generator = np.random.default_rng(0)
    spread = np.array([1.0, 0.5, 0.1, 0.05])
    n, trials = 50, 4000
    means = generator.standard_normal((trials, n, 4)).mean(1) * spread
    lengths = np.linalg.norm(means, axis=1)
    floor, floor_95 = sampling_floor(torch.diag(torch.from_numpy(spread**2)) / n)
    assert math.sqrt((lengths**2).mean()) == pytest.approx(floor, rel=0.02)
    assert (lengths > floor_95).mean() == pytest.approx(0.05, abs=0.015)
    nu = (spread**2).sum() ** 2 / (spread**4).sum()
    assert floor_95 == pytest.approx(floor * math.sqrt(chi2.ppf(0.95, nu) / nu))
    assert sampling_floor(torch.zeros(4, 4)) == (0, 0)


@pytest.mark.parametrize("scale", [1e-120, 1, 1e120])
def test_the_gap_of_pairs_and_of_unpaired_sets(scale):
    x, y = (rows * scale for rows in pairs())
    for paired in (True, False):
        gap = measure_gap(collect(x, y, paired, normalize=False))
        noise = np.trace(oracles.covariance((x - y) / scale)) / len(x)
        if not paired:
            noise = sum(np.trace(oracles.covariance(r / scale)) / len(r) for r in (x, y))
        assert gap.centroid_distance / scale == pytest.approx(np.linalg.norm((x - y).mean(0) / scale))
        assert gap.sampling_floor / scale == pytest.approx(math.sqrt(noise))
        assert gap.sampling_floor_95 > gap.sampling_floor
        assert gap.mean_norm_target / scale == pytest.approx(np.linalg.norm((x / scale).mean(0)))


def constructed(gamma, n_copies=3):
    """Pairs in six dimensions: U three wide, V three; residual in V along the axes with variances 4, 2, 1."""
    signs = np.array([[a, b] for a in (1, -1) for b in range(6)], dtype=float)
    sizes = np.sqrt(6 * np.array([90.0, 60, 30, 4, 2, 1]))
    residual = np.array([a * sizes[int(b)] * np.eye(6)[int(b)] for a, b in signs])
    base = np.tile(residual, (n_copies, 1))
    x = base * 1.0
    return x + np.concatenate([np.zeros(3), gamma]), np.zeros_like(x) + 1e-6 * base


@pytest.mark.parametrize("degrees", [0, 20, 60, 90])
def test_the_angle_of_a_bias_of_known_bearing(degrees):
    bearing = math.radians(degrees)
    x, y = constructed(30 * np.array([math.cos(bearing), math.sin(bearing), 0]))
    statistics = collect(x, y, normalize=False)
    frame = framed(statistics, 0.95)
    assert frame.rank == 3
    shape = measure_shape(statistics, frame)
    assert shape.bias_noise_angle == pytest.approx(degrees, abs=1e-5)
    assert shape.bias_noise_angles == pytest.approx([degrees, 90 - degrees, 90], abs=1e-5)
    assert shape.bias_noise_shares == pytest.approx(
        [math.cos(bearing) ** 2, math.sin(bearing) ** 2, 0], abs=EXACT
    )
    assert (shape.kappa_v, shape.rank_v) == (pytest.approx(4), 3)
    assert shape.kappa_u == pytest.approx(3)
    assert np.allclose(np.array(shape.eigenvalues_v) / shape.eigenvalues_v[2], [4, 2, 1])


def test_a_bias_no_longer_than_its_own_noise_has_no_angle():
    x, y = constructed(np.zeros(3))
    statistics = collect(x, y, normalize=False)
    shape = measure_shape(statistics, framed(statistics, 0.95))
    assert (shape.bias_noise_angle, shape.bias_noise_null) == (None, None)
    assert shape.kappa_v == pytest.approx(4)
    just_over = math.sqrt(7.01 / statistics.difference.n)
    x, y = constructed(np.array([just_over, 0, 0]))
    statistics = collect(x, y, normalize=False)
    assert measure_shape(statistics, framed(statistics, 0.95)).bias_noise_angle == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("dim", [2, 5, 100])
def test_the_null_band_holds_the_middle_of_random_directions(dim):
    rows = np.random.default_rng(dim).standard_normal((40_000, dim))
    angles = np.degrees(np.arccos(np.abs(rows[:, 0]) / np.linalg.norm(rows, axis=1)))
    band = null_band(dim)
    assert np.percentile(angles, [2.5, 97.5]) == pytest.approx([band.low, band.high], abs=1)


def test_the_kappas_look_at_the_numerical_rank_and_the_energy():
    values = np.array([100.0, 50, 25, 0.01, 1e-14])
    rows = np.concatenate([np.diag(np.sqrt(values)), -np.diag(np.sqrt(values))])
    statistics = collect(rows, np.full_like(rows, 1e-3) + 1e-9 * rows, normalize=False)
    frame = FixedFrame.from_moments(statistics.target, statistics.target, energy=1)
    shape = measure_shape(statistics, frame)
    assert shape.rank_u == 4
    assert shape.kappa_u == pytest.approx(1e4, rel=SOLVED * 100)
    assert shape.kappa_eff_u == pytest.approx(4)
    assert shape.kappa_v is None


@given(st.integers(1, 40), st.integers(0, 20))
def test_flat_spectra_have_full_effective_dimension(rank, zeros):
    values = torch.cat([torch.full((rank,), 0.3), torch.zeros(zeros)]).double()
    assert effective_rank(values) == pytest.approx(rank)
    assert participation_ratio(values) == pytest.approx(rank)


def test_effective_dimensions_of_known_spectra():
    values = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    assert effective_rank(values) == pytest.approx(2**1.5)
    assert participation_ratio(values) == pytest.approx(1 / 0.375)
    assert effective_rank(torch.zeros(3)) is None
    assert participation_ratio(torch.zeros(3)) is None


@given(st.floats(0.1, 3), st.integers(8, 200), st.floats(1e-9, 1e9))
def test_the_exponent_of_an_exact_power_law(alpha, dim, scale):
    values = torch.from_numpy(scale * np.arange(1, dim + 1) ** -alpha)
    share = values.cumsum(0) / values.sum()
    if int((share < 0.99).sum()) < 2:
        return
    found, fit = power_law(values)
    assert found == pytest.approx(alpha, rel=1e-9)
    assert fit == pytest.approx(1)


def test_what_is_not_a_power_law_fits_less_well():
    _, fit = power_law(torch.exp(-torch.arange(30).double() / 4))
    assert 0.5 < fit < 0.99
    assert power_law(torch.ones(50).double()) == (pytest.approx(0, abs=EXACT), None)
    assert power_law(torch.tensor([1.0, 0.5])) == (None, None)
    assert power_law(torch.zeros(5)) == (None, None)


@pytest.mark.parametrize("paired", [True, False])
def test_shared_geometry_of_a_set_with_itself_and_with_a_rotation(paired):
    x, _ = pairs(dim=6)
    x = oracles.unit(x)
    same = measure_shared(collect(x, x, paired))
    assert same.spectral_correlation == pytest.approx(1)
    assert same.subspace_overlap["4"] == pytest.approx(1)
    assert same.subspace_overlap["16"] is None
    assert same.subspace_overlap_baseline == {
        "1": pytest.approx(1 / 6), "4": pytest.approx(4 / 6),
        "16": None, "64": None, "128": None, "256": None, "512": None,
    }  # fmt: skip
    assert same.covariance_discrepancy == pytest.approx(0, abs=EXACT)
    turned = measure_shared(collect(x, np.roll(x, 1, axis=1), paired))
    assert turned.spectral_correlation == pytest.approx(1)
    assert turned.subspace_overlap["1"] < 0.9
    assert turned.covariance_discrepancy > 0.1
    assert turned.effective_rank_source == pytest.approx(same.effective_rank_target)
    a, b = oracles.covariance(x), oracles.covariance(np.roll(x, 1, axis=1))
    assert turned.covariance_discrepancy == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(a))


def test_the_overlap_of_random_subspaces_is_its_baseline():
    generator = np.random.default_rng(0)
    found = [
        subspace_overlap(*torch.linalg.qr(torch.from_numpy(generator.standard_normal((2, 40, 10))))[0], 10)
        for _ in range(100)
    ]
    assert np.mean(found) == pytest.approx(10 / 40, abs=0.01)


def test_the_spectral_correlation_is_over_shared_ranks_in_logs():
    a = torch.tensor([1.0, 0.1, 0.01, 0.001, 0.0]).double()
    b = torch.tensor([8.0, 4.0, 1.0, 0.5, 0.1]).double()
    expected = np.corrcoef(a[:4].log().numpy(), b[:4].log().numpy())[0, 1]
    assert spectral_correlation(a, b) == pytest.approx(expected)
    assert spectral_correlation(a, torch.tensor([1.0, 0.5, 0, 0, 0]).double()) is None
    assert spectral_correlation(a, torch.ones(5).double()) is None


def test_residual_figures_against_their_formulas():
    x, y = (oracles.unit(rows) for rows in pairs())
    found = measure_residual(collect(x, y))
    difference = x - y
    centred = difference - difference.mean(0)
    values = np.linalg.eigvalsh(oracles.covariance(difference))[::-1]
    trace, bias = values.sum(), (difference.mean(0) ** 2).sum()
    assert found.anisotropy == pytest.approx(values[0] * 7 / trace)
    assert found.effective_dimension_ratio == pytest.approx(trace**2 / (values**2).sum() / 7)
    assert found.ratio_energy == pytest.approx(trace / (bias + trace))
    distances = [np.linalg.norm(rows, axis=1).mean() for rows in (centred, difference)]
    assert found.ratio_distance == pytest.approx(distances[0] / distances[1])
    assert found.eigenvalues == pytest.approx(values.tolist())


def test_unpaired_sets_have_biases_and_nothing_paired():
    x, y = pairs()
    statistics = collect(x, y[:90], paired=False)
    frame = framed(statistics)
    found = split_gap(statistics, frame)
    assert (found.total_energy, found.u_residual_energy, found.energy_coverage) == (None, None, None)
    gap = oracles.unit(x).mean(0) - oracles.unit(y[:90]).mean(0)
    assert math.hypot(found.pmb_norm, found.cob_norm) == pytest.approx(np.linalg.norm(gap))
    assert set(vars(measure_shape(statistics, frame)).values()) == {None}
    assert set(vars(measure_residual(statistics)).values()) == {None}
    assert measure_coupling(statistics, frame) is None
    assert measure_drift(statistics).centroid_shift is not None


def test_blocks_of_any_size_serve():
    x, y = pairs()
    whole = collect(x, y)
    listed = collect([x[:50], x[50:]], [y[:50], y[50:]])
    assert np.allclose(listed.difference.covariance, whole.difference.covariance)
    assert np.allclose(listed.halves[0].mean, whole.halves[0].mean)
    with pytest.raises(UnusableInput, match="differ"):
        collect([x[:50], x[50:]], [y[:40], y[40:]])


@pytest.mark.parametrize("paired", [True, False])
def test_one_row_is_refused(paired):
    x, y = pairs(1)
    with pytest.raises(UnusableInput, match="at least 2"):
        collect(x, y, paired)
