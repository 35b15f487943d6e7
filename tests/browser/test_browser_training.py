"""The Training page in a browser: it opens on a folder, its scrubber moves, it fits and can be read."""

import numpy as np
import pytest
from playwright.sync_api import expect
from serving import make_pair
from test_browser_pages import violations

from realign_core.training.snapshots import Snapshot, write_snapshot

STEPS = (0, 100, 200, 300, 400)
SHOWN = """() => {
    const plot = document.querySelector('.st-key-figure_scrubber .js-plotly-plot');
    const images = plot.calcdata.find((points) => points[0].trace.name.startsWith('images'));
    return {active: plot._fullLayout.sliders[0].active, x: images.slice(0, 5).map((point) => point.x)};
}"""


@pytest.fixture(scope="module")
def run(data_root) -> str:
    """A run of five snapshots under the folder of server paths."""
    folder = data_root / "run"
    folder.mkdir()
    for step in STEPS:
        x, y = make_pair(300, 12, seed=5, gap=0.6 - step / 1000)
        write_snapshot(
            folder, Snapshot(step, x, y, x - y, y - x, loss=5 - step / 100, recall_at_1=step / 500)
        )
    return "run"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_opens_fits_and_its_scrubber_moves(visitor, run, dark):
    visit = visitor(dark=dark)
    visit.open(f"training?run={run}")
    assert "Of the paper's four findings on training" in visit.text()
    assert visit.plots().count() == 9
    assert visit.sideways() <= 0
    before = visit.page.evaluate(SHOWN)
    assert before["active"] == len(STEPS) - 1
    rail = visit.keyed("figure_scrubber").locator(".slider-rail-touch-rect")
    rail.scroll_into_view_if_needed()
    place = rail.bounding_box()
    visit.page.mouse.click(place["x"] + 2, place["y"] + place["height"] / 2)
    visit.page.wait_for_function(f"() => ({SHOWN})().active === 0", timeout=visit.patience)
    visit.settle()
    after = visit.page.evaluate(SHOWN)
    assert len(after["x"]) == 5
    assert not np.allclose(after["x"], before["x"])
    assert violations(visit) == []


def test_the_scrubber_answers_the_keyboard(visit, run):
    visit.open(f"training?run={run}")
    scrubber = visit.keyed("figure_scrubber").get_by_role("slider", name="step of the figure")
    scrubber.focus()
    for key, active in (
        ("Home", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 4),
        ("ArrowRight", 4),
    ):
        scrubber.press(key)
        visit.page.wait_for_function(f"() => ({SHOWN})().active === {active}", timeout=visit.patience)
        expect(scrubber).to_be_focused()
        expect(scrubber).to_have_attribute("aria-valuetext", str(STEPS[active]))


def test_the_reference_step_moves_and_enters_the_address(visit, run):
    visit.open(f"training?run={run}&steps=log")
    slider = visit.page.get_by_role("slider", name="Reference step")
    slider.focus()
    slider.press("ArrowRight")
    visit.settle()
    assert "t0=300" in visit.page.url
    assert "t₀ = 300" in visit.keyed("figure_gap-size").inner_text()
