"""Every page in light and dark: readable by axe-core's rules, within 1280 x 800, reachable by keyboard."""

import re

import pytest
from ensure_browser import AXE, required
from playwright.sync_api import expect
from serving import serve
from visits import PAGES

from realign_core.figures.theme import palette

SERIOUS = ("serious", "critical")


def violations(visit) -> list[str]:
    """Serious and critical findings of axe-core on the page as it stands."""
    if not AXE.is_file():
        reason = "axe-core is not installed; run npm ci --prefix tests/browser"
        pytest.fail(reason) if required() else pytest.skip(reason)
    if not visit.page.evaluate("'axe' in window"):
        visit.page.add_script_tag(path=str(AXE))
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_fit_the_window_and_serious_rules(visitor, dark):
    visit = visitor(dark=dark)
    visit.open()
    faults = {}
    for title in PAGES:
        visit.turn_to(title)
        assert "Traceback" not in visit.text()
        assert "failed unexpectedly" not in visit.text()
        beside = visit.page.get_by_test_id("stCaptionContainer").first.locator("p").bounding_box()
        heading = visit.page.get_by_role("heading", level=1).bounding_box()
        wide = visit.sideways()
        found = violations(visit) + ([f"{wide} px too wide"] if wide > 0 else [])
        if beside["height"] > heading["height"]:
            found.append("what is said beside the heading breaks into lines")
        if found:
            faults[title] = found
    told = "\n".join(f"{title}: {fault}" for title, found in faults.items() for fault in found)
    assert not faults, told


def test_figures_follow_a_switch_of_the_theme(visit):
    visit.open()

    def background() -> str:
        return visit.page.evaluate("document.querySelector('.js-plotly-plot')._fullLayout.paper_bgcolor")

    for dark in (False, True, False):
        visit.page.emulate_media(color_scheme="dark" if dark else "light")
        wanted = palette(dark).background
        visit.page.wait_for_function(
            "(wanted) => document.querySelector('.js-plotly-plot')?._fullLayout?.paper_bgcolor === wanted",
            arg=wanted,
            timeout=visit.patience,
        )
        visit.settle()
        assert background() == wanted


def test_pages_open_by_their_link_and_show_the_navigation(visit):
    for title, address in PAGES.items():
        visit.open(address)
        assert visit.page.get_by_role("heading", name=title, level=1).is_visible()
        assert visit.page.get_by_role("link", name="Neighbours", exact=True).first.is_visible()


def test_the_first_link_to_a_plain_server_opens_inside_the_dashboard(visitor, tmp_path):
    with serve(tmp_path, tmp_path / "server.log", plain=True) as (address, _):
        visit = visitor()
        visit.server = address
        visit.page.goto(f"{address}/geometry?energy=0.9")
        heading = visit.page.get_by_role("heading", name="Geometry", level=1)
        expect(heading).to_be_visible(timeout=visit.patience)
        visit.settle()
        names = visit.page.get_by_role("link").all_inner_texts()
        assert [name for name in names if name in PAGES] == list(PAGES)
        assert visit.page.get_by_role("slider").first.input_value() == "0.9"
        visit.page.goto("about:blank")


def test_settings_in_the_address_restore_the_view(visit):
    visit.open(
        "report?data=path%3Asmall_image.npy%7Csmall_text.npy&k=5&seed=3&energy=0.9&methods=c3,rotation"
    )
    said = visit.text()
    assert "240 pairs" in said
    assert "methods C3, Rotation, energy 0.9, k 5" in said
    assert "seed 3" in said
    link = next(line for line in said.splitlines() if line.startswith(visit.server) and "compare?" in line)
    visit.page.goto(link)
    visit.settle().turn_to("Report")
    assert "methods C3, Rotation, energy 0.9, k 5" in visit.text()


def test_nonsense_in_the_address_falls_back(visit):
    visit.open("report?k=lots&energy=7&methods=none,such&sigma=-4&method=nothing&data=sample%3Anone")
    assert "energy 0.99, k 10" in visit.text()
    assert re.search(r"3\s000 pairs", visit.text())


@pytest.mark.parametrize("path", ["../outside.npy", "/etc/hostname", "link.npy"])
def test_a_path_outside_the_root_is_refused(visit, data_root, path):
    link = data_root / "link.npy"
    if path == "link.npy" and not link.is_symlink():
        link.symlink_to(data_root.parent / "outside.npy")
    visit.open(f"?data=path%3A{path}")
    assert "outside the folder" in visit.text()
    assert "20 pairs" not in visit.text()


def test_main_controls_are_reached_by_keyboard(visit):
    visit.open("report")
    reached = set()
    for _ in range(40):
        visit.page.keyboard.press("Tab")
        reached.add(
            visit.page.evaluate(
                "() => (document.activeElement.innerText || document.activeElement.ariaLabel || '').trim()"
            )
        )
    for name in ("Compare", "Download the report", "Metrics as JSON", "Aligned embeddings", "Fitted aligner"):
        assert name in reached, (name, reached)


def test_the_energy_slider_answers_the_keyboard(visit):
    visit.open("geometry")
    slider = visit.page.get_by_role("slider").first
    slider.focus()
    before = slider.input_value()
    slider.press("ArrowLeft")
    visit.settle()
    assert slider.input_value() != before
