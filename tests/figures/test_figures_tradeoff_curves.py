"""The figure of the trade-off curves: what is drawn where, and its words and numbers."""

# ruff: noqa: RUF001  (labels are set with a true multiplication sign)

from __future__ import annotations

import dataclasses

import pytest
import result_cases

import realign_core as rc
from realign_core.comparison import Bench, Settings, trade_off_curves
from realign_core.comparison.side import SideScores
from realign_core.figures.close_up import View, close_up
from realign_core.figures.described import NO_VALUE
from realign_core.figures.tradeoff_curves import curves_figure, described_curves
from realign_core.glossary import shown, term


@pytest.fixture(scope="module")
def curves():
    data = rc.EmbeddingPair.from_arrays(*result_cases.rows(160, 12), paired="yes")
    return trade_off_curves(Bench(data, Settings(bootstrap=40, k=5)))


def first_panel(figure, name, mode):
    """The trace of a method in the first panel."""
    (trace,) = (
        t
        for t in figure.data
        if mode == t.mode and name in (t.name, t.legendgroup) and t.xaxis in (None, "x", "x1")
    )
    return trace


def values(points, score):
    return [point.scores.values[score] for point in points]


@pytest.mark.parametrize("reached", ["entropy_mixing_target", "centroid_gap"])
def test_each_curve_runs_through_its_points_and_marks_its_default(result, curves, reached):
    figure = curves_figure(result, curves, kept="psi", reached=reached)
    labels = {"c3": "C3", "blockwise": "Blockwise", "realign": "ReAlign", "rotation": "Rotation"}
    for curve in curves.curves:
        line = first_panel(figure, curve.method, "lines")
        assert list(line.x) == values(curve.line, "psi")
        assert list(line.y) == values(curve.line, reached)
        marks = first_panel(figure, labels[curve.method], "markers")
        assert list(marks.x) == values(curve.points, "psi")
        sizes = list(marks.marker.size)
        assert [size == max(sizes) for size in sizes] == [point.default for point in curve.points]
        assert [data[0].split("<br>")[0].split(",")[0] for data in marks.customdata] == [
            point.text for point in curve.points
        ]
    low, high = figure.layout.yaxis.range
    assert (low > high) == (reached == "centroid_gap")


def test_interval_bars_reach_from_the_value_to_the_bounds(result, curves):
    figure = curves_figure(result, curves)
    (curve,) = (curve for curve in curves.curves if curve.method == "c3")
    marks = first_panel(figure, "C3", "markers")
    for i, point in enumerate(curve.points):
        low, high = point.scores.interval["omega"]
        assert marks.x[i] + marks.error_x.array[i] == pytest.approx(max(high, marks.x[i]))
        assert marks.x[i] - marks.error_x.arrayminus[i] == pytest.approx(min(low, marks.x[i]))


def test_the_oracle_is_dotted_and_muted_and_called_no_method(result, curves):
    for dark in (False, True):
        figure = curves_figure(result, curves, dark=dark)
        (oracle,) = (t for t in figure.data if "oracle" in (t.name or "") and t.showlegend is not False)
        assert oracle.line.dash == "dot"
        assert "no method" in oracle.name
        assert list(oracle.x) == values(curves.oracle.points, "omega")
        drawn = [t for t in figure.data if t.mode == "lines" and t.legendgroup]
        assert oracle.line.color not in {t.line.color for t in drawn}


def test_corners_ends_and_methods_without_a_dial_are_labelled(result, curves):
    texts = [a.text for a in curves_figure(result, curves).layout.annotations]
    assert texts.count("<b>Untouched</b>") == texts.count("<b>Random target</b>") == 1
    assert "<b>Gaussian OT</b>" in texts
    assert "noise × 8" in texts
    assert not any(text == "strength 0" for text in texts), "the untouched source stands there"


def test_a_crowd_in_a_corner_gets_a_close_up_and_a_spread_does_not():
    crowd = [(0.9 + i / 1000, 1 + i / 500) for i in range(20)]
    far = [(0.1, 0.0), (0.0, 1.0)]
    whole = View.of([*crowd, *far])
    view = close_up([*crowd, *far], whole)
    assert all(view.holds(*spot) for spot in crowd)
    assert not any(view.holds(*spot) for spot in far)
    spread = [(i / 20, (7 * i % 20) / 20) for i in range(20)]
    assert close_up(spread, View.of(spread)) is None
    assert close_up(crowd[:3], whole) is None


def test_a_close_up_draws_the_same_numbers_once_named(result, curves):
    near = [(0.99, 1.0)] * 8
    crowded = dataclasses.replace(curves, curves=tuple(_moved(curve, near) for curve in curves.curves))
    figure = curves_figure(result, crowded)
    second = [t for t in figure.data if t.xaxis == "x2"]
    assert len(second) == len(figure.data) / 2
    assert not any(t.showlegend for t in second)
    assert figure.layout.xaxis2.range[0] > figure.layout.xaxis.range[0]
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.x1) == tuple(figure.layout.xaxis2.range)


def _moved(curve, places):
    points = []
    for i, (point, (x, y)) in enumerate(zip(curve.points, places)):
        moved = {"omega": x - i / 1000, "entropy_mixing_target": y + i / 1000}
        points.append(dataclasses.replace(point, scores=SideScores({**point.scores.values, **moved})))
    return dataclasses.replace(curve, points=tuple(points))


def test_words_and_numbers_hold_every_point(result, curves):
    words = described_curves(result, curves, reached="centroid_gap")
    dialled = [point for curve in (*curves.curves, curves.oracle) for point in curve.points]
    for point in dialled:
        row = next(r for r in words.rows if r[1] == point.text)
        assert row[2] == shown(point.scores.values["omega"])
        assert row[4] == shown(point.scores.values["centroid_gap"])
    assert all(len(row) == len(words.columns) for row in words.rows)
    assert [row[0] for row in words.rows].count("Untouched") == 1
    assert "C3 from noise × 0 " in words.alt
    assert words.alt.endswith(".")
    assert all(term(key).meaning for key in words.terms)
    assert words.draw(True).data


def test_scores_that_nobody_has_leave_a_sentence(curves):
    nothing = dataclasses.replace(result_cases.case("single"), methods={"realign": None})
    bare = dataclasses.replace(curves, curves=(), oracle=None, corners={})
    words = described_curves(nothing, bare)
    assert words.alt == NO_VALUE
    assert "no trade-off to show" in words.draw(False).layout.annotations[0].text.replace("<br>", " ")
