import math

import numpy as np
import pytest
import result_cases
import torch

import realign_core as rc
from realign_core.diagnostics.drift import STAGES, predicted_drift
from realign_core.diagnostics.drift_path import SHOWN_ROWS, drift_path
from realign_core.figures.drift import CLIP_BELOW_FLOOR, predicted_radial
from realign_core.glossary import shown

figures = rc.figures
ON_SPHERE = {"original", "projected", "final"}


@pytest.fixture(scope="module")
def path(result):
    return result.drift_path


def test_rows_lie_on_the_sphere_exactly_where_they_were_projected(path):
    for stage in STAGES:
        lengths = np.linalg.norm(path.source[stage], axis=1)
        on = np.allclose(lengths, 1, atol=1e-6)
        assert on == (stage in ON_SPHERE), stage
    np.testing.assert_allclose(np.linalg.norm(path.target, axis=1), 1, atol=1e-6)


def test_the_axes_are_orthonormal_and_start_with_the_anchor(path, diagnosis):
    mean = diagnosis.statistics.target.mean
    np.testing.assert_allclose((path.axes.mT @ path.axes).numpy(), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(path.axes[:, 0].numpy(), (mean / mean.norm()).numpy())


def test_the_anchor_coordinate_is_exact_and_the_second_holds_the_drift(path, diagnosis):
    along = diagnosis.statistics.target.mean.norm()
    for stage in ("anchor", "trace", "centroid"):
        np.testing.assert_allclose(path.centroids[stage], [along, 0, 0], atol=1e-6)
    drift = diagnosis.drift.anchor_trace
    assert path.centroids["projected"][0] == pytest.approx(1 + drift.radial, abs=1e-6)
    assert path.centroids["projected"][1] == pytest.approx(drift.tangential, abs=1e-6)


def test_the_sample_is_small_and_seeded(diagnosis):
    rows = torch.nn.functional.normalize(torch.randn(1000, 12, dtype=torch.float64), dim=1)
    first, again = (drift_path(rows, rows, diagnosis) for _ in range(2))
    assert len(first.target) == len(first.source["final"]) == SHOWN_ROWS
    np.testing.assert_array_equal(first.target, again.target)


def test_two_dimensions_leave_the_third_axis_flat():
    path = result_cases.case("plane").drift_path
    assert not path.axes[:, 2].any()
    assert not path.target[:, 2].any()


def test_there_is_no_path_without_a_sphere_or_a_scale():
    assert result_cases.case("raw").drift_path is None
    assert result_cases.case("constant").drift_path is None


def test_the_sphere_steps_through_all_stages_in_the_browser(path):
    figure = figures.drift_sphere(path)
    assert [frame.name for frame in figure.frames] == list(STAGES)
    assert [tuple(step.args[0]) for step in figure.layout.sliders[0].steps] == [(stage,) for stage in STAGES]
    for frame, stage in zip(figure.frames, STAGES):
        np.testing.assert_array_equal(frame.data[0].z, path.source[stage][:, 0])
        moved = [figure.data[index].name for index in frame.traces]
        assert moved == ["source rows", "source mean"]
        assert frame.data[0].x.dtype == np.float32


def test_a_large_set_sends_little():
    rows = torch.nn.functional.normalize(torch.randn(5000, 12, dtype=torch.float64), dim=1)
    path = drift_path(rows, rows, result_cases.case("every").diagnosis)
    assert len(figures.drift_sphere(path).to_json()) < 120_000


def test_bars_are_measured_and_predicted_parts(diagnosis):
    figure = figures.drift_parts(diagnosis)
    stages = (diagnosis.drift.anchor, diagnosis.drift.anchor_trace)
    radial, radial_predicted, tangential, tangential_predicted = (list(trace.x) for trace in figure.data)
    assert radial == [stage.radial for stage in stages]
    assert tangential == [stage.tangential for stage in stages]
    assert tangential_predicted == [stage.predicted_tangential for stage in stages]
    for stage, value in zip(stages, radial_predicted):
        assert math.hypot(value, stage.predicted_tangential) == pytest.approx(stage.predicted)


def test_the_predicted_radial_part_has_its_sign(diagnosis):
    statistics = diagnosis.statistics
    mean = statistics.target.mean
    predicted = predicted_drift(mean, statistics.source.covariance)
    assert predicted_radial(diagnosis.drift.anchor) == pytest.approx(float(predicted @ mean / mean.norm()))


def test_gaps_below_rounding_stand_at_the_clip_and_say_so(diagnosis):
    figure = figures.gap_by_stage(diagnosis)
    gap = next(trace for trace in figure.data if trace.name.startswith("centroid gap"))
    clip = CLIP_BELOW_FLOOR * diagnosis.gap.sampling_floor
    stages = diagnosis.drift.stages
    assert list(gap.y) == [max(stages[name], clip) for name in STAGES]
    zero = [STAGES[i] for i, text in enumerate(gap.customdata) if "rounding" in text]
    assert zero == ["anchor", "trace", "centroid"]
    assert [STAGES[i] for i, text in enumerate(gap.text) if text == "0"] == zero
    assert "0 (rounding)" in [trace.name for trace in figure.data]
    labelled = {STAGES[note.x]: note for note in figure.layout.annotations}
    assert set(labelled) == set(STAGES) - set(zero)
    for name, note in labelled.items():
        assert note.text == shown(stages[name])
        struck = 0.15 < math.log10(diagnosis.gap.sampling_floor / stages[name]) < 1.3
        assert (note.bgcolor is not None) == struck, name
    floor = next(trace for trace in figure.data if trace.name.startswith("sampling floor"))
    assert set(floor.y) == {diagnosis.gap.sampling_floor}
    assert figure.layout.yaxis.type == "log"
