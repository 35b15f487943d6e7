"""Source kept against target reached: which methods pay what for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from realign_core.comparison import Comparison
from realign_core.figures.bars import _errors, _text
from realign_core.figures.clouds import fitted
from realign_core.figures.labels import label_places
from realign_core.figures.theme import method_label, method_marker, nothing, palette, styled
from realign_core.glossary import SCORES, shown


def trade_off(
    result: Comparison,
    *,
    kept: str = "omega",
    reached: str = "entropy_mixing_target",
    methods: Sequence[str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """`kept` across, `reached` upwards (turned over where lower is better): the upper right corner is best.

    Held-out scores with 95 % intervals where there are any, else in-sample.
    """
    p = palette(dark)
    points = {}
    for name, method in fitted(result, methods).items():
        values = method.held_out or method.in_sample
        x, y = values.get(kept), values.get(reached)
        if x is not None and y is not None:
            points[name] = (method, x, y)
    if not points:
        return nothing("Neither score exists for these data, so there is no trade-off to show.", dark=dark)
    xs, ys = [x for _, x, _ in points.values()], [y for *_, y in points.values()]
    reference = result.reference.get(reached)
    x_range = padded(xs)
    y_range = padded([*ys, *([] if reference is None else [reference])])
    down = SCORES[reached].better == "down"
    figure = go.Figure()
    add_reference(figure, reference, x_range, p.muted)
    labels = {}
    for name, (method, x, y) in points.items():
        marker = method_marker(name, dark, 13)
        label = method_label(name)
        if method.collapsed:
            marker |= {"opacity": 0.45}
            label += " (collapsed)"
        labels[name] = label
        bounds = method.interval.get(kept), method.interval.get(reached)
        figure.add_scatter(
            x=[x],
            y=[y],
            mode="markers",
            name=label,
            marker=marker,
            showlegend=False,
            cliponaxis=False,
            error_x=_errors([x], bounds[:1], marker["color"]) | {"thickness": 1, "width": 3},
            error_y=_errors([y], bounds[1:], marker["color"]) | {"thickness": 1, "width": 3},
            customdata=[[_text(x, bounds[0]), _text(y, bounds[1])]],
            hovertemplate=f"{SCORES[kept].label}: %{{customdata[0]}}<br>"
            f"{SCORES[reached].label}: %{{customdata[1]}}<extra>{label}</extra>",
        )
    add_labels(
        figure,
        [Label(labels[name], x, y) for name, x, y in zip(points, xs, ys)],
        x_range,
        y_range[::-1] if down else y_range,
        reference,
        dark=dark,
    )
    return styled(
        figure,
        dark=dark,
        height=430,
        **trade_off_axes(kept, reached, x_range, y_range),
        margin={"l": 64, "r": 24, "t": 34, "b": 52},
        showlegend=reference is not None,
    )


def trade_off_axes(kept: str, reached: str, x_range: list[float], y_range: list[float]) -> dict:
    """Axes of a trade-off: both run towards what is better, so the upper right corner is best."""
    down = SCORES[reached].better == "down"
    return {
        "xaxis": {"title": {"text": f"{SCORES[kept].label}: source kept →"}, "range": x_range, "nticks": 6},
        "yaxis": {
            "title": {"text": f"{SCORES[reached].label}: target reached →"},
            "range": y_range[::-1] if down else y_range,
            "nticks": 6,
        },
    }


def add_reference(figure: go.Figure, reference: float | None, x_range: list[float], colour: str) -> None:
    """The line of a perfect map, where the score has one."""
    if reference is None:
        return
    figure.add_scatter(
        x=x_range,
        y=[reference, reference],
        mode="lines",
        name=f"perfect (target against target), {shown(reference)}",
        line={"color": colour, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )


@dataclass(frozen=True)
class Label:
    """A text beside the marker at `(x, y)`, in its own colour or in ink."""

    text: str
    x: float
    y: float
    colour: str | None = None


def add_labels(
    figure: go.Figure,
    labels: Sequence[Label],
    x_range: list[float],
    y_range: list[float],
    reference: float | None,
    *,
    dark: bool,
    others: Sequence[tuple[float, float]] = (),
    panel: int = 1,
) -> None:
    """Labels that meet neither each other nor a marker, those of `others` included, in a panel."""
    p = palette(dark)
    shifts = label_places(
        [label.text for label in labels],
        inside([label.x for label in labels], x_range),
        inside([label.y for label in labels], y_range),
        [] if reference is None else inside([reference], y_range),
        others=list(
            zip(inside([x for x, _ in others], x_range), inside([y for _, y in others], y_range), strict=True)
        ),
    )
    for label, (across, up) in zip(labels, shifts):
        figure.add_annotation(
            x=label.x,
            y=label.y,
            text=label.text,
            xref=f"x{panel}" if panel > 1 else "x",
            yref=f"y{panel}" if panel > 1 else "y",
            font={"color": label.colour or p.ink},
            ax=across,
            ay=-up,
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=p.muted,
            standoff=9,
            bgcolor=p.background,
            borderpad=1,
        )


def padded(values: Sequence[float]) -> list[float]:
    """A range around the values with room for labels."""
    low, high = min(values), max(values)
    pad = 0.12 * (high - low) or 0.1
    return [low - pad, high + pad]


def inside(values: Sequence[float], span: Sequence[float]) -> list[float]:
    """Where values lie within a span, 0 to 1."""
    return [(value - span[0]) / (span[1] - span[0]) for value in values]
