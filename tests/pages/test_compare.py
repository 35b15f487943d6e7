"""The Compare page: what it says, draws and recomputes."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.components import compare_findings, jobs
from pages.components.selection import Selection
from pages.components.study import Study, digest_of
from realign_core.comparison import Bench, Settings
from realign_core.glossary import count
from realign_core.load import EmbeddingPair, load_pair
from realign_core.samples import sample_card
from tests.pages.page_tools import figures, pairs, sentences

NAMES = ["Untouched source", "C3", "Blockwise", "ReAlign"]


@pytest.fixture
def judged(monkeypatch):
    """Names of the methods that are judged, as they are."""
    names, judge = [], Bench.judge

    def counted(self, name, **options):
        names.append(name)
        return judge(self, name, **options)

    monkeypatch.setattr(Bench, "judge", counted)
    return names


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(tmp_path))
    return tmp_path


def write(root, n=80, *, apart=False, **columns) -> str:
    target, source = pairs(n)
    table = pd.DataFrame({"image_embedding": list(target), "text_embedding": list(source), **columns})
    table.to_parquet(root / "set.parquet")
    if not apart:
        return "path:set.parquet"
    np.save(root / "a.npy", target)
    np.save(root / "b.npy", source[: n - 9])
    return "path:a.npy|b.npy"


def headings(figure: dict) -> list[str]:
    return [a["text"].replace("<b>", "").replace("</b>", "") for a in figure["layout"]["annotations"][:4]]


def test_the_sample_opens_with_three_methods_and_the_untouched_source(opened):
    at = opened("compare")
    assert not at.exception
    assert not at.error
    drawn = figures(at)
    assert headings(drawn["linked"]) == NAMES
    assert {"linked", "figure_uses", "figure_bars", "figure_cosines"} <= set(drawn)
    assert len(drawn) == 6
    said = sentences(at)
    assert "ReAlign" in said
    assert "held-out" in said
    judged = count(sample_card("scenes")["rows"] // 2)
    assert judged in at.get("html")[-1].proto.body


def test_axes_of_the_linked_figure_match(opened, root):
    layout = figures(opened("compare", data=write(root)))["linked"]["layout"]
    for letter in "xy":
        axes = {name: axis for name, axis in layout.items() if name.startswith(f"{letter}axis")}
        free = [name for name, axis in axes.items() if "matches" not in axis]
        assert len(axes) == 4
        assert len(free) == 1


def test_each_setting_recomputes_only_what_depends_on_it(opened, root, judged):
    at = opened("compare", data=write(root))
    assert judged == ["identity", "c3", "blockwise", "realign"]
    for key, value, again in (
        ("setting_sigma", 2.0, ["c3"]),
        ("setting_energy", 0.9, ["blockwise"]),
        ("setting_shrinkage", 0.0, ["blockwise"]),
    ):
        judged.clear()
        kind = {"setting_sigma": at.number_input, "setting_energy": at.slider}.get(key, at.selectbox)
        kind(key=key).set_value(value).run()
        assert judged == again, key
        assert not at.error
    judged.clear()
    at.segmented_control(key="table_scores").set_value("Pairs").run()
    at.selectbox(key="setting_reached").set_value("centroid_gap").run()
    at.multiselect(key="setting_methods").set_value(["realign", "c3"]).run()
    assert judged == []
    at.number_input(key="setting_k").set_value(5).run()
    assert judged == ["realign", "c3"]


def test_the_captioning_preset_and_back(opened, root):
    at = opened("compare", data=write(root))
    at.button(key="noise_Captioning").click().run()
    d = 6
    assert at.session_state["settings"]["sigma"] == pytest.approx(0.016**0.5 * d**0.5 / 0.25)
    assert at.number_input(key="setting_sigma").value == pytest.approx(0.016**0.5 * d**0.5 / 0.25)
    assert "0.126 per coordinate" in sentences(at)
    at.button(key="noise_Default").click().run()
    assert at.number_input(key="setting_sigma").value == 1.0


def test_settings_in_the_address_are_what_the_page_shows(opened, root):
    at = opened(
        "compare", data=write(root), methods="rotation,c3", k="4", shrinkage="0.3", kept="psi", reached="no"
    )
    assert not at.exception
    assert at.multiselect(key="setting_methods").value == ["rotation", "c3"]
    assert at.number_input(key="setting_k").value == 4
    assert at.selectbox(key="setting_shrinkage").value == 0.3
    assert at.selectbox(key="setting_kept").value == "psi"
    assert at.selectbox(key="setting_reached").value == "entropy_mixing_target"


def test_unpaired_sets_offer_no_method_that_needs_pairs(opened, root):
    at = opened("compare", data=write(root, apart=True), methods="procrustes,realign")
    assert not at.exception
    assert not at.error
    assert at.multiselect(key="setting_methods").value == ["realign"]
    assert "Pairs" not in at.segmented_control(key="table_scores").options


def test_no_method_means_the_default_ones(opened, root):
    at = opened("compare", data=write(root))
    at.multiselect(key="setting_methods").set_value([]).run()
    assert not at.exception
    assert headings(figures(at)["linked"]) == NAMES


def test_few_rows_show_in_sample_scores_and_mark_nothing(opened, root):
    at = opened("compare", data=write(root, 12))
    assert not at.exception
    assert not at.error
    body = at.get("html")[-1].proto.body
    assert "In-sample scores" in body
    assert "★ " not in body


def held_out(root) -> tuple[str, tuple[int, ...]]:
    """The digest of the data, and the first rows that are judged on."""
    pair = load_pair(str(root / "set.parquet"))
    return digest_of(pair), tuple(sorted(Bench(pair, Settings()).rows["held-out"].source[:4].tolist()))


def test_a_selection_stands_out_in_every_panel_until_it_is_cleared(opened, root):
    words = [f"caption {row}" for row in range(80)]
    at = opened("compare", data=write(root, caption=words))
    digest, rows = held_out(root)
    at.session_state["selection"] = (digest, Selection(rows, rows))
    at.run()
    assert not at.error
    drawn = [trace for trace in figures(at)["linked"]["data"] if "customdata" in trace]
    assert len(drawn) == 8
    assert all(len(trace["selectedpoints"]) == len(rows) for trace in drawn)
    assert f"{len(rows)} pairs selected" in sentences(at)
    assert at.dataframe[0].value["caption"].tolist() == [words[row] for row in rows]
    at.button(key="clear_selection").click().run()
    assert all("selectedpoints" not in trace for trace in figures(at)["linked"]["data"])


def test_a_selection_of_other_data_is_not_shown(opened, root):
    at = opened("compare", data=write(root))
    at.session_state["selection"] = ("other", Selection((1, 2), (1, 2)))
    at.run()
    assert "pairs selected" not in sentences(at)


def test_selected_rows_open_in_neighbours(opened, root):
    at = opened("compare", data=write(root))
    digest, rows = held_out(root)
    at.session_state["selection"] = (digest, Selection(rows, rows))
    at.run()
    at.button(key="open_neighbours").click().run()
    assert at.title[0].value == "Neighbours"
    assert at.number_input(key="setting_row").value == rows[0]
    assert at.selectbox(key="from_selection").options[1].startswith(f"row {rows[1]}")


def test_points_can_take_the_colours_of_their_labels(opened, root):
    labels = ["cat", "dog"] * 40
    at = opened("compare", data=write(root, label=labels))
    at.segmented_control(key="setting_colour").set_value("label").run()
    drawn = figures(at)["linked"]["data"]
    assert {"cat", "dog"} <= {trace.get("name") for trace in drawn}
    assert len(set(drawn[1]["marker"]["color"])) == 2
    digest, rows = held_out(root)
    at.session_state["selection"] = (digest, Selection(rows, rows))
    at.run()
    assert not at.error
    assert [len(trace["selectedpoints"]) for trace in figures(at)["linked"]["data"][:8]] == [len(rows)] * 8


def test_a_chart_that_reports_nothing_clears_nothing(opened, root):
    app = AppTest.from_function(report_selection)
    app.session_state["chart"] = {"selection": {"points": [{"curve_number": 1, "point_index": 2}]}}
    assert app.run().markdown[0].value == "(7,) (7,)"
    app.session_state["chart"] = {"selection": {"points": []}}
    assert app.run().markdown[0].value == "(7,) (7,)"


def report_selection():
    from types import SimpleNamespace

    import numpy as np
    import streamlit as st

    from pages.components import selection

    study = SimpleNamespace(digest="d", pair=SimpleNamespace(paired=True))
    traces = [selection.Trace("target", np.array([3, 5, 9])), selection.Trace("source", np.array([3, 5, 7]))]
    selection.keep(study, "chart", traces)
    found = selection.current(study)
    st.markdown(f"{found.target} {found.source}")


def test_a_failing_part_leaves_the_rest(opened, root, monkeypatch):
    def broken(result):
        raise RuntimeError("secret")

    monkeypatch.setattr(compare_findings, "method_findings", broken)
    at = opened("compare", data=write(root))
    assert not at.exception
    assert "RuntimeError" in at.error[0].value
    assert "secret" not in at.error[0].value
    assert "linked" in figures(at)


def test_a_running_comparison_stops_within_a_second(monkeypatch):
    generator = np.random.default_rng(0)
    pair = EmbeddingPair.from_arrays(*generator.standard_normal((2, 6_000, 64)).astype("f4"), paired="yes")
    study = Study.of(pair, name="big", origin="upload")
    chosen = Settings(methods=("realign", "blockwise", "c3"))
    job = jobs.Job(lambda progress: study.comparison(chosen, progress))
    while "ReAlign" not in job.stage and not job.done:
        time.sleep(0.02)
    job.cancel()
    started = time.monotonic()
    assert job.wait(30)
    assert isinstance(job.error, jobs.Cancelled)
    assert time.monotonic() - started < 2
    assert not study.has_comparison(chosen)
