"""What the figures of a training run share: the axis of steps, lines over it, the mark of the reference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from realign_core.figures.theme import palette, styled
from realign_core.glossary import count, shown

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 320
LEAST_LABEL_DECADES = 0.28
"""Labels nearer than this share of a decade would collide."""
CLIP = 1e-6
"""A log axis starts no lower than this share of its largest value; what lies lower is rounding there."""


@dataclass(frozen=True)
class StepAxis:
    """Where steps stand: as they are or, with `log`, by their logarithm, step 0 half before the first."""

    steps: np.ndarray
    log: bool = False

    @classmethod
    def of(cls, frame: pd.DataFrame, *, log: bool = False) -> StepAxis:
        steps = frame["step"].to_numpy(dtype=float)
        return cls(steps, log and bool((steps > 0).any()))

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Positions of some steps."""
        if not self.log:
            return steps
        return np.where(steps > 0, steps, self.steps[self.steps > 0].min() / 2)

    def layout(self) -> dict:
        """The axis as plotly wants it."""
        if not self.log:
            return {"title": {"text": "training step"}, "nticks": 7, "tickformat": ",d", "zeroline": False}
        places = self.at(self.steps)
        low, high = (math.log10(place) for place in (places.min(), places.max()))
        ticks: list[float] = [places.min()] if (self.steps == 0).any() else []
        texts = ["0"] * len(ticks)
        for power in range(math.floor(low), math.ceil(high) + 1):
            for digit in (1, 2, 5):
                value = digit * 10.0**power
                if value < self.steps[self.steps > 0].min() or value > places.max():
                    continue
                if ticks and math.log10(value / ticks[-1]) < LEAST_LABEL_DECADES:
                    continue
                ticks.append(value)
                texts.append(count(int(value)))
        room = max(0.03 * (high - low), 0.02)
        return {
            "type": "log",
            "title": {"text": "training step (log scale)"},
            "tickvals": ticks,
            "ticktext": texts,
            "range": [low - room, high + room],
        }


@dataclass(frozen=True)
class Line:
    """One quantity over the steps: a column of the table, or values beside it."""

    column: str
    name: str
    colour: str
    dash: str = "solid"
    symbol: str = "circle"


def add_line(
    figure: go.Figure,
    frame: pd.DataFrame,
    axis: StepAxis,
    line: Line,
    values: np.ndarray | None = None,
    **where: Any,
) -> None:
    """Draw a line where it has values; markers only where it is solid."""
    y = np.asarray(frame[line.column] if values is None else values, dtype=float)
    if not np.isfinite(y).any():
        return
    marked = line.dash == "solid"
    figure.add_scatter(
        x=axis.at(axis.steps),
        y=y,
        mode="lines+markers" if marked else "lines",
        name=line.name,
        line={"color": line.colour, "dash": line.dash, "width": 2},
        marker={"color": line.colour, "symbol": line.symbol, "size": 6},
        customdata=[[int(step), shown(value)] for step, value in zip(axis.steps, y)],
        hovertemplate="step %{customdata[0]}: %{customdata[1]}<extra>" + line.name + "</extra>",
        **where,
    )


def finished(
    figure: go.Figure,
    frame: pd.DataFrame,
    axis: StepAxis,
    *,
    dark: bool,
    height: int = HEIGHT,
    **layout: Any,
) -> go.Figure:
    """The figure in the house style, with its axis of steps and the reference step marked in each panel."""
    styled(figure, dark=dark, height=height, margin={"t": 62}, **layout)
    # Between legend and panel stands the mark's label.
    figure.update_layout(legend={"y": 1.1})
    figure.update_xaxes(**axis.layout())
    frozen = frame["frozen"].to_numpy(dtype=bool)
    if not frozen.any():
        return figure
    p = palette(dark)
    step = axis.steps[frozen][0]
    place = float(axis.at(np.array([step]))[0])
    for number in range(1, 1 + sum(1 for name in figure.layout if name.startswith("xaxis"))):
        end = "" if number == 1 else str(number)
        figure.add_shape(
            type="line",
            x0=place,
            x1=place,
            y0=0,
            y1=1,
            xref=f"x{end}",
            yref=f"y{end} domain",
            line={"color": p.ink, "width": 1.5, "dash": "dot"},
            name="reference step",
        )
        figure.add_annotation(
            text=f"t₀ = {count(int(step))}",
            # Positions on a log axis are logarithms for annotations, unlike for shapes.
            x=math.log10(place) if axis.log else place,
            y=1,
            xref=f"x{end}",
            yref=f"y{end} domain",
            xanchor="left" if step < np.median(axis.steps) else "right",
            yanchor="bottom",
            font={"size": 12, "color": p.ink},
            showarrow=False,
        )
    return figure


def log_axis(values: np.ndarray, title: str) -> dict:
    """A log axis that holds the values and is clipped near rounding."""
    seen = values[np.isfinite(values) & (values > 0)]
    if not len(seen):
        return {"title": {"text": title}}
    top = float(seen.max())
    low, high = math.log10(max(float(seen.min()), CLIP * top)), math.log10(top)
    room = 0.08 * max(high - low, 0.3)
    wide = high - low > 1.2
    return {
        "type": "log",
        "title": {"text": title},
        "range": [low - room, high + room],
        "dtick": 1 if wide else "D2",
        "tickformat": "~g",
    }
