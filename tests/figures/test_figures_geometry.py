import math

import numpy as np
import pytest
import result_cases

import realign_core as rc
from realign_core.figures.spectra import log_axis
from realign_core.linalg import eigenvalues_descending

figures = rc.figures


def named(figure, start):
    return next(trace for trace in figure.data if (trace.name or "").startswith(start))


def test_the_energy_bar_stacks_the_four_parts_to_the_whole(diagnosis):
    figure = figures.energy_split(diagnosis)
    found = diagnosis.decomposition
    widths = [trace.x[0] for trace in figure.data]
    assert widths == [
        found.pmb_norm**2,
        found.cob_norm**2,
        found.u_residual_energy,
        found.v_residual_energy,
    ]
    assert sum(widths) == pytest.approx(found.total_energy, rel=1e-12)
    assert figure.layout.barmode == "stack"
    assert figure.layout.xaxis.range[1] == pytest.approx(found.total_energy)


def test_without_pairs_the_energy_bar_holds_the_bias_alone():
    unpaired = result_cases.case("unpaired").diagnosis
    widths = [trace.x[0] for trace in figures.energy_split(unpaired).data]
    assert sum(widths) == pytest.approx(unpaired.gap.centroid_distance**2, rel=1e-12)


def test_residual_spectra_are_eigenvalues_over_their_mean():
    diagnosis = result_cases.case("short").diagnosis
    figure = figures.residual_spectra(diagnosis)
    for start, values in (("U:", diagnosis.shape.eigenvalues_u), ("V:", diagnosis.shape.eigenvalues_v)):
        trace = named(figure, start)
        expected = np.array(values) / np.mean(values)
        np.testing.assert_allclose(trace.y, expected[: len(trace.y)])
        assert list(trace.x) == list(range(1, len(trace.y) + 1))
        assert len(trace.y) == (diagnosis.shape.rank_u if start == "U:" else diagnosis.shape.rank_v)
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


def test_the_isotropic_curve_has_mean_one_and_the_marchenko_pastur_edge(diagnosis):
    trace = named(figures.residual_spectra(diagnosis), "isotropic")
    n, d = diagnosis.statistics.difference.n, len(trace.y)
    assert np.mean(trace.y) == pytest.approx(1)
    assert trace.y[0] == pytest.approx((1 + math.sqrt(d / n)) ** 2, rel=0.15)


def test_cumulative_energy_ends_at_one_and_starts_with_the_largest_share(diagnosis):
    trace = named(figures.residual_energy(diagnosis), "residual")
    values = diagnosis.residual.eigenvalues
    assert (trace.x[0], trace.y[0]) == (0, 0)
    assert (trace.x[-1], trace.y[-1]) == (1, pytest.approx(1))
    assert trace.y[1] == pytest.approx(values[0] / sum(values))


def test_modality_spectra_are_those_of_the_covariances(diagnosis):
    figure = figures.modality_spectra(diagnosis)
    for name, moments in (("target", diagnosis.statistics.target), ("source", diagnosis.statistics.source)):
        trace = named(figure, name)
        np.testing.assert_allclose(
            trace.y, eigenvalues_descending(moments.covariance).numpy()[: len(trace.y)]
        )
    alpha = diagnosis.shared.alpha_target
    line = named(figure, "power law of the target")
    slope = np.polyfit(np.log(line.x), np.log(line.y), 1)[0]
    assert -slope == pytest.approx(alpha)


def test_angles_stand_over_their_band():
    shape = result_cases.case("short").diagnosis.shape
    figure = figures.bias_noise_angles(result_cases.case("short").diagnosis)
    band, dots = figure.data
    assert list(dots.y) == shape.bias_noise_angles
    assert set(band.y) == {shape.bias_noise_null.low, shape.bias_noise_null.high}
    assert figure.layout.yaxis.range[0] < min(dots.y)


def test_condition_numbers_stand_beside_isotropic_ones():
    diagnosis = result_cases.case("short").diagnosis
    figure = figures.condition_numbers(diagnosis)
    keys = ("kappa_u", "kappa_v", "kappa_eff_u", "kappa_eff_v")
    assert list(named(figure, "measured").x) == [getattr(diagnosis.shape, key) for key in keys]
    assert list(named(figure, "isotropic").x) == [getattr(diagnosis.isotropic, key) for key in keys]


def test_overlap_stands_over_q_over_d(diagnosis):
    figure = figures.subspace_overlap(diagnosis)
    measured, chance = figure.data
    shared = diagnosis.shared
    known = {q: value for q, value in shared.subspace_overlap.items() if value is not None}
    assert list(measured.x) == [int(q) for q in known]
    assert list(measured.y) == list(known.values())
    assert list(chance.y) == [int(q) / diagnosis.statistics.dim for q in known]


@pytest.mark.parametrize(
    ("low", "high", "fixed"), [(1.05, 1.7, False), (0.01, 0.02, False), (0.001, 1, True)]
)
def test_a_short_log_axis_has_ticks_between_the_powers_of_ten(low, high, fixed):
    axis = log_axis("x", [low, None, 0.0, high])
    assert axis.get("dtick") == (1 if fixed else None)
    assert ("nticks" in axis) is not fixed


@pytest.mark.parametrize(("smallest", "holds"), [(1.0, 64), (1e-3, 96)])
def test_the_margin_of_the_residual_spectra_holds_the_longest_labels(smallest, holds):
    rows = np.random.default_rng(0).standard_normal((600, 40))
    noise = np.random.default_rng(1).standard_normal(rows.shape) * np.geomspace(1, smallest, 40)
    pair = rc.EmbeddingPair.from_arrays(rows, rows + noise, normalize=False)
    figure = figures.residual_spectra(rc.diagnose(pair, energy=0.9))
    assert figure.layout.template.layout.margin.l == holds
    assert not figure.layout.template.layout.yaxis.automargin
