"""The Geometry page: figures that follow from the data, and a slider that needs no further pass."""

from __future__ import annotations

import gc
import time
import weakref

import numpy as np
import pytest
from page_tools import figures, pairs, sentences

from pages.components import sources
from pages.components import study as study_module
from pages.components.ahead import Ahead
from pages.components.study import Study
from realign_core.figures.geometry_list import geometry_figures
from realign_core.load import EmbeddingPair

KEYS = {
    "figure_energy",
    "figure_residual-spectra",
    "figure_residual-energy",
    "figure_bias-noise",
    "figure_conditions",
    "figure_overlap",
    "figure_modalities",
}


def values(trace: dict, axis: str) -> np.ndarray:
    """An axis of a trace, which plotly may have packed."""
    found = trace[axis]
    if isinstance(found, dict):
        import base64

        return np.frombuffer(base64.b64decode(found["bdata"]), np.dtype(found["dtype"]))
    return np.asarray(found)


def study_of(target, source, paired="auto") -> Study:
    return Study.of(EmbeddingPair.from_arrays(target, source, paired=paired), name="made", origin="upload")


def test_draws_every_figure_with_a_text_alternative_numbers_and_definitions(opened):
    at = opened("geometry")
    assert not at.exception
    assert not at.error
    keys = {element.proto.id.rpartition("-figure_")[2] for element in at.get("plotly_chart")}
    assert {f"figure_{key}" for key in keys} == KEYS
    assert all(element.proto.alt for element in at.get("plotly_chart"))
    labels = [popover.proto.popover.label for popover in at.get("popover")]
    assert labels.count("Numbers") == len(KEYS)
    assert labels.count("Definitions") == len(KEYS)


def test_the_parts_add_up_at_every_energy_and_only_the_cut_moves(opened):
    at = opened("geometry")
    totals, ranks = [], []
    for energy in (0.5, 0.9, 0.999):
        at.slider(key="setting_energy").set_value(energy).run()
        (spec,) = [s for k, s in figures(at).items() if k.endswith("energy") and s["layout"].get("barmode")]
        totals.append(sum(trace["x"][0] for trace in spec["data"]))
        ranks.append(int(sentences(at).split("U: ")[1].split(" of")[0]))
    assert totals == pytest.approx([totals[0]] * 3)
    assert ranks == sorted(set(ranks))


def test_the_slider_reaches_its_ends_and_shows_three_digits(opened):
    slider = opened("geometry").slider(key="setting_energy")
    assert (slider.min, slider.max, slider.step) == (0.5, 0.999, 0.001)
    assert slider.proto.format == "%.3f"


def test_overlap_and_condition_numbers_are_those_of_the_diagnosis(opened):
    at = opened("geometry")
    (overlap,) = [s for k, s in figures(at).items() if k == "overlap" or k.endswith("overlap")]
    measured = values(overlap["data"][0], "y")
    assert np.all((measured >= 0) & (measured <= 1 + 1e-9))
    assert measured[-1] == pytest.approx(1)
    q, even = values(overlap["data"][1], "x"), values(overlap["data"][1], "y")
    assert even == pytest.approx(q / 128)


def test_says_where_unpaired_data_has_no_residual(opened, held, monkeypatch):
    target, source = pairs()
    study = study_of(target, source[:50])
    held.studies["upload:x"] = study
    at = opened("geometry", data="upload:x")
    assert not at.exception
    assert not at.error
    assert "unpaired" in sentences(at)
    assert "needs pairs" in sentences(at)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pairs(n=9, d=30),
        lambda: pairs(n=40, d=2),
        lambda: (pairs()[0], pairs()[0]),
        lambda: (pairs()[0], np.ones((80, 6), np.float32)),
    ],
    ids=["n below d", "two dimensions", "identical sets", "constant source"],
)
def test_null_cases_are_sentences(opened, held, make):
    held.studies["upload:x"] = study_of(*make(), paired="yes")
    for page in ("data", "geometry", "drift"):
        at = opened(page, data="upload:x")
        assert not at.exception
        assert not at.error


