"""The trade-off section of Compare: curves only when asked for, judged once, and the best for a need."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.components import jobs
from pages.components.study import Study
from realign_core.comparison import Bench, Settings
from realign_core.comparison.dials import DIALS, quick_dials
from realign_core.load import EmbeddingPair
from tests.pages.page_tools import address, pairs, sentences


@pytest.fixture
def judged(monkeypatch):
    """What is judged along dials: a method and its options."""
    names, judge = [], Bench.judge_shown

    def counted(self, name, **options):
        names.append((name, options))
        return judge(self, name, **options)

    monkeypatch.setattr(Bench, "judge_shown", counted)
    return names


@pytest.fixture
def place(tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(tmp_path))
    for name, rows in zip("ab", pairs(80)):
        np.save(tmp_path / f"{name}.npy", rows)
    return "path:a.npy|b.npy"


def drawn(at: AppTest) -> dict[str, dict]:
    """Figures by the whole of their key."""
    return {
        element.proto.id.partition("figure_")[2]: json.loads(element.proto.spec)
        for element in at.get("plotly_chart")
    }


def best(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html") if "To keep neighbours" in e.proto.body)


def test_points_are_drawn_and_nothing_is_judged_until_curves_are_asked_for(opened, place, judged):
    at = opened("compare", data=place)
    assert not at.error
    assert "trade-off" in drawn(at)
    assert judged == []
    assert best(at) == ""


def test_curves_are_judged_once_and_share_what_was_compared(opened, place, judged):
    at = opened("compare", data=place)
    at.radio(key="setting_curves").set_value("quick").run()
    assert not at.exception
    assert not at.error
    traces = drawn(at)["trade-off-curves"]["data"]
    assert {"C3", "Blockwise", "ReAlign", "Rotation"} <= {trace.get("name") for trace in traces}
    names = [name for name, _ in judged]
    # Four of the values are the methods that had been compared, with the untouched source.
    assert len(names) == 1 + sum(len(dial.all_values) for dial in quick_dials()) - 3
    assert "anisoalign" not in names
    assert ("realign", {}) not in judged
    assert address(at)["curves"] == "quick"
    assert best(at).count("<li>") == 3
    assert "picked on these rows" in sentences(at)
    judged.clear()
    at.selectbox(key="setting_reached").set_value("centroid_gap").run()
    at.multiselect(key="setting_methods").set_value(["realign", "rotation"]).run()
    assert not at.error
    assert judged == []
    at.number_input(key="setting_sigma").set_value(3.0).run()
    assert judged == []
    at.radio(key="setting_curves").set_value("none").run()
    assert "trade-off" in drawn(at)
    assert best(at) == ""


def test_a_curve_that_trains_is_a_choice_of_its_own(opened, place, judged, monkeypatch):
    from realign_core.alignment import AnisoAlign, registry

    monkeypatch.setitem(
        registry._FACTORIES, "anisoalign", lambda **options: AnisoAlign(**{**options, "steps": 2})
    )
    at = opened("compare", data=place, curves="quick")
    judged.clear()
    at.radio(key="setting_curves").set_value("all").run()
    assert not at.error
    assert {name for name, _ in judged} == {"anisoalign"}
    assert len(judged) == 4
    assert "AnisoAlign" in {t.get("name") for t in drawn(at)["trade-off-curves"]["data"]}


def test_an_address_with_another_wish_shows_points(opened, place):
    at = opened("compare", data=place, curves="everything")
    assert at.radio(key="setting_curves").value == "none"
    assert "trade-off" in drawn(at)


def test_few_rows_have_curves_in_sample(opened, tmp_path, place):
    for name, rows in zip("ab", pairs(14)):
        np.save(tmp_path / f"{name}.npy", rows)
    at = opened("compare", data=place, curves="quick")
    assert not at.exception
    assert not at.error
    assert "trade-off-curves" in drawn(at)


def test_points_stay_while_curves_are_judged_and_cancel_leaves_them(opened, place, monkeypatch):
    at = opened("compare", data=place)
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.0)
    judge = Bench.judge_shown

    def slow(self, name, **options):
        time.sleep(0.3)
        return judge(self, name, **options)

    monkeypatch.setattr(Bench, "judge_shown", slow)
    at.radio(key="setting_curves").set_value("quick").run()
    assert not at.error
    assert {"trade-off", "bars"} <= set(drawn(at))
    assert "Working: " in sentences(at)
    at.button(key="job_curves_cancel").click().run()
    assert "Stopped." in sentences(at)
    assert {"trade-off", "bars"} <= set(drawn(at))


def test_stopped_curves_keep_the_values_that_were_judged(judged):
    pair = EmbeddingPair.from_arrays(*pairs(80), paired="yes")
    study = Study.of(pair, name="set", origin="upload")
    settings = Settings(methods=("realign",))

    def stop_at(stage):
        if stage.startswith("blockwise"):
            raise jobs.Cancelled

    with pytest.raises(jobs.Cancelled):
        study.curves(settings, quick_dials(), stop_at)
    before = [name for name, _ in judged]
    assert before == ["identity", "random_target"] + ["c3"] * 7
    judged.clear()
    study.curves(settings, quick_dials())
    assert {name for name, _ in judged} == {"blockwise", "realign", "rotation"}
    judged.clear()
    found = study.curves(settings, [dial for dial in DIALS if dial.name == "c3"])
    assert judged == []
    assert len(found.curves[0].points) == 7
