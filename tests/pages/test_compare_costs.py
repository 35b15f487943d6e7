"""What Compare says of the cost of closing the gap, and where."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import useful_sets

from realign_core.comparison import differences
from realign_core.glossary import share
from tests.pages.page_tools import figures


@pytest.fixture
def at(opened, tmp_path, monkeypatch):
    """`at("harmed", methods=...)`: Compare on a set with a planted effect."""
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(tmp_path))

    def open_set(kind, methods="identity,mean_shift", labelled=True):
        x, y, labels = useful_sets.rows(kind)
        table = pd.DataFrame({"image_embedding": list(x), "text_embedding": list(y)})
        if labelled:
            table["label"] = np.array(["cat", "dog", "elk", "fox"])[labels]
        table.to_parquet(tmp_path / "set.parquet")
        found = opened("compare", data="path:set.parquet", methods=methods)
        assert not found.exception
        assert not found.error
        return found

    return open_set


def shown_in_order(at):
    """Kinds and keys of what the page shows, from top to bottom."""
    found = []

    def walk(block):
        for child in block.children.values():
            if hasattr(child, "children"):
                walk(child)
            else:
                found.append((child.type, getattr(child.proto, "id", "").rpartition("-")[2]))

    walk(at.main)
    return found


@pytest.mark.parametrize("methods", ["identity,mean_shift", "mean_shift"])
def test_a_cost_is_warned_of_in_numbers_above_the_figures(at, methods):
    page = at("harmed", methods)
    one = differences(useful_sets.judged("harmed"))["mean_shift"]["recall_at_1"]
    (warning,) = page.warning
    said = warning.value.replace("\\", "")
    assert "Alignment has a cost here." in said
    assert f"lowers text-to-image recall@1 from {share(one.before)} to {share(one.after)}" in said
    assert f"95 % interval {share(one.low, signed=True)} to {share(one.high, signed=True)}" in said
    order = shown_in_order(page)
    places = [kind for kind, _ in order].index("warning"), order.index(("plotly_chart", "linked"))
    assert places[0] < places[1] < order.index(("plotly_chart", "figure_uses"))
    assert order.index(("plotly_chart", "figure_uses")) < order.index(("plotly_chart", "figure_bars"))


def test_where_nothing_is_lost_nothing_warns_and_the_sentence_says_so(at):
    page = at("spared")
    assert not page.warning
    said = page.get("html")[0].proto.body
    assert "No change resolved in text-to-image recall@1" in said
    assert "On retrieval" not in said


def test_a_gain_is_said_and_does_not_warn(at):
    page = at("helped")
    assert not page.warning
    assert "raises text-to-image recall@1" in page.get("html")[0].proto.body


@pytest.mark.parametrize(("labelled", "panels"), [(True, 3), (False, 2)])
def test_the_figure_has_a_panel_for_each_use_that_these_data_have(at, labelled, panels):
    assert len(figures(at("harmed", labelled=labelled))["figure_uses"]["data"]) == panels


def test_zero_shot_stands_in_the_table_of_pairs(at):
    page = at("harmed")
    page.segmented_control(key="table_scores").set_value("Pairs").run()
    assert "Zero-shot accuracy" in page.get("html")[-1].proto.body


def test_other_labels_make_another_study():
    from pages.components.study import digest_of
    from realign_core.load import EmbeddingPair

    x, y, labels = useful_sets.rows("harmed")
    digests = {
        digest_of(EmbeddingPair.from_arrays(x, y, paired="yes", labels=one))
        for one in (None, labels, labels[::-1], labels.astype(str))
    }
    assert len(digests) == 3