def test_a_gap_along_what_varies_is_said_to_lie_in_u(opened, held):
    target, source = pairs(n=400, d=8, gap=0.4)
    spread = np.array([3.0, 2, 1, 0.02, 0.02, 0.02, 0.02, 0.02], np.float32)
    held.studies["upload:x"] = study_of(target * spread, source * spread)
    at = opened("geometry", data="upload:x")
    assert "100 % of the squared bias lies in U" in sentences(at).replace("\xa0", " ")


def test_another_energy_at_10_000_pairs_answers_within_half_a_second():
    target, source = pairs(n=10_000, d=256)
    study = study_of(target, source)
    study.diagnosis(0.99, 0)
    for figure in geometry_figures(study.diagnosis(0.98, 0)):
        figure.draw(False)
    started = time.process_time()
    for figure in geometry_figures(study.diagnosis(0.9, 0)):
        figure.draw(False)
    # Loose: other processes share the cores; `make bench` measures it alone.
    assert time.process_time() - started < 2


@pytest.fixture
def anew():
    """The sample as nobody has looked at it yet."""
    sources.sample.clear()


def known(study: Study, energy: float) -> bool:
    return (0, energy) in study._cuts


def test_the_steps_beside_the_sliders_place_are_prepared_while_the_reader_looks(anew, opened, held):
    at = opened("geometry")
    study = sources.sample("scenes")
    at.slider(key="setting_energy").set_value(0.9).run()
    held.ahead.join(30)
    assert all(known(study, energy) for energy in (0.899, 0.9, 0.901))
    assert not known(study, 0.902)
    at.slider(key="setting_energy").set_value(0.999).run()
    held.ahead.join(30)
    assert known(study, 0.998)
    assert not known(study, 1.0)


def test_who_moves_on_is_not_held_up_by_what_was_to_be_prepared(anew, opened, held):
    at = opened("geometry")
    study = sources.sample("scenes")
    at.slider(key="setting_energy").set_value(0.8).run()
    at.slider(key="setting_energy").set_value(0.7).run()
    held.ahead.join(30)
    assert known(study, 0.701)
    assert not known(study, 0.801)


def test_a_step_that_cannot_be_prepared_is_logged_and_left_to_its_reader(opened, held, monkeypatch, caplog):
    at = opened("geometry")

    def fails(*_):
        raise OSError("disk")

    with monkeypatch.context() as broken:
        broken.setattr(Study, "prepare_cut", fails)
        at.slider(key="setting_energy").set_value(0.9).run()
        held.ahead.join(30)
    assert "could not be prepared" in caplog.text
    assert not at.exception
    at.slider(key="setting_energy").set_value(0.901).run()
    assert not at.exception
    assert not at.error


def test_nothing_is_prepared_for_a_session_that_has_ended(anew, opened, held):
    opened("geometry", energy="0.9")
    ahead = held.ahead
    held.release()
    ahead.join(30)
    assert not ahead.alive
    assert held.ahead is None
    assert not known(sources.sample("scenes"), 0.901)


def test_a_step_is_prepared_without_reading_a_row_and_only_where_there_is_room(monkeypatch):
    study = study_of(*pairs(60, 8))
    study.prepare_cut(0.9, 0)
    assert not known(study, 0.9)
    study.diagnosis(0.99, 0)
    monkeypatch.setattr(study_module, "KEPT_BYTES", study._budget.held_by())
    study.prepare_cut(0.9, 0)
    assert not known(study, 0.9)
    monkeypatch.undo()
    study.prepare_cut(0.9, 0)
    assert known(study, 0.9)
    assert study.diagnosis(0.9, 0).frame.rank == study.diagnosis(0.99, 0).at_energy(0.9).frame.rank


def test_what_was_prepared_holds_on_to_nothing():
    class Step:
        taken = 0

        def __call__(self):
            Step.taken += 1

    for end in (Ahead.join, lambda ahead, _: ahead.cancel()):
        step = Step()
        gone = weakref.ref(step)
        ahead = Ahead([step])
        del step
        end(ahead, 30)
        ahead.join(30)
        gc.collect()
        assert gone() is None
    assert Step.taken == 1
