"""What has no value (methods, section 8), and that nothing else loses its value with it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from realign_core.diagnostics import Diagnosis, PairStatistics
from realign_core.validation import UnusableInput

GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((60, 5)) * np.array([5, 3, 2, 0.3, 0.1]) + 2
Y = X + 0.3 * GENERATOR.standard_normal((60, 5)) + 0.5
CONSTANT = np.full((60, 5), 0.3) * np.linspace(1, 2, 60)[:, None]


def diagnosis(x, y, paired=True, energy=0.95, normalize=True):
    statistics = PairStatistics.collect(x, y, paired=paired, normalize=normalize)
    return Diagnosis.of(statistics, energy=energy)


def numbers(value):
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        return [n for part in value.values() for n in numbers(part)]
    if isinstance(value, (list, tuple)):
        return [n for part in value for n in numbers(part)]
    return [value] if isinstance(value, float) else []


def finite(found):
    sections = ("gap", "decomposition", "shape", "residual", "shared", "isotropic", "drift", "coupling")
    return all(math.isfinite(n) for section in sections for n in numbers(getattr(found, section)))


def test_an_ordinary_pair_has_every_value():
    found = diagnosis(X, Y)
    assert None not in vars(found.decomposition).values()
    assert None not in vars(found.residual).values()
    assert found.shape.bias_noise_angle is not None
    assert found.coupling is not None
    assert found.drift.anchor_trace.direction_cosine is not None
    assert finite(found)


def test_an_empty_v():
    found = diagnosis(X, Y, energy=1)
    assert (found.decomposition.cob_norm, found.decomposition.v_residual_energy) == (0, 0)
    assert (found.shape.kappa_v, found.shape.bias_noise_angle, found.shape.bias_noise_null) == (None,) * 3
    assert found.coupling is None
    assert any("V is empty" in warning for warning in found.warnings)
    assert found.shape.kappa_u is not None
    back = found.at_energy(0.95)
    assert back.shape == diagnosis(X, Y).shape
    assert back.coupling == diagnosis(X, Y).coupling


def test_a_v_of_one_dimension_has_no_angles():
    statistics = PairStatistics.collect(X, Y, paired=True)
    values = Diagnosis.of(statistics).frame.eigenvalues
    found = Diagnosis.of(statistics, energy=float(values[:4].sum() / values.sum()) - 1e-9)
    assert found.frame.rank == 4
    assert (found.shape.bias_noise_angle, found.shape.bias_noise_null) == (None, None)
    assert found.shape.kappa_v == pytest.approx(1)
    assert found.coupling is not None


@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
@pytest.mark.parametrize("normalize", [True, False])
def test_identical_sets(scale, normalize):
    rows = X * scale
    found = diagnosis(rows, rows, normalize=normalize)
    assert found.gap.centroid_distance == 0
    assert found.gap.sampling_floor == 0
    residual, shape = found.residual, found.shape
    assert (residual.anisotropy, residual.ratio_energy, residual.ratio_distance) == (None, None, None)
    assert (shape.kappa_u, shape.kappa_v, shape.bias_noise_angle) == (None, None, None)
    assert found.decomposition.energy_coverage is None
    assert found.shared.covariance_discrepancy == 0
    assert finite(found)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
def test_small_units_are_not_taken_for_no_variance(scale):
    found, plain = (diagnosis(X * s, Y * s, normalize=False) for s in (scale, 1))
    assert found.residual.anisotropy == pytest.approx(plain.residual.anisotropy)
    assert found.shape.kappa_u == pytest.approx(plain.shape.kappa_u)
    assert found.shape.bias_noise_angle == pytest.approx(plain.shape.bias_noise_angle)
    assert found.coupling.explained_variance == pytest.approx(plain.coupling.explained_variance)
    assert found.shared.covariance_discrepancy == pytest.approx(plain.shared.covariance_discrepancy)
    assert found.decomposition.energy_coverage == pytest.approx(plain.decomposition.energy_coverage)


@pytest.mark.parametrize("paired", [True, False])
def test_a_constant_source(paired):
    found = diagnosis(X, CONSTANT, paired)
    assert found.drift.anchor is not None
    assert (found.drift.anchor_trace, found.drift.centroid_shift) == (None, None)
    assert (found.shared.kappa_source, found.shared.effective_rank_source) == (None, None)
    assert (found.shared.alpha_source, found.shared.spectral_correlation) == (None, None)
    assert found.shared.subspace_overlap["1"] is None
    assert found.shared.kappa_target is not None
    assert any("trace step" in warning for warning in found.warnings)
    assert finite(found)


@pytest.mark.parametrize("paired", [True, False])
def test_a_constant_target(paired):
    found = diagnosis(CONSTANT, Y, paired)
    assert found.shared.covariance_discrepancy is None
    assert found.shared.kappa_target is None
    assert found.drift.stages["final"] == pytest.approx(0, abs=1e-12)
    assert finite(found)


def test_two_constant_sets_are_refused():
    with pytest.raises(UnusableInput, match="constant"):
        diagnosis(CONSTANT, CONSTANT[:, ::-1].copy())


def test_a_target_without_a_mean_has_no_drift():
    rows = np.concatenate([X, -X])
    found = diagnosis(rows, np.concatenate([Y, Y]))
    assert (found.drift.anchor, found.drift.anchor_trace, found.drift.centroid_shift) == (None, None, None)
    assert finite(found)


def test_rows_off_the_sphere_have_no_drift():
    found = diagnosis(X, Y, normalize=False)
    assert found.drift.anchor is None
    assert any("phantom drift" in warning for warning in found.warnings)
    assert finite(found)


def test_a_row_that_a_step_moves_onto_the_origin_leaves_no_drift():
    x = np.array([[1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    y = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    found = diagnosis(x, y, energy=1)
    assert found.drift.anchor is None
    assert found.drift.anchor_trace is None
    assert finite(found)


@pytest.mark.parametrize(("n", "dim"), [(2, 3), (3, 1), (4, 2), (3, 40), (12, 1)])
@pytest.mark.parametrize("paired", [True, False])
def test_the_smallest_sets_have_finite_values(n, dim, paired):
    generator = np.random.default_rng(n)
    for _ in range(5):
        x, y = generator.standard_normal((2, n, dim))
        if dim == 1 and len(np.unique(np.sign(x))) == len(np.unique(np.sign(y))) == 1:
            continue
        found = diagnosis(x, y, paired)
        assert finite(found)
        assert found.frame.rank <= 2 * (n - 1)


def test_ranks_below_the_dimension_are_said():
    found = diagnosis(X[:4], X[3::-1] + 0.1, energy=1)
    assert any("numerical rank" in warning for warning in found.warnings)
    assert not any("numerical rank" in warning for warning in diagnosis(X, Y).warnings)
