"""Every method's rows in one frozen projection, panels linked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from realign_core.comparison import Comparison, MethodResult
from realign_core.figures.theme import (
    SOURCE_SYMBOL,
    TARGET_SYMBOL,
    method_label,
    method_marker,
    palette,
    styled,
)
from realign_core.glossary import percent

GL_PANELS = 8
SVG_POINTS = 600
"""Points of a set that a panel draws as SVG; more go to WebGL, of which a browser keeps some eight panels."""
CROWD = 2_000
PANEL_PIXELS = 270


@dataclass(frozen=True)
class Grid:
    """A figure of equal panels and where each of them is, with its heading."""

    figure: go.Figure
    places: tuple[tuple[int, int], ...]
    rows: int


def fitted(result: Comparison, methods: Sequence[str] | None = None) -> dict[str, MethodResult]:
    """The methods that could be fitted, in the order asked for."""
    found = result.fitted
    return found if methods is None else {name: found[name] for name in methods if name in found}


def panel_heading(method: MethodResult) -> str:
    """A panel's heading: the method, and a mark where it collapsed."""
    return f"<b>{method_label(method.name)}</b>{' · collapsed' if method.collapsed else ''}"


def panel_grid(headings: Sequence[str], columns: int, pixels: int, x_title: str, y_title: str) -> Grid:
    """Equal panels of about `pixels` height with matched axes, one title an axis for all of them."""
    columns = max(1, min(columns, len(headings)))
    rows = math.ceil(len(headings) / columns)
    figure = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        subplot_titles=list(headings),
        horizontal_spacing=0.08 / columns,
        vertical_spacing=min(0.4, 44 / (rows * pixels)) if rows > 1 else 0,
        x_title=x_title,
        y_title=y_title,
    )
    figure.update_annotations(font={"size": 13})
    for annotation in figure.layout.annotations:
        if annotation.text == y_title:
            annotation.xshift = -54
    figure.update_xaxes(nticks=4)
    figure.update_yaxes(nticks=4)
    places = tuple((i // columns + 1, i % columns + 1) for i in range(len(headings)))
    # Where the last row has gaps, the panels above them carry the tick labels.
    for column in range(len(headings) - columns * (rows - 1) + 1, columns + 1):
        if rows > 1:
            figure.update_xaxes(showticklabels=True, row=rows - 1, col=column)
            figure.update_xaxes(visible=False, row=rows, col=column)
            figure.update_yaxes(visible=False, row=rows, col=column)
    return Grid(figure, places, rows)


def comparison(
    result: Comparison, *, methods: Sequence[str] | None = None, columns: int = 4, dark: bool = False
) -> go.Figure:
    """Target, untouched source and every mapped source in the frozen projection; axes zoom together.

    Points carry the place of their row among the judged rows as `customdata`.
    """
    view, projection, p = result.view, result.projection, palette(dark)
    panels = fitted(result, methods)
    headings = ["<b>Untouched source</b>", *map(panel_heading, panels.values())]
    if "identity" in panels:
        panels = {name: method for name, method in panels.items() if name != "identity"}
        headings = ["<b>Untouched source</b>", *map(panel_heading, panels.values())]
    grid = panel_grid(headings, columns, PANEL_PIXELS, *_axis_titles(projection.shares))
    limit = len(view.target_points), len(view.source_points)
    gl = max(limit) > SVG_POINTS and len(headings) <= GL_PANELS
    trace = go.Scattergl if gl else go.Scatter
    target, source = drawn_places(result, len(headings))
    size = 5 if max(limit) <= SVG_POINTS else 4 if max(limit) <= CROWD else 3
    # So faint that thousands of points show where they are dense and the target below them.
    opacity = float(np.clip(1_200 / max(limit), 0.2, 0.75))
    clouds = [("source", view.source_points, {"color": p.source, "symbol": SOURCE_SYMBOL, "size": size})]
    clouds += [
        (method_label(name), method.view.points, method_marker(name, dark, size))
        for name, method in panels.items()
    ]
    for (row, column), (name, points, marker) in zip(grid.places, clouds, strict=True):
        for label, rows, ids, style in (
            (
                "target",
                view.target_points[target],
                projection.target_rows[target],
                {"color": p.target, "symbol": TARGET_SYMBOL, "size": size},
            ),
            (name, points[source], projection.source_rows[source], marker),
        ):
            grid.figure.add_trace(
                trace(
                    **_plane(rows),
                    mode="markers",
                    name=label,
                    legendgroup=label,
                    showlegend=False,
                    marker={**style, "opacity": opacity},
                    customdata=ids,
                    hovertemplate="row %{customdata}<extra>" + label + "</extra>",
                ),
                row=row,
                col=column,
            )
    for label, colour, symbol in (
        ("target", p.target, TARGET_SYMBOL),
        ("source", p.source, SOURCE_SYMBOL),
    ):
        grid.figure.add_trace(_legend_entry(label, colour, symbol))
    # All axes match those of the last row's first panel, so its scale is everybody's.
    leader = next(grid.figure.select_yaxes(row=grid.rows, col=1)).anchor
    grid.figure.update_yaxes(scaleanchor=leader, scaleratio=1, row=grid.rows, col=1)
    return styled(
        grid.figure,
        dark=dark,
        height=90 + PANEL_PIXELS * grid.rows,
        margin={"l": 76, "r": 12, "t": 62, "b": 56},
        legend={"y": 1 + 30 / (PANEL_PIXELS * grid.rows)},
    )


def drawn_places(result: Comparison, panels: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of the view's target and source points are drawn where there are so many panels."""
    target, source = len(result.view.target_points), len(result.view.source_points)
    if max(target, source) > SVG_POINTS and panels <= GL_PANELS:
        return np.arange(target), np.arange(source)
    return _spread(target), _spread(source)


def drawn_points(figure: go.Figure) -> list[go.Scatter]:
    """The traces that hold rows, target before source in every panel; the others are the legend's."""
    return [trace for trace in figure.data if trace.customdata is not None]


def _legend_entry(label: str, colour: str, symbol: str) -> go.Scatter:
    """An entry as bold as the faint points are where they are dense."""
    marker = {"color": colour, "symbol": symbol, "size": 8}
    return go.Scatter(
        x=[None], y=[None], mode="markers", name=label, legendgroup=label, marker=marker, hoverinfo="skip"
    )


def _axis_titles(shares: Sequence[float]) -> tuple[str, str]:
    titles = [f"principal axis {i} ({percent(share)} of variance)" for i, share in enumerate(shares[:2], 1)]
    return (titles[0], titles[1]) if len(titles) == 2 else (titles[0], "")


def _plane(points: np.ndarray) -> dict[str, np.ndarray]:
    """The first two coordinates; one-dimensional data lies on a line."""
    height = points[:, 1] if points.shape[1] > 1 else np.zeros(len(points), np.float32)
    return {"x": points[:, 0].copy(), "y": height.copy()}


def _spread(n: int) -> np.ndarray:
    """At most `SVG_POINTS` indices, evenly over n rows."""
    return np.unique(np.linspace(0, n - 1, min(n, SVG_POINTS)).round().astype(int))
