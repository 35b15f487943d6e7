"""Spectra and pairwise cosines of the mapped sets beside the target's, a panel a method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from realign_core.comparison import Comparison, MethodResult
from realign_core.diagnostics.angular import BINS
from realign_core.figures.clouds import Grid, fitted, panel_grid, panel_heading
from realign_core.figures.spectra import HOVER, in_rank, log_axis, ranks
from realign_core.figures.theme import method_colour, method_label, nothing, palette, styled

PANEL_PIXELS = 190
CUT_ABOVE = 2.0
"""Densities over this many times the target's peak are cut."""
CENTRES = (np.arange(BINS) + 0.5) * 2 / BINS - 1


def mapped_spectra(
    result: Comparison, *, methods: Sequence[str] | None = None, columns: int = 4, dark: bool = False
) -> go.Figure:
    """Eigenvalues of each mapped covariance over the target's, log axes; the last ranks are noise."""
    view, p = result.view, palette(dark)
    panels = _panels(result, methods)
    curves = {"source": (view.source_spectrum, p.source, "dashdot")}
    curves |= {
        name: (method.view.spectrum, method_colour(name, dark), "solid") for name, method in panels.items()
    }
    target = in_rank(view.target_spectrum)
    if not len(target):
        return nothing("The target does not vary, so there is no spectrum to reach.", dark=dark)
    grid = _grid(panels, columns, "rank of the eigenvalue (log scale)", "eigenvalue (log scale)")
    for place, (name, (spectrum, colour, dash)) in zip(grid.places, curves.items(), strict=True):
        inside = in_rank(spectrum)
        _line(grid.figure, place, ranks(target), target, "target", p.target, "solid", 4, HOVER)
        label = method_label(name) if name in panels else name
        _line(grid.figure, place, ranks(inside), inside, label, colour, dash, 2, HOVER)
    floor = np.log10(target[-1])
    # Eigenvalues at the edge of rounding would squeeze everything else.
    low = max(floor, np.log10(target[0]) - 6) - 0.3
    high = np.log10(max([target[0], *(spectrum[0] for spectrum, *_ in curves.values())])) + 0.2
    grid.figure.update_xaxes(type="log", dtick=1, tickformat="~g")
    ticks = log_axis("", (10**low, 10**high), step=2) | {"title": None}
    grid.figure.update_yaxes(**ticks, range=[low, high])
    return _finished(grid, dark)


def cosine_densities(
    result: Comparison, *, methods: Sequence[str] | None = None, columns: int = 4, dark: bool = False
) -> go.Figure:
    """Density of the cosines between rows of each mapped set, over the target's (200 bins)."""
    view, p = result.view, palette(dark)
    panels = _panels(result, methods)
    curves = {"source": (view.source_histogram, p.source, "dashdot")}
    curves |= {
        name: (method.view.histogram, method_colour(name, dark), "solid") for name, method in panels.items()
    }
    target = density(view.target_histogram)
    grid = _grid(panels, columns, "cosine of two rows of one set", "density")
    hover = "cosine %{x:.3f}: %{y:.3~g}"
    for place, (name, (counts, colour, dash)) in zip(grid.places, curves.items(), strict=True):
        _line(grid.figure, place, CENTRES, target, "target", p.target, "solid", 0.5, hover, fill=True)
        label = method_label(name) if name in panels else name
        _line(grid.figure, place, CENTRES, density(counts), label, colour, dash, 2, hover)
    used = np.flatnonzero(sum((counts > 0).astype(int) for counts, *_ in curves.values()) + (target > 0))
    if len(used):
        grid.figure.update_xaxes(range=[CENTRES[used[0]] - 0.03, min(1.01, CENTRES[used[-1]] + 0.03)])
    # The needle of a collapsed method would flatten everybody else.
    peak = max(density(counts).max() for counts, *_ in curves.values())
    high = 1.05 * max(target.max(), min(peak, CUT_ABOVE * target.max())) or 1.0
    grid.figure.update_yaxes(range=[0, high])
    return _finished(grid, dark)


def density(counts: np.ndarray) -> np.ndarray:
    """Counts of the 200 cosine bins as a density that integrates to 1; zero without counts."""
    total = counts.sum()
    return counts / (total * 2 / BINS) if total else np.zeros(len(counts))


def _panels(result: Comparison, methods: Sequence[str] | None) -> dict[str, MethodResult]:
    return {name: method for name, method in fitted(result, methods).items() if name != "identity"}


def _grid(panels: dict[str, MethodResult], columns: int, x_title: str, y_title: str) -> Grid:
    headings = ["<b>Untouched source</b>", *map(panel_heading, panels.values())]
    return panel_grid(headings, columns, PANEL_PIXELS, x_title, y_title)


def _line(
    figure: go.Figure,
    place: tuple[int, int],
    x: np.ndarray,
    y: np.ndarray,
    name: str,
    colour: str,
    dash: str,
    width: float,
    hover: str,
    *,
    fill: bool = False,
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name=name,
        legendgroup=name,
        showlegend=place == (1, 1),
        line={"color": colour, "width": width, "dash": dash},
        fill="tozeroy" if fill else None,
        opacity=0.6 if name == "target" and not fill else 1,
        hovertemplate=hover,
        row=place[0],
        col=place[1],
    )


def _finished(grid: Grid, dark: bool) -> go.Figure:
    return styled(
        grid.figure,
        dark=dark,
        height=110 + PANEL_PIXELS * grid.rows,
        margin={"l": 76, "r": 12, "t": 62, "b": 56},
        legend={"y": 1 + 30 / (PANEL_PIXELS * grid.rows)},
    )
