"""Two readers at once, long work that is stopped, linked panels, selections that travel."""

import re

from playwright.sync_api import expect


def test_two_readers_do_not_see_each_other(visitor, data_root):
    first, second = visitor(), visitor()
    first.open().upload(data_root / "small_image.npy", data_root / "small_text.npy")
    second.open().upload(data_root / "other_image.npy", data_root / "other_text.npy")
    assert "240 pairs · 16 dimensions" in first.text()
    assert "180 pairs · 12 dimensions" in second.text()
    for title in ("Geometry", "Report", "Data"):
        first.turn_to(title)
        second.turn_to(title)
        assert "small_image.npy" in first.text()
        assert "other_image" not in first.text()
        assert "other_image.npy" in second.text()
        assert "small_image" not in second.text()
    # The address of an upload opens nothing in another profile.
    third = visitor()
    first.turn_to("Report")
    third.page.goto(first.page.url)
    third.settle()
    assert "240 pairs" not in third.text()
    assert "no longer holds" in third.text()


def test_long_work_is_cancelled_and_started_again(visit):
    visit.page.goto(
        f"{visit.server}/report?data=path%3Alarge_image.npy%7Clarge_text.npy&methods=gaussian_ot,rotation,blockwise"
    )
    # Reading the rows is a job of its own that may end under the mouse; the comparison takes long.
    cancel = visit.keyed("job_comparison_cancel").get_by_role("button")
    expect(cancel).to_be_visible(timeout=240_000)
    expect(visit.page.get_by_text(re.compile("^Working: "))).to_be_visible()
    cancel.click()
    expect(visit.page.get_by_text("Stopped.")).to_be_visible(timeout=60_000)
    visit.button("Start again").click()
    visit.settle()
    expect(visit.button("Download the report")).to_be_visible()


RANGES = """plot => Object.keys(plot._fullLayout).filter(key => /^[xy]axis\\d*$/.test(key))
    .map(key => plot._fullLayout[key]).map(axis => axis._name[0] + axis.range.map(v => v.toFixed(6)))"""
LASSO = ((0.05, 0.1), (0.95, 0.1), (0.95, 0.5), (0.5, 0.9), (0.05, 0.5))
SELECTED = """plot => plot._fullData.filter(trace => trace.customdata)
    .map(trace => (trace.selectedpoints || []).length)"""


def linked(visit, data="small_image.npy%7Csmall_text.npy"):
    """The figure on Compare that shows the rows of every method."""
    visit.open(f"compare?data=path%3A{data}")
    plot = visit.keyed("linked").locator(".js-plotly-plot")
    plot.scroll_into_view_if_needed()
    return plot


def drag(visit, plot, mode):
    """Draw over the middle of the first panel with one of the tools above the figure."""
    plot.hover()
    plot.locator(f".modebar-btn[data-attr=dragmode][data-val={mode}]").click()
    box = plot.locator(".draglayer .nsewdrag").first.bounding_box()
    shares = LASSO if mode == "lasso" else ((0.25, 0.25), (0.75, 0.75))
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
    visit.page.mouse.move(*corners[0])
    visit.page.mouse.down()
    for corner in corners[1:]:
        visit.page.mouse.move(*corner, steps=6)
    visit.page.mouse.up()
    visit.page.wait_for_timeout(600)
    visit.settle()


def test_zoom_is_linked_across_panels(visit):
    plot = linked(visit)
    before = plot.evaluate(RANGES)
    assert len(before) >= 6
    assert len(set(before)) == 2
    drag(visit, plot, "zoom")
    after = plot.evaluate(RANGES)
    assert set(after).isdisjoint(before)
    assert len(set(after)) == 2


def test_selected_rows_stand_out_in_every_panel_and_open_in_neighbours(visit):
    drag(visit, linked(visit), "select")
    plot = visit.keyed("linked").locator(".js-plotly-plot")
    counts = plot.evaluate(SELECTED)
    assert min(counts) > 0
    visit.press("Open in Neighbours")
    expect(visit.page.get_by_role("heading", name="Neighbours", level=1)).to_be_visible()
    visit.turn_to("Compare")
    assert plot.evaluate(SELECTED) == counts
    visit.press("Clear")
    assert max(plot.evaluate(SELECTED)) == 0


def test_lassoed_rows_show_their_captions_and_the_pictures_under_the_root(visit):
    plot = linked(visit, "pictured.parquet")
    drag(visit, plot, "lasso")
    counts = plot.evaluate(SELECTED)
    assert len(set(counts)) == 1
    assert len(counts) == 8
    expect(visit.page.get_by_text(f"{counts[0]} pairs selected")).to_be_visible()
    pictures = visit.page.locator("[data-testid=stMain] img[title^='row ']")
    rows = [int(title.split()[1]) for title in pictures.evaluate_all("all => all.map(i => i.title)")]
    assert rows
    assert all(row % 3 < 2 for row in rows)
    assert pictures.evaluate_all("all => all.every(i => i.complete && i.naturalWidth === 96)")
    assert pictures.first.get_attribute("alt") == f"caption {rows[0]}"
    visit.press("Open in Neighbours")
    listed = visit.page.locator("table.lists img")
    assert listed.count() > 0
    assert listed.evaluate_all("all => all.every(i => i.naturalWidth === 96 && i.src.startsWith('data:'))")


def test_back_and_forward_turn_pages_whatever_was_set_on_them(visit):
    visit.open("geometry?energy=0.9")
    visit.turn_to("Geometry")
    slider = visit.page.get_by_role("slider").first
    for _ in range(3):
        slider.focus()
        slider.press("ArrowLeft")
        visit.settle()
    expect(visit.page).to_have_url(re.compile("geometry.energy=0.897$"))
    visit.turn_to("Phantom drift")
    expect(visit.page).to_have_url(re.compile("drift.energy=0.897$"))
    visit.turn_to("Data")
    for step, title in (
        (visit.page.go_back, "Phantom drift"),
        (visit.page.go_back, "Geometry"),
        (visit.page.go_forward, "Phantom drift"),
        (visit.page.go_back, "Geometry"),
    ):
        step()
        expect(visit.page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=visit.patience)
        visit.settle()
    expect(visit.page).to_have_url(re.compile("geometry.energy=0.897$"))
    assert visit.page.get_by_role("slider").first.input_value() == "0.897"
    visit.page.reload()
    visit.settle()
    assert visit.page.get_by_role("slider").first.input_value() == "0.897"
