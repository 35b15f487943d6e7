"""The figure of costs: positions, intervals, marks that do not hang on colour, and its words."""

import re

import numpy as np
import pytest
import result_cases
import useful_sets

from realign_core.comparison import differences
from realign_core.figures import use_differences
from realign_core.figures.described import NO_VALUE
from realign_core.figures.theme import method_colour, method_symbol
from realign_core.figures.usefulness import _span, described_uses
from realign_core.glossary import share

NAMES = ("mean_shift", "anchor_trace")


def dots(figure):
    """Traces by method and panel."""
    return {(trace.name, trace.xaxis): trace for trace in figure.data}


@pytest.mark.parametrize("dark", [False, True])
def test_each_difference_stands_at_its_value_with_its_interval(dark):
    found = useful_sets.judged("harmed", ("identity", *NAMES))
    figure = use_differences(found, dark=dark)
    assert len(figure.data) == 3 * len(NAMES)
    marks = dots(figure)
    for name, label in zip(NAMES, ("Mean shift", "Anchor + trace")):
        for score, axis in zip(("recall_at_1", "recall_at_1_reverse", "zero_shot"), ("x", "x2", "x3")):
            one, trace = differences(found)[name][score], marks[label, axis]
            assert trace.x == (one.change,)
            assert trace.error_x.array[0] == pytest.approx(max(0, one.high - one.change))
            assert trace.error_x.arrayminus[0] == pytest.approx(max(0, one.change - one.low))
            assert trace.marker.color == method_colour(name, dark)
            word = {"loss": "loss", "gain": "gain", "open": ""}[one.verdict]
            symbol = method_symbol(name) + ("" if word else "-open")
            assert (trace.text, trace.marker.symbol) == ((word,), symbol)


def test_the_control_does_not_set_the_scale_unless_it_is_alone():
    beside = use_differences(useful_sets.judged("spared"))
    assert {trace.name for trace in beside.data} == {"Mean shift"}
    assert beside.layout.xaxis.range[0] > -0.2
    assert (
        "The negative control stands in the numbers." in described_uses(useful_sets.judged("spared")).reading
    )
    assert any(row[1] == "Random target" for row in described_uses(useful_sets.judged("spared")).rows)
    alone = use_differences(useful_sets.judged("spared", ("identity", "random_target")))
    assert {trace.name for trace in alone.data} == {"Random target"}


def test_losses_and_gains_are_told_by_a_word_and_a_filled_symbol():
    def mark(kind):
        trace = dots(use_differences(useful_sets.judged(kind)))["Mean shift", "x"]
        return trace.text[0], trace.marker.symbol.endswith("-open")

    assert [mark(kind) for kind in ("harmed", "helped", "spared")] == [
        ("loss", False), ("gain", False), ("", True),
    ]  # fmt: skip


def test_the_line_of_no_change_stands_in_every_panel_and_in_view():
    figure = use_differences(useful_sets.judged("harmed"))
    lines = [shape for shape in figure.layout.shapes if shape.x0 == shape.x1 == 0]
    assert [line.xref for line in lines] == ["x", "x2", "x3"]
    low, high = figure.layout.xaxis.range
    assert low < 0 < high
    bounds = [end for trace in figure.data for end in (trace.x[0] - trace.error_x.arrayminus[0], trace.x[0])]
    assert low < np.min(bounds)


def test_panels_say_what_the_untouched_source_reads_and_what_guessing_would():
    found = useful_sets.judged("harmed")
    headings = [note.text for note in use_differences(found).layout.annotations[:3]]
    for heading, score in zip(headings, ("recall_at_1", "recall_at_1_reverse", "zero_shot")):
        assert f"untouched {share(found.untouched.held_out[score])}" in heading
    assert "chance 0.250" in headings[2]


def test_without_labels_there_are_two_panels():
    found = useful_sets.judged("harmed", labelled=False)
    assert {trace.xaxis for trace in use_differences(found).data} == {"x", "x2"}
    assert not any("Zero-shot" in row[0] for row in described_uses(found).rows)


def test_its_words_and_table_hold_every_difference():
    found = useful_sets.judged("harmed")
    words = described_uses(found)
    assert len(words.rows) == 6
    assert all(len(row) == len(words.columns) for row in words.rows)
    one = differences(found)["mean_shift"]["recall_at_1"]
    change = share(one.change, signed=True)
    assert f"Mean shift, Text → image, recall@1: {change} (loss)" in words.alt
    (row,) = (row for row in words.rows if row[:2] == ("Text → image, recall@1", "Mean shift"))
    assert {change, share(one.before), share(one.after), "loss"} <= set(row)
    before, after = one.in_sample
    assert row[-1] == f"{share(before)} to {share(after)}"


@pytest.mark.parametrize("name", ["unpaired", "few"])
def test_without_differences_it_says_what_is_missing(name):
    words = described_uses(result_cases.case(name))
    assert words.empty
    assert words.alt == NO_VALUE
    assert "need pairs" in words.draw(False).layout.annotations[0].text


def test_ticks_of_the_narrowest_axis_are_told_apart_and_clear_of_its_ends():
    low, high = _span([0.0, 0.0])
    # Plotly's steps: the round number from which at most `nticks` fit in.
    step = next(step for step in (0.001, 0.002, 0.005, 0.01, 0.02) if (high - low) / step <= 5)
    ticks = [round(place * step, 6) for place in range(-10, 11) if low <= place * step <= high]
    (decimals,) = re.findall(
        r"\.(\d)~f", use_differences(useful_sets.judged("spared")).layout.xaxis.tickformat
    )
    assert len({f"{tick:.{decimals}f}" for tick in ticks}) == len(ticks)
    assert min(ticks[0] - low, high - ticks[-1]) > 0.05 * (high - low)
