"""Figures of a training run hold what the tracker's table holds."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import realign_core as rc
from realign_core.figures import training, training_geometry
from realign_core.figures.described import NO_VALUE
from realign_core.figures.training_axes import StepAxis
from realign_core.figures.training_list import path_figure, training_figures
from realign_core.figures.training_scrubber import MOST_FRAMES, scrubber
from realign_core.training.path import SHOWN_PAIRS, Plane
from realign_core.training.snapshots import Snapshot

sys.path.append(str(Path(__file__).resolve().parents[1] / "training"))
from trajectories import World

WORLD = World.of(dim=12, n=200)
STEPS = (0, 50, 100, 150, 200)
DRAWN = (
    training.learning,
    training.gap_size,
    training.gap_parts,
    training_geometry.leakage,
    training_geometry.bias_motion,
    training_geometry.residual_shape,
    training_geometry.locking,
    training_geometry.bias_noise,
)


def table_of(*, grads=True, scalars=True) -> pd.DataFrame:
    tracker = rc.GapTracker(reference_step=100, normalize=False)
    for step in STEPS:
        gamma = WORLD.bias(0.5 - step / 1000, 0.2)
        x, y = WORLD.rows(gamma, noise_v=np.linspace(0.02, 0.01, 8), seed=step)
        given = x - y if grads else None
        own = {"loss": 5.0 - step / 100, "recall_at_1": step / 400} if scalars else {}
        tracker.update(step, x, y, given, given, **own)
    return tracker.to_frame()


@pytest.fixture(scope="module")
def table():
    return table_of()


def trace(figure, name):
    return next(one for one in figure.data if one.name.startswith(name))


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def snapshots(n=200, dim=12, steps=STEPS, apart=1.0):
    generator = np.random.default_rng(0)
    meaning = generator.standard_normal((n, dim))
    for step in steps:
        shift = apart * (1 - step / 400) * np.eye(dim)[0] + apart * step / 400 * np.eye(dim)[1]
        yield Snapshot(step, unit(meaning + shift), unit(meaning - shift))


def test_the_parts_are_stacked_and_add_up_to_the_energy(table):
    figure = training.gap_parts(table)
    areas = [one for one in figure.data if one.stackgroup]
    assert len(areas) == 4
    np.testing.assert_allclose(np.sum([one.y for one in areas], axis=0), table["total_energy"])
    np.testing.assert_allclose(trace(figure, "together").y, table["total_energy"])


def test_lines_are_the_columns_of_the_table(table):
    for draw, name, column in (
        (training.learning, "loss", "loss"),
        (training.learning, "recall@1, image", "recall_at_1"),
        (training.gap_size, "gap", "gap"),
        (training.gap_size, "sampling floor", "sampling_floor"),
        (training_geometry.leakage, "leakage", "leakage"),
        (training_geometry.leakage, "sin", "sin_theta"),
        (training_geometry.leakage, "bound", "leakage_bound"),
        (training_geometry.bias_motion, "drift", "cob_drift"),
        (training_geometry.bias_motion, "cosine", "cob_stability"),
        (training_geometry.residual_shape, "in V", "kappa_eff_v"),
        (training_geometry.residual_shape, "isotropic, V", "kappa_eff_v_isotropic"),
        (training_geometry.locking, "diagonals", "locking_diagonal"),
        (training_geometry.bias_noise, "angle", "bias_noise_angle"),
    ):
        np.testing.assert_allclose(trace(draw(table), name).y, table[column], err_msg=column)


def test_chance_is_one_in_the_probe(table):
    assert set(trace(training.learning(table), "chance").y) == {1 / 200}


def test_the_band_of_the_angle_is_that_of_the_table(table):
    band = trace(training_geometry.bias_noise(table), "random").y
    assert list(band[: len(STEPS)]) == list(table["bias_noise_null_high"])
    assert list(band[len(STEPS) :]) == list(table["bias_noise_null_low"][::-1])


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
def test_each_panel_marks_the_reference_step(table, draw, log):
    figure = draw(table, log=log)
    panels = sum(1 for name in figure.to_plotly_json()["layout"] if name.startswith("xaxis"))
    marks = [shape for shape in figure.layout.shapes if shape.name == "reference step"]
    assert [mark.x0 for mark in marks] == [100] * panels
    places = {note.x for note in figure.layout.annotations if "t₀" in note.text}
    assert places == {2.0 if log else 100}


def test_without_a_frozen_step_nothing_is_marked(table):
    early = table[~table["frozen"].astype(bool)]
    assert not training.gap_size(early).layout.shapes


def test_step_zero_stands_on_a_log_axis_before_the_first(table):
    axis = StepAxis.of(table, log=True)
    assert axis.at(axis.steps)[0] == 25
    layout = axis.layout()
    assert layout["ticktext"][0] == "0"
    assert all(np.diff(np.log10(layout["tickvals"])) > 0)
    assert not StepAxis.of(table[:1], log=True).log


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_without_gradients_or_numbers_a_sentence_stands_in(dark):
    bare = table_of(grads=False, scalars=False)
    for draw in (training.learning, training_geometry.leakage, training_geometry.locking):
        figure = draw(bare, dark=dark)
        assert not figure.data
        assert figure.layout.annotations[0].text.replace("<br>", " ").endswith(".")
    empty = {one.key for one in training_figures(bare) if one.alt == NO_VALUE}
    assert empty == {"learning", "leakage", "locking"}


def test_every_figure_has_words_numbers_and_terms(table):
    for one in training_figures(table):
        assert all((one.title, one.reading, one.rows, one.terms)), one.key
        assert len(one.rows) == len(STEPS)
        assert all(len(row) == len(one.columns) for row in one.rows)
        assert "nan" not in one.alt
        for key in one.terms:
            assert rc.glossary.term(key).label
        assert one.draw(True).layout.template.layout.paper_bgcolor == "#14181d"


def test_the_scrubber_moves_both_modalities_on_equal_axes():
    made = list(snapshots())
    plane = Plane.of_gaps(made[0], made[-1])
    path = [plane.place(one) for one in made]
    figure = scrubber(path, plane.names)
    assert [one.name for one in figure.frames] == [str(step) for step in STEPS]
    assert [one.args[0][0] for one in figure.layout.sliders[0].steps] == [str(step) for step in STEPS]
    assert figure.layout.yaxis.scaleanchor == "x"
    images, texts = trace(figure, "images"), trace(figure, "texts")
    assert (images.marker.symbol, texts.marker.symbol) == ("circle", "diamond")
    np.testing.assert_array_equal(images.x, path[-1].image[:, 0])
    np.testing.assert_array_equal(figure.frames[0].data[1].x, path[0].image[:, 0])
    np.testing.assert_array_equal(figure.frames[0].data[2].y, path[0].text[:, 1])
    assert len(path_figure(plane, path).rows) == len(STEPS)


def test_the_plane_of_gaps_holds_the_first_and_the_last_gap():
    made = list(snapshots())
    plane = Plane.of_gaps(made[0], made[-1])
    np.testing.assert_allclose((plane.axes.mT @ plane.axes).numpy(), np.eye(2), atol=1e-12)
    first, *_, last = (plane.place(one) for one in made)
    assert first.gap == pytest.approx(1)
    assert last.gap == pytest.approx(1)
    apart = made[0].image_embeddings.mean(axis=0) - made[0].text_embeddings.mean(axis=0)
    assert np.linalg.norm(first.image_mean - first.text_mean) == pytest.approx(
        np.linalg.norm(apart), rel=1e-4
    )


def test_principal_axes_hold_the_most_variance_of_the_last():
    made = list(snapshots())
    principal, gaps = Plane.principal(made[-1]), Plane.of_gaps(made[0], made[-1])
    assert principal.place(made[-1]).variance >= gaps.place(made[-1]).variance


def test_without_a_gap_the_plane_is_of_principal_axes():
    same = Snapshot(0, *[next(snapshots()).image_embeddings] * 2)
    plane = Plane.of_gaps(same, same)
    assert plane.names == Plane.principal(same).names
    assert plane.place(same).gap is None


def test_one_dimension_lies_flat():
    rows = np.array([[1.0], [-1.0], [1.0]], dtype=np.float32)
    flat = Snapshot(0, rows, -rows)
    for plane in (Plane.of_gaps(flat, flat), Plane.principal(flat)):
        assert not plane.place(flat).image[:, 1].any()


def test_many_pairs_and_steps_send_few():
    made = list(snapshots(n=1000, steps=range(MOST_FRAMES + 5)))
    plane = Plane.principal(made[-1])
    path = [plane.place(one) for one in made]
    assert len(path[0].image) == SHOWN_PAIRS
    figure = scrubber(path, plane.names)
    assert len(figure.frames) == MOST_FRAMES
    assert {figure.frames[0].name, figure.frames[-1].name} == {"0", str(MOST_FRAMES + 4)}
    np.testing.assert_array_equal(plane.rows, Plane.principal(made[0]).rows)


def test_chance_is_that_of_the_probe_set_that_retrieval_was_taken_among():
    frame = pd.DataFrame({"step": [0, 10], "n": [80, 80], "recall_at_1": [0.0, 0.5]})
    assert training.chance_of(frame).tolist() == [1 / 80, 1 / 80]
    assert training.chance_of(frame.assign(chance=1 / 200)).tolist() == [1 / 200, 1 / 200]
