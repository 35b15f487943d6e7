import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest
import result_cases

from realign_core.findings import headline
from realign_core.report import command_line, report_html, write_report
from realign_core.report.embed import differences


class Page(HTMLParser):
    """Ids, links that load something, and the text outside scripts and style."""

    def __init__(self, source):
        super().__init__()
        self.ids, self.loaded, self.text, self.open, self.scripts = [], [], [], [], {}
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        self.loaded += [
            v for k, v in found.items() if k in ("src", "srcset") or (tag == "link" and k == "href")
        ]
        if tag in ("script", "style"):
            self.open.append(found.get("id", tag))

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.scripts[self.open[-1]] = self.scripts.get(self.open[-1], "") + data
        else:
            self.text.append(data)


@pytest.fixture(scope="module")
def source():
    return report_html(result_cases.case("every"))


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_it_loads_nothing_from_anywhere(page):
    assert page.loaded == ["data:,"]
    style = page.scripts["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_plotly_is_inside_once(source):
    assert len(re.findall(r"plotly\.js v\d", source)) == 1
    assert 4e6 < len(source) < 7e6


def test_every_figure_has_its_place_words_and_numbers(page):
    specs = json.loads(page.scripts["figures"])
    assert len(specs) >= 15
    assert len(page.ids) == len(set(page.ids))
    assert set(specs) <= set(page.ids)
    text = "".join(page.text)
    assert text.count("In words") == len(specs)
    assert text.count("What these mean") == len(specs)


def test_it_opens_with_the_headline_and_ends_with_the_definitions(page):
    text = "".join(page.text)
    assert headline(result_cases.case("every").diagnosis) in text
    assert text.index("Phantom drift: what") < text.index("Compare: what") < text.rindex("Definitions")


def test_the_dark_figure_is_the_light_one_with_its_differences(page):
    specs = json.loads(page.scripts["figures"])
    spec = specs["plot-energy"]
    figure = json.loads(json.dumps(spec["figure"]))
    for path, value in spec["dark"]:
        place = figure
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    assert figure["layout"]["template"]["layout"]["paper_bgcolor"] == "#14181d"
    assert len(json.dumps(spec["dark"])) < len(json.dumps(spec["figure"]))


def test_differences_take_one_tree_into_the_other():
    light = {"a": [1, {"b": 2}], "c": "same"}
    assert list(differences(light, {"a": [1, {"b": 3}], "c": "same"})) == [(["a", 1, "b"], 3)]
    assert list(differences(light, light)) == []
    assert list(differences({"a": [1]}, {"a": [1, 2]})) == [(["a"], [1, 2])]


def test_text_from_the_data_is_no_mark_up():
    result = result_cases.case("single")
    evil = "<script>alert(1)</script>"
    dataset = dataclasses.replace(result.dataset, path_target=evil, path_source=evil)
    method = dataclasses.replace(result.methods["realign"], name=evil)
    result = dataclasses.replace(
        result, dataset=dataset, methods={evil: method}, warnings=(*result.warnings, evil)
    )
    source = report_html(result)
    assert evil not in source
    assert len(re.findall(r"<script[ >]", source.replace("plotly", ""))) >= 3
    assert Page(source).scripts.keys() == {"figures", "script", "style"}


@pytest.mark.parametrize("name", ["unpaired", "few", "constant", "raw"])
def test_borders_give_a_whole_page(name):
    page = Page(report_html(result_cases.case(name)))
    text = "".join(page.text)
    assert "nan" not in re.findall(r"\b\w+\b", text)
    assert "None" not in re.findall(r"\b\w+\b", text)


def test_figures_that_the_data_do_not_have_are_named_and_not_drawn():
    page = Page(report_html(result_cases.case("unpaired")))
    assert "plot-bias-noise" not in json.loads(page.scripts["figures"])
    text = "".join(page.text)
    assert "Not there for these data" in text
    assert "these sets are not paired" in text
    assert "Residual anisotropy" not in text.split("Bias of the gap")[0]


def test_it_is_written_as_it_is_returned(tmp_path):
    result = result_cases.case("single")
    write_report(result, tmp_path / "r.html")
    written = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert written == report_html(result)


def test_the_command_line_repeats_the_analysis():
    result = result_cases.case("single")
    assert command_line(result) is None
    dataset = dataclasses.replace(result.dataset, path_target="a b.npy", path_source="a b.npy")
    words = command_line(dataclasses.replace(result, dataset=dataset))
    assert words.startswith("python -m realign_core analyze 'a b.npy' --paired yes --methods realign")
    assert "--k 5" in words
    assert "--bootstrap 40" in words
    assert "--energy" not in words
    raw = dataclasses.replace(result_cases.case("raw"), dataset=dataset)
    assert "--no-normalize" in command_line(raw)


@pytest.mark.browser
def test_a_browser_draws_it_offline_and_follows_the_scheme(tmp_path, browser):
    path = tmp_path / "report.html"
    write_report(result_cases.case("every"), path)
    asked, complaints, colours = [], [], []
    tab = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-drawn=yes]", timeout=60_000)
    background = "document.getElementById('plot-energy')._fullLayout.paper_bgcolor"
    colours.append(tab.evaluate(background))
    tab.emulate_media(color_scheme="light")
    tab.wait_for_function(f"{background} !== '{colours[0]}'")
    colours.append(tab.evaluate(background))
    drawn = tab.locator(".js-plotly-plot").count()
    buttons = tab.locator(".modebar-btn").evaluate_all("all => all.map(one => one.dataset.title)")
    width = tab.evaluate("document.documentElement.scrollWidth")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []
    assert drawn >= 15
    assert "Zoom" in buttons
    assert not [title for title in buttons if "hare" in title or "loud" in title]
    assert width <= 1280
    assert colours == ["#14181d", "#ffffff"]
