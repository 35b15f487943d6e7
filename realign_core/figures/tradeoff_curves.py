"""Source kept against target reached along the methods' dials: curves, with the oracle path and corners."""

# ruff: noqa: RUF001  (numbers are set with a true minus and multiplication sign)

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from realign_core.comparison import Comparison
from realign_core.comparison.tradeoff import Curve, CurvePoint, TradeOffCurves
from realign_core.figures.bars import _errors, _text
from realign_core.figures.described import NO_VALUE, Described
from realign_core.figures.theme import (
    LABELS,
    method_colour,
    method_label,
    method_marker,
    nothing,
    palette,
    styled,
)
from realign_core.figures.tradeoff import Label, add_labels, add_reference, padded, trade_off_axes
from realign_core.glossary import SCORES, listed, shown

Placed = tuple[CurvePoint, float, float]
MARKER, DEFAULT_MARKER, CORNER_MARKER = 7, 13, 13
FAINT = 0.4
"""Opacity of interval bars, so that a bundle of them does not hide the curves."""
NEAR = 0.02
"""Markers closer than this share of the plot are one spot, which needs one label."""


def curves_figure(
    result: Comparison,
    found: TradeOffCurves,
    *,
    kept: str = "omega",
    reached: str = "entropy_mixing_target",
    dark: bool = False,
) -> go.Figure:
    """`kept` across, `reached` upwards, as in `trade_off`: a line a method, its default marked large.

    Methods of the comparison that have no dial stand as single marks. Points without either score are
    left out.
    """
    p = palette(dark)
    lines = {curve.method: _placed(curve.points, kept, reached) for curve in found.curves}
    lines = {name: points for name, points in lines.items() if points}
    oracle = _placed(found.oracle.points if found.oracle else (), kept, reached)
    single = _placed((*found.corners.values(), *_without_dial(result, found)), kept, reached)
    everything = [*(spot for points in lines.values() for spot in points), *oracle, *single]
    if not everything:
        return nothing("Neither score exists for these data, so there is no trade-off to show.", dark=dark)
    reference = result.reference.get(reached)
    x_range = padded([x for _, x, _ in everything])
    y_range = padded([*(y for *_, y in everything), *([] if reference is None else [reference])])
    figure = go.Figure()
    add_reference(figure, reference, x_range, p.muted)
    labels = [
        Label(f"<b>{method_label(point.method)}</b>", x, y, method_colour(point.method, dark))
        for point, x, y in single
    ]
    if oracle:
        _add_oracle(figure, oracle, kept, reached, dark=dark)
    for name, points in lines.items():
        _add_curve(figure, name, points, kept, reached, dark=dark)
    for spot in single:
        _add_single(figure, spot, kept, reached, dark=dark)
    for points in (*lines.values(), oracle):
        labels += _ends(points, labels, x_range, y_range, dark)
    down = SCORES[reached].better == "down"
    add_labels(
        figure,
        labels,
        x_range,
        y_range[::-1] if down else y_range,
        reference,
        dark=dark,
        others=[(x, y) for _, x, y in everything],
    )
    return styled(
        figure,
        dark=dark,
        height=500,
        **trade_off_axes(kept, reached, x_range, y_range),
        margin={"l": 64, "r": 24, "t": 34, "b": 52},
        hovermode="closest",
    )


def _without_dial(result: Comparison, found: TradeOffCurves) -> list[CurvePoint]:
    there = {curve.method for curve in found.curves} | set(found.corners)
    return [
        CurvePoint(name, None, "", method.shown_scores)
        for name, method in result.fitted.items()
        if name not in there
    ]


def _placed(points: Sequence[CurvePoint], kept: str, reached: str) -> list[Placed]:
    found = []
    for point in points:
        x, y = (point.scores.values.get(score) for score in (kept, reached))
        if x is not None and y is not None:
            found.append((point, x, y))
    return found


def _add_curve(
    figure: go.Figure, name: str, points: list[Placed], kept: str, reached: str, *, dark: bool
) -> None:
    """The line through the dial's values, then a mark a value with its interval bars."""
    marker, label = method_marker(name, dark, MARKER), method_label(name)
    line = [spot for spot in points if spot[0].on_line]
    figure.add_scatter(
        x=[x for _, x, _ in line],
        y=[y for *_, y in line],
        mode="lines",
        line={"color": marker["color"], "width": 2},
        legendgroup=name,
        showlegend=False,
        hoverinfo="skip",
    )
    sizes = [DEFAULT_MARKER if point.default else MARKER for point, *_ in points]
    opacity = [0.35 if point.scores.collapsed else 1.0 for point, *_ in points]
    rims = [2 if point.default else 0 for point, *_ in points]
    ink = palette(dark).ink
    figure.add_scatter(
        x=[x for _, x, _ in points],
        y=[y for *_, y in points],
        mode="markers",
        name=label,
        legendgroup=name,
        cliponaxis=False,
        marker={**marker, "size": sizes, "opacity": opacity, "line": {"color": ink, "width": rims}},
        customdata=_hover(points, kept, reached),
        hovertemplate=_template(label, kept, reached),
        **_bars(points, kept, reached, _faint(marker["color"])),
    )


