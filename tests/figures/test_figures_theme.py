import dataclasses
import json
import math

import pytest
import result_cases

from realign_core.figures.comparison_list import comparison_figures
from realign_core.figures.drift_list import drift_figures
from realign_core.figures.geometry_list import geometry_figures
from realign_core.figures.theme import (
    DARK,
    LIGHT,
    METHOD_SYMBOLS,
    SOURCE_SYMBOL,
    TARGET_SYMBOL,
    method_colour,
    method_symbol,
)
from realign_core.glossary import term


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def every_figure(result):
    diagnosis = result.diagnosis
    return (
        *geometry_figures(diagnosis),
        *drift_figures(diagnosis, result.drift_path),
        *comparison_figures(result),
    )


@pytest.mark.parametrize("p", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_stands_out_from_its_background(p):
    marks = [p.target, p.source, *p.parts.values(), *p.methods.values(), *p.spare]
    for colour in marks:
        assert contrast(colour, p.background) >= 3, colour
    for colour in (p.ink, p.muted):
        assert contrast(colour, p.background) >= 4.5, colour


def test_the_control_of_that_test_fails():
    assert contrast("#E69F00", LIGHT.background) < 3


@pytest.mark.parametrize("dark", [False, True])
def test_methods_never_wear_the_colours_or_shapes_of_target_and_source(dark):
    p = DARK if dark else LIGHT
    names = [*p.methods, "mine", "another"]
    for name in names:
        assert method_colour(name, dark) not in (p.target, p.source)
        assert method_symbol(name) not in (TARGET_SYMBOL, SOURCE_SYMBOL)
    assert len(set(p.methods.values())) == len(p.methods)
    assert len(set(METHOD_SYMBOLS.values())) == len(METHOD_SYMBOLS)


def check(figure, key, background):
    """A figure of the house that JSON can carry and whose axes are finite."""
    layout = figure.layout
    assert layout.template.layout.paper_bgcolor == background, key
    assert figure.data or layout.annotations[0].text, key
    assert layout.title.text is None
    json.loads(figure.to_json())
    for name in layout:
        if name.startswith(("xaxis", "yaxis")) and layout[name].range:
            assert all(math.isfinite(end) for end in layout[name].range), key


def test_every_case_draws_every_figure(any_result):
    for described in every_figure(any_result):
        check(described.draw(False), described.key, LIGHT.background)


def test_every_figure_has_a_dark_twin(result):
    for described in every_figure(result):
        check(described.draw(True), described.key, DARK.background)


def test_every_figure_has_words_numbers_and_terms(any_result):
    for described in every_figure(any_result):
        assert described.alt.rstrip().endswith((".", "%")), described.key
        assert described.title
        assert described.reading
        assert all(len(row) == len(described.columns) for row in described.rows), described.key
        assert all(term(key).meaning for key in described.terms)
        assert "nan" not in described.alt
        assert not any("nan" in cell for row in described.rows for cell in row)


def test_figures_with_axes_name_them(result):
    for described in every_figure(result):
        figure = described.draw(False)
        if described.key in ("sphere",):
            continue
        layout = figure.layout
        titled = [
            layout[key].title.text for key in layout if key.startswith("xaxis") and layout[key].title.text
        ]
        shared = [a.text for a in layout.annotations]
        assert titled or shared, described.key


def test_fonts_come_with_the_machine(result):
    for described in every_figure(result):
        text = described.draw(False).to_json()
        assert "Open Sans" not in text
        assert "http" not in text


def test_without_pairs_figures_say_why():
    unpaired = result_cases.case("unpaired").diagnosis
    said = {d.key: d.draw(False) for d in geometry_figures(unpaired)}
    for key in ("residual-spectra", "residual-energy", "bias-noise"):
        assert "pair" in said[key].layout.annotations[0].text


def test_figures_of_a_sample_say_so_and_how_large_it_is(result):
    words = {figure.key: figure.reading for figure in every_figure(result)}
    assert not any(said in words[key] for key in ("projection", "sphere") for said in ("sample", "drawn"))
    judged = {**result.judged, "held_out_target": 70_000, "held_out_source": 60_000}
    (cloud, *_) = comparison_figures(dataclasses.replace(result, judged=judged))
    drawn = len(result.projection.target_rows)
    assert (
        f"drawn are {drawn} of 160 pairs, seeded, stratified by place in the file, out of the 70\u202f000"
        in (cloud.reading)
    )
    path = result.drift_path
    fewer = dataclasses.replace(path, target=path.target[:50])
    (sphere, *_) = drift_figures(result.diagnosis, fewer)
    assert "Drawn are 50 of 160 target rows and 160 of 160 source rows, a seeded sample" in sphere.reading
