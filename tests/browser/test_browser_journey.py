"""The whole way of a reader, by mouse: data, geometry, drift, comparison, neighbours, report, an upload."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect

from realign_core.alignment import ReAlign, load_aligner
from realign_core.load import load_pair, load_set
from realign_core.samples import sample_path

POINTS = "plot => JSON.stringify(plot._fullData.map(trace => Array.from(trace.x || []).slice(0, 3)))"
FORMATS = (".npy", ".npz", ".safetensors", ".parquet", ".pkl")


def test_from_the_sample_to_the_report(visit, tmp_path):
    visit.open()
    expect(visit.page.get_by_text("What was loaded")).to_be_visible()
    assert re.search(r"3\s000 pairs", visit.text())
    assert visit.plots().count() >= 1

    visit.turn_to("Geometry")
    slider = visit.page.get_by_role("slider").first
    before, rank = slider.input_value(), visit.text()
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    visit.settle()
    assert slider.input_value() != before
    assert visit.text() != rank
    assert "energy=" in visit.page.url

    visit.turn_to("Phantom drift")
    sphere = visit.plots().first
    rail = sphere.locator(".slider-rail-touch-rect")
    expect(rail).to_be_visible()
    first = sphere.evaluate(POINTS)
    box = rail.bounding_box()
    visit.page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    visit.page.wait_for_timeout(1000)
    assert sphere.evaluate(POINTS) != first

    visit.turn_to("Compare")
    assert "ReAlign" in visit.text()
    assert visit.plots().count() >= 2

    visit.turn_to("Neighbours")
    assert "caption" in visit.text().lower() or "neighbour" in visit.text().lower()

    visit.turn_to("Report")
    report = visit.download("Download the report", tmp_path)
    assert b"<!doctype html>" in report.read_bytes()[:40]
    metrics = json.loads(visit.download("Metrics as JSON", tmp_path).read_text())
    assert set(metrics["methods"]) >= {"c3", "blockwise", "realign"}
    assert "held_out_omega" in visit.download("Metrics as CSV", tmp_path).read_text()


def test_aligned_rows_come_in_every_format_and_the_aligner_loads(visit, tmp_path):
    visit.open("report")
    pair = load_pair(sample_path("sample:scenes"))
    expected = ReAlign().fit(source=pair.source, target=pair.target).transform(pair.source)
    for suffix in FORMATS:
        if suffix != ".npy":
            visit.choose("Format", suffix)
        path = visit.download("Aligned embeddings", tmp_path)
        assert path.suffix == suffix
        np.testing.assert_array_equal(load_set(path, role="source").rows[:], expected, err_msg=suffix)
    packed = visit.download("Fitted aligner", tmp_path)
    zipfile.ZipFile(io.BytesIO(packed.read_bytes())).extractall(tmp_path)
    np.testing.assert_array_equal(load_aligner(tmp_path / "realign").transform(pair.source), expected)


def test_two_uploaded_files_are_read_and_reported(visit, data_root, tmp_path):
    visit.open().upload(data_root / "small_image.npy", data_root / "small_text.npy")
    assert "small_image.npy and small_text.npy · 240 pairs · 16 dimensions" in visit.text()
    visit.turn_to("Report")
    metrics = json.loads(visit.download("Metrics as JSON", tmp_path).read_text())
    assert metrics["dataset"]["path_target"] == "small_image.npy"
    assert metrics["dataset"]["n_target"] == 240
    assert "analyze small_image.npy small_text.npy" in visit.text()
    assert "No link" in visit.text()


@pytest.mark.parametrize("dark", [False, True])
def test_a_downloaded_report_is_live_offline(visitor, tmp_path, dark):
    visit = visitor(dark=dark).open("report")
    report = visit.download("Download the report", tmp_path)
    visit.context.set_offline(True)
    asked = []
    visit.context.on("request", lambda request: asked.append(request.url))
    visit.page.goto(report.as_uri())
    visit.page.wait_for_selector("html[data-drawn=yes]", timeout=240_000)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    plots = visit.page.locator(".js-plotly-plot")
    assert plots.count() >= 8
    assert plots.evaluate_all("all => all.every(p => p._fullData.length > 0)")
    line = plots.nth(1)
    line.evaluate("p => Plotly.relayout(p, {'xaxis.range': [0, 1]})")
    assert line.evaluate("p => p._fullLayout.xaxis.range.join()") == "0,1"
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