def _add_oracle(figure: go.Figure, points: list[Placed], kept: str, reached: str, *, dark: bool) -> None:
    muted = palette(dark).muted
    figure.add_scatter(
        x=[x for _, x, _ in points],
        y=[y for *_, y in points],
        mode="lines+markers",
        name="oracle path (sees partners: a bound, no method)",
        line={"color": muted, "width": 1.5, "dash": "dot"},
        marker={"color": muted, "symbol": "circle-open", "size": MARKER - 1},
        cliponaxis=False,
        customdata=_hover(points, kept, reached),
        hovertemplate=_template("Oracle path", kept, reached),
    )


def _add_single(figure: go.Figure, spot: Placed, kept: str, reached: str, *, dark: bool) -> None:
    point, x, y = spot
    marker = method_marker(point.method, dark, CORNER_MARKER)
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        name=method_label(point.method),
        showlegend=False,
        cliponaxis=False,
        marker=marker,
        customdata=_hover([spot], kept, reached),
        hovertemplate=_template(method_label(point.method), kept, reached),
        **_bars([spot], kept, reached, _faint(marker["color"])),
    )


def _ends(
    points: list[Placed], labels: list[Label], x_range: list[float], y_range: list[float], dark: bool
) -> list[Label]:
    """The dial's values at both ends of a line, unless a label stands on that spot already."""
    line = [spot for spot in points if spot[0].on_line]
    found: list[Label] = []
    for point, x, y in (*line[:1], *line[1:][-1:]):
        taken = [
            other
            for other in (*labels, *found)
            if abs(other.x - x) < NEAR * (x_range[1] - x_range[0])
            and abs(other.y - y) < NEAR * (y_range[1] - y_range[0])
        ]
        if not taken:
            known = point.method in LABELS
            colour = method_colour(point.method, dark) if known else palette(dark).muted
            found.append(Label(point.text, x, y, colour))
    return found


def _hover(points: list[Placed], kept: str, reached: str) -> list[list[str]]:
    rows = []
    for point, x, y in points:
        bounds = point.scores.interval
        marks = [point.text] if point.text else []
        marks += ["default"] if point.default else []
        marks += ["collapsed"] if point.scores.collapsed else []
        head = f"{', '.join(marks)}<br>" if marks else ""
        rows.append([head, _text(x, bounds.get(kept)), _text(y, bounds.get(reached))])
    return rows


def _template(label: str, kept: str, reached: str) -> str:
    return (
        f"%{{customdata[0]}}{SCORES[kept].label}: %{{customdata[1]}}<br>"
        f"{SCORES[reached].label}: %{{customdata[2]}}<extra>{label}</extra>"
    )


def _bars(points: list[Placed], kept: str, reached: str, colour: str) -> dict:
    thin = {"thickness": 1, "width": 0}
    scores = [point.scores for point, *_ in points]
    return {
        "error_x": _errors([x for _, x, _ in points], [s.interval.get(kept) for s in scores], colour) | thin,
        "error_y": _errors([y for *_, y in points], [s.interval.get(reached) for s in scores], colour) | thin,
    }


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{FAINT})"


def described_curves(
    result: Comparison, found: TradeOffCurves, *, kept: str = "omega", reached: str = "entropy_mixing_target"
) -> Described:
    """The curves with their words and the table of every value."""
    lines: list[Curve] = [*found.curves, *([found.oracle] if found.oracle else [])]
    rows = [_row(point, kept, reached) for point in found.corners.values()]
    rows += [_row(point, kept, reached) for point in _without_dial(result, found)]
    rows += [_row(point, kept, reached) for curve in lines for point in curve.points]
    told = []
    for curve in lines:
        ends = _placed(curve.line, kept, reached)
        if ends:
            told.append(" to ".join(f"{p.text} {shown(x)} and {shown(y)}" for p, x, y in (ends[0], ends[-1])))
            told[-1] = f"{_name(curve.method)} from {told[-1]}"
    return Described(
        "trade-off-curves",
        "Source kept against target reached, along each method's dial",
        "Upper right is best. A line is one method as its dial turns; the large mark is its default, the "
        "values at the ends are written out and the others are in the hover. Thin bars are 95 % intervals. "
        "The dotted path uses every row's own partner: it bounds what methods can reach, and is none itself.",
        f"{SCORES[kept].label} and {SCORES[reached].label}: {listed(told)}." if told else NO_VALUE,
        (
            "method",
            "dial",
            SCORES[kept].label,
            "95 % interval",
            SCORES[reached].label,
            "95 % interval of it",
            "remarks",
        ),
        tuple(rows),
        (kept, reached, "methods.held_out", "methods.interval"),
        lambda dark: curves_figure(result, found, kept=kept, reached=reached, dark=dark),
    )


def _name(method: str) -> str:
    return LABELS.get(method, "Oracle path" if method == "oracle" else method)


def _row(point: CurvePoint, kept: str, reached: str) -> tuple[str, ...]:
    values, bounds = point.scores.values, point.scores.interval
    remarks = [
        word for word, holds in (("default", point.default), ("collapsed", point.scores.collapsed)) if holds
    ]
    if point.method == "oracle":
        remarks.append("bound, no method")
    cells = []
    for score in (kept, reached):
        span = bounds.get(score)
        cells += [shown(values.get(score)), f"{shown(span[0])} to {shown(span[1])}" if span else "–"]
    return _name(point.method), point.text or "–", *cells, ", ".join(remarks)
