"""A second panel for points that crowd in a corner of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from realign_core.figures.tradeoff import padded

FENCE = 1.5
"""Interquartile ranges beyond the quartiles within which Tukey calls a value ordinary."""
CROWDED = 0.2
"""The ordinary points crowd where they fill less than this share of the plot."""

Spot = tuple[float, float]


@dataclass(frozen=True)
class View:
    """The part of the plane that a panel shows: ranges of both scores, from low to high."""

    x: list[float]
    y: list[float]

    @classmethod
    def of(cls, spots: Sequence[Spot], heights: Sequence[float] = ()) -> View:
        """What holds all spots, with room around, and these heights."""
        return cls(padded([x for x, _ in spots]), padded([*(y for _, y in spots), *heights]))

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies inside."""
        return self.x[0] <= x <= self.x[1] and self.y[0] <= y <= self.y[1]

    def share_of(self, whole: View) -> float:
        """Its area over that of `whole`."""
        sides = ((getattr(view, side) for view in (self, whole)) for side in "xy")
        return float(np.prod([(a[1] - a[0]) / (b[1] - b[0]) for a, b in sides]))


def close_up(spots: Sequence[Spot], whole: View) -> View | None:
    """A view of the spots inside Tukey's fences of both scores; None unless they crowd in `whole`."""
    if len(spots) < 4:
        return None
    low, high = np.percentile(np.array(spots), [25, 75], axis=0)
    reach = FENCE * (high - low)
    ordinary = [
        spot for spot in spots if bool(((low - reach <= spot) & (np.array(spot) <= high + reach)).all())
    ]
    view = View.of(ordinary)
    return view if len(ordinary) > 1 and view.share_of(whole) < CROWDED else None


def outline(figure: go.Figure, view: View, colour: str) -> None:
    """The close-up's frame in the first panel, and in the second a word on what it is."""
    figure.add_shape(
        type="rect",
        x0=view.x[0],
        x1=view.x[1],
        y0=view.y[0],
        y1=view.y[1],
        line={"color": colour, "width": 1},
        xref="x",
        yref="y",
    )
    figure.add_annotation(
        text="close-up of the frame on the left",
        x=1,
        y=1,
        xref="x2 domain",
        yref="y2 domain",
        xanchor="right",
        yanchor="bottom",
        font={"color": colour},
    )
