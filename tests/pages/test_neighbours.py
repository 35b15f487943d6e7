"""The Neighbours page: whose neighbours, kept and lost, the rows harmed most, the effect per label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from realign_core.comparison import compare
from realign_core.comparison.inspection import most_harmed, shares_kept
from realign_core.load import load_pair
from tests.pages.page_tools import address, figures, pairs, sentences

WORDS = [f"{('red', 'blue')[row % 2]} thing number {row}" for row in range(80)]
LABELS = ["cat", "dog"] * 40


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(tmp_path))
    return tmp_path


def write(root, **columns) -> str:
    target, source = pairs()
    table = pd.DataFrame({"image_embedding": list(target), "text_embedding": list(source), **columns})
    table.to_parquet(root / "set.parquet")
    return "path:set.parquet"


def result_of(root):
    return compare(load_pair(str(root / "set.parquet")), methods=["c3", "blockwise", "realign"])


def html(at) -> str:
    return "\n".join(element.proto.body for element in at.get("html"))


def test_the_page_opens_on_the_row_that_the_method_harmed_most(opened, root):
    at = opened("neighbours", data=write(root))
    assert not at.exception
    assert not at.error
    result = result_of(root)
    rows = result.rows["held-out"]
    shares = shares_kept(rows, result.methods["realign"].view.after["held-out"], 10)
    harmed = rows.source[most_harmed(shares, 8)]
    assert at.number_input(key="setting_row").value == harmed[0]
    assert [button.key for button in at.button if button.key.startswith("harmed_")] == [
        f"harmed_{row}" for row in harmed
    ]
    assert f"ReAlign keeps {round(shares.min() * 10)}" in sentences(at)


def test_before_and_after_list_the_neighbours_of_the_row(opened, root):
    write(root)
    result = result_of(root)
    rows = result.rows["held-out"]
    row = int(rows.source[5])
    at = opened("neighbours", data="path:set.parquet", row=str(row))
    body = html(at)
    after = result.methods["blockwise"].view.after["held-out"]
    for place in (*rows.before.places[5, :10], *after.places[5, :10]):
        assert f"row {rows.source[place]}<" in body
    kept = len(set(rows.before.places[5, :10]) & set(after.places[5, :10]))
    assert f"Blockwise: kept {kept} of 10" in body
    assert body.count("<tr>") == 11
    assert f"{rows.before.cosines[5, 0]:.3f}".replace("-", "\u2212") in body


def test_a_click_opens_a_harmed_row(opened, root):
    at = opened("neighbours", data=write(root))
    at.selectbox(key="setting_method").set_value("blockwise").run()
    button = [button for button in at.button if button.key.startswith("harmed_")][3]
    button.click().run()
    assert at.number_input(key="setting_row").value == int(button.key.removeprefix("harmed_"))
    assert address(at)["row"] == button.key.removeprefix("harmed_")


def test_captions_are_searched_by_all_their_words(opened, root):
    at = opened("neighbours", data=write(root, caption=WORDS))
    judged = result_of(root).rows["held-out"].source
    at.text_input(key="caption_search").set_value("BLUE thing").run()
    found = [button.key for button in at.button if button.key.startswith("found_")]
    expected = [f"found_{row}" for row in judged if row % 2]
    assert found == expected[:8]
    at.button(key=found[0]).click().run()
    assert WORDS[int(found[0].removeprefix("found_"))] in html(at)
    at.text_input(key="caption_search").set_value("no such words").run()
    assert "No caption" in sentences(at)


def test_without_captions_and_labels_rows_go_by_number(opened, root):
    at = opened("neighbours", data=write(root))
    assert not at.text_input
    assert "no captions" in sentences(at)
    assert "no labels" in sentences(at)
    assert "label_effects" not in figures(at)


def test_a_row_that_was_fitted_to_is_shown_in_sample(opened, root):
    write(root)
    judged = set(result_of(root).rows["held-out"].source.tolist())
    fitted = next(row for row in range(80) if row not in judged)
    at = opened("neighbours", data="path:set.parquet", row=str(fitted))
    assert "fitted to" in at.info[0].value
    assert "<table" not in html(at)
    at.button(key="show_in_sample").click().run()
    assert not at.info
    assert "<table" in html(at)


def test_labels_are_drawn_with_their_counts(opened, root):
    at = opened("neighbours", data=write(root, label=LABELS))
    figure = figures(at)["label_effects"]
    ticks = figure["layout"]["yaxis"]["ticktext"]
    assert sorted(tick.split(" ")[0] for tick in ticks) == ["cat", "dog"]
    counts = [int(tick.split("(")[1].rstrip(")")) for tick in ticks]
    assert sum(counts) == 40
    assert [trace["name"] for trace in figure["data"] if trace.get("name")] == ["C3", "Blockwise", "ReAlign"]


def test_unpaired_sets_have_neighbours_too(opened, root):
    target, source = pairs()
    np.save(root / "a.npy", target)
    np.save(root / "b.npy", source[:70])
    at = opened("neighbours", data="path:a.npy|b.npy")
    assert not at.exception
    assert not at.error
    assert "<table" in html(at)


def test_no_method_but_the_untouched_source_says_so(opened, root):
    at = opened("neighbours", data=write(root), methods="identity")
    assert not at.exception
    assert "No method moved the rows" in at.info[0].value


def test_pictures_come_only_from_under_the_allowed_folder(opened, tmp_path, monkeypatch):
    root = tmp_path / "allowed"
    root.mkdir()
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(root))
    Image.new("RGB", (300, 200), "red").save(root / "in.png")
    Image.new("RGB", (300, 200), "blue").save(tmp_path / "out.png")
    (root / "text.png").write_text("no picture")
    (root / "link.png").symlink_to(tmp_path / "out.png")
    write(root, image_path=["../out.png", "text.png", "link.png", "missing.png"] * 20)
    row = int(result_of(root).rows["held-out"].source[0])
    at = opened("neighbours", data="path:set.parquet", row=str(row))
    assert not at.exception
    assert not at.error
    assert "data:image" not in html(at)


def test_pictures_stand_beside_their_rows(opened, root):
    Image.new("RGB", (300, 200), "red").save(root / "in.png")
    at = opened("neighbours", data=write(root, image_path=["in.png"] * 80))
    assert html(at).count("data:image/jpeg") == 41


def test_captions_cannot_inject_markup(opened, root):
    at = opened("neighbours", data=write(root, caption=["<script>alert(1)</script> **x**"] * 80))
    assert "<script>" not in html(at)
    assert "&lt;script&gt;" in html(at)
