"""Source kept against target reached: which methods pay what for what."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from realign_core.comparison import Comparison
from realign_core.figures.bars import _errors, _text
from realign_core.figures.clouds import fitted
from realign_core.figures.theme import method_label, method_marker, nothing, palette, styled
from realign_core.glossary import SCORES, shown

PLOT_PIXELS = (480, 330)
"""Size that label places are chosen for; a wider plot only gives them more room."""
_PLACES = {
    "middle right": (1, 0),
    "middle left": (-1, 0),
    "top center": (0, 1),
    "bottom center": (0, -1),
    "top right": (1, 1),
    "bottom right": (1, -1),
    "top left": (-1, 1),
    "bottom left": (-1, -1),
}


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
        if values.get(kept) is not None and values.get(reached) is not None:
            points[name] = (method, values[kept], values[reached])
    if not points:
        return nothing("Neither score exists for these data, so there is no trade-off to show.", dark=dark)
    xs, ys = [x for _, x, _ in points.values()], [y for *_, y in points.values()]
    reference = result.reference.get(reached)
    x_range = _padded(xs)
    y_range = _padded([*ys, *([] if reference is None else [reference])])
    down = SCORES[reached].better == "down"
    figure = go.Figure()
    if reference is not None:
        figure.add_scatter(
            x=x_range,
            y=[reference, reference],
            mode="lines",
            name=f"perfect (target against target), {shown(reference)}",
            line={"color": p.muted, "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
        )
    places = _label_places(points, x_range, y_range[::-1] if down else y_range, reference)
    for name, (method, x, y) in points.items():
        marker = method_marker(name, dark, 13)
        label = method_label(name)
        if method.collapsed:
            marker |= {"opacity": 0.45}
            label += " (collapsed)"
        bounds = method.interval.get(kept), method.interval.get(reached)
        figure.add_scatter(
            x=[x],
            y=[y],
            mode="markers+text",
            name=label,
            text=[f"\u2002{label}\u2002"],
            textposition=places[name],
            marker=marker,
            showlegend=False,
            cliponaxis=False,
            error_x=_errors([x], bounds[:1], marker["color"]) | {"thickness": 1, "width": 3},
            error_y=_errors([y], bounds[1:], marker["color"]) | {"thickness": 1, "width": 3},
            customdata=[[_text(x, bounds[0]), _text(y, bounds[1])]],
            hovertemplate=f"{SCORES[kept].label}: %{{customdata[0]}}<br>"
            f"{SCORES[reached].label}: %{{customdata[1]}}<extra>{label}</extra>",
        )
    return styled(
        figure,
        dark=dark,
        height=430,
        xaxis={
            "title": {"text": f"{SCORES[kept].label}: source kept →"},
            "range": x_range,
            "nticks": 6,
        },
        yaxis={
            "title": {"text": f"{SCORES[reached].label}: target reached →"},
            "range": y_range[::-1] if down else y_range,
            "nticks": 6,
        },
        margin={"l": 64, "r": 24, "t": 34, "b": 52},
        showlegend=reference is not None,
    )


def _padded(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    pad = 0.12 * (high - low) or 0.1
    return [low - pad, high + pad]


def _label_places(
    points: dict, x_range: list[float], y_range: list[float], reference: float | None
) -> dict[str, str]:
    """A side of each marker where its label meets no marker and no label placed before."""
    at = {}
    for name, (_, x, y) in points.items():
        across = (x - x_range[0]) / (x_range[1] - x_range[0]) * PLOT_PIXELS[0]
        at[name] = across, (y - y_range[0]) / (y_range[1] - y_range[0]) * PLOT_PIXELS[1]
    taken = {name: [(x - 8, y - 8, x + 8, y + 8)] for name, (x, y) in at.items()}
    if reference is not None:
        line = (reference - y_range[0]) / (y_range[1] - y_range[0]) * PLOT_PIXELS[1]
        taken[""] = [(0, line - 2, PLOT_PIXELS[0], line + 2)]
    places = {}
    for name, (x, y) in at.items():
        width = 7.2 * (len(method_label(name)) + 12 * points[name][0].collapsed)

        def box(side: tuple[int, int], x=x, y=y, width=width) -> tuple[float, float, float, float]:
            centre = x + side[0] * (width / 2 + (14 if side[1] == 0 else 8)), y + side[1] * 17
            return centre[0] - width / 2, centre[1] - 8, centre[0] + width / 2, centre[1] + 8

        others = [other for owner, boxes in taken.items() if owner != name for other in boxes]
        cost = {
            place: sum(_overlap(box(side), other) for other in others) + _outside(box(side))
            for place, side in _PLACES.items()
        }
        places[name] = min(cost, key=cost.get)
        taken[name].append(box(_PLACES[places[name]]))
    return places


def _overlap(a: tuple, b: tuple) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _outside(box: tuple) -> float:
    width, height = PLOT_PIXELS
    return 20 * (max(0.0, -box[0]) + max(0.0, box[2] - width) + max(0.0, -box[1]) + max(0.0, box[3] - height))
