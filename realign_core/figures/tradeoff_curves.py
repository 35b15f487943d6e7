"""Source kept against target reached along the methods' dials: curves, with the oracle path and corners."""

# ruff: noqa: RUF001  (numbers are set with a true minus and multiplication sign)

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from realign_core.comparison import Comparison
from realign_core.comparison.tradeoff import Curve, CurvePoint, TradeOffCurves
from realign_core.figures.bars import _errors, _text
from realign_core.figures.close_up import View, close_up, outline
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
from realign_core.figures.tradeoff import Label, add_labels, add_reference, trade_off_axes
from realign_core.glossary import SCORES, listed, shown

Placed = tuple[CurvePoint, float, float]
MARKER, DEFAULT_MARKER, CORNER_MARKER = 7, 13, 13
WIDTHS = {1: [1], 2: [0.42, 0.58]}
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

    Where the methods crowd in a corner, a second panel shows it larger. Methods of the comparison that
    have no dial stand as single marks. Points without either score are
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
    spots = [(x, y) for _, x, y in everything]
    own = [(x, y) for point, x, y in everything if point.method not in ("oracle", "random_target")]
    reference = result.reference.get(reached)
    whole = View.of(spots, [] if reference is None else [reference])
    near = close_up(own, whole)
    views = [whole, near] if near else [whole]
    figure = make_subplots(cols=len(views), column_widths=WIDTHS[len(views)], horizontal_spacing=0.14)
    down = SCORES[reached].better == "down"
    layout: dict = {}
    for number, view in enumerate(views, start=1):
        before = len(figure.data)
        add_reference(figure, reference, view.x, p.muted)
        if oracle:
            _add_oracle(figure, oracle, kept, reached, dark=dark)
        for name, points in lines.items():
            _add_curve(figure, name, points, kept, reached, dark=dark)
        for spot in single:
            _add_single(figure, spot, kept, reached, dark=dark)
        for trace in figure.data[before:]:
            trace.update(xaxis=f"x{number}", yaxis=f"y{number}")
            if number > 1:
                # The legend names each once, and what lies outside a close-up stays outside its frame.
                trace.update(showlegend=False, cliponaxis=True)
        other = near if number == 1 else None
        add_labels(
            figure,
            [
                label
                for label in _labels([*lines.values(), oracle], single, view, dark)
                if view.holds(label.x, label.y) and not (other and other.holds(label.x, label.y))
            ],
            view.x,
            view.y[::-1] if down else view.y,
            reference if reference is not None and view.holds(view.x[0], reference) else None,
            dark=dark,
            others=[spot for spot in spots if view.holds(*spot)],
            panel=number,
        )
        axes = trade_off_axes(kept, reached, view.x, view.y)
        layout |= {f"{axis}{number}": axes[axis] for axis in ("xaxis", "yaxis")}
    if near:
        outline(figure, near, p.muted)
    return styled(
        figure,
        dark=dark,
        height=500,
        **layout,
        margin={"l": 64, "r": 24, "t": 34, "b": 52},
        hovermode="closest",
    )


def _labels(lines: list[list[Placed]], single: list[Placed], view: View, dark: bool) -> list[Label]:
    """Names of single marks, and the dial's values at the ends of lines, one label a spot of the view."""
    labels = [
        Label(f"<b>{method_label(point.method)}</b>", x, y, method_colour(point.method, dark))
        for point, x, y in single
    ]
    for points in lines:
        line = [spot for spot in points if spot[0].on_line]
        for point, x, y in (*line[:1], *line[1:][-1:]):
            taken = any(
                abs(other.x - x) < NEAR * (view.x[1] - view.x[0])
                and abs(other.y - y) < NEAR * (view.y[1] - view.y[0])
                for other in labels
            )
            if not taken:
                known = point.method in LABELS
                colour = method_colour(point.method, dark) if known else palette(dark).muted
                labels.append(Label(point.text, x, y, colour))
    return labels


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
    rims = [1.5 if point.default else 0 for point, *_ in points]
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
        name="oracle path: knows the partner, no method",
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
        "The dotted path uses every row's own partner: what that knowledge buys from a mean shift on.",
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
        remarks.append("no method")
    cells = []
    for score in (kept, reached):
        span = bounds.get(score)
        cells += [shown(values.get(score)), f"{shown(span[0])} to {shown(span[1])}" if span else "–"]
    return _name(point.method), point.text or "–", *cells, ", ".join(remarks)
