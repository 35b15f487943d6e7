"""Points coloured by the label of their row; shapes go on telling the sets and the methods apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from realign_core.figures.clouds import drawn_points
from realign_core.figures.theme import palette

LIGHT = ("#7a4fb0", "#009E73", "#a3365f", "#857400", "#2e7f86", "#5a4636", "#000000", "#3c6fd1")
DARK = ("#b99af0", "#2ecc9b", "#f08ab0", "#F0E442", "#6fd3da", "#c9ad93", "#ffffff", "#8fb4ff")
OTHERS = "other labels"


def coloured_by_label(figure: go.Figure, labels: Sequence[np.ndarray | None], *, dark: bool) -> go.Figure:
    """A copy with the points of trace i in the colours of `labels[i]`; a trace with None turns grey.

    The most frequent labels get a colour of their own, the others share one.
    """
    figure, p, hues = go.Figure(figure), palette(dark), DARK if dark else LIGHT
    figure.data = drawn_points(figure)
    counts = Counter(str(label) for part in labels if part is not None for label in part if label)
    frequent = [
        label for label, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: len(hues)]
    ]
    colour = dict(zip(sorted(frequent), hues))
    for trace, part in zip(figure.data, labels, strict=True):
        trace.showlegend = False
        if part is None:
            trace.marker.color = p.grid
            continue
        points = [colour.get(str(label), p.muted) for label in part]
        trace.marker.color = points
        trace.text = [str(label) if label else "no label" for label in part]
        trace.hovertemplate = trace.hovertemplate.replace("<extra>", "<br>%{text}<extra>")
    entries = dict(colour)
    if len(counts) > len(colour):
        entries[OTHERS] = p.muted
    return _with_legend(figure, entries)


def _with_legend(figure: go.Figure, entries: dict[str, str]) -> go.Figure:
    for label, hue in entries.items():
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=label,
            legendgroup=label,
            marker={"color": hue, "symbol": "circle", "size": 9},
            hoverinfo="skip",
        )
    return figure
