"""A training run over its steps: what was learnt, how large the gap is and what it consists of."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from realign_core.figures.energy import PARTS
from realign_core.figures.theme import nothing, palette
from realign_core.figures.training_axes import Line, StepAxis, add_line, finished, log_axis
from realign_core.glossary import percent, shown

if TYPE_CHECKING:
    import pandas as pd

NO_LEARNING = "The snapshots hold neither a loss nor a recall, so there is no learning curve to show."
PART_COLUMNS = {
    "pmb": ("pmb_norm", 2),
    "cob": ("cob_norm", 2),
    "u": ("u_residual_energy", 1),
    "v": ("v_residual_energy", 1),
}


def has(frame: pd.DataFrame, *columns: str) -> bool:
    """Whether the table holds a number in one of these columns."""
    return any(column in frame and bool(frame[column].notna().any()) for column in columns)


def chance_of(frame: pd.DataFrame) -> np.ndarray:
    """Recall@1 of a model that knows nothing, `(steps,)`: of the run's probe set if the run says so."""
    if has(frame, "chance"):
        return frame["chance"].to_numpy(dtype=float)
    return 1 / frame["n"].to_numpy(dtype=float)


def learning(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """Loss, and retrieval in both directions against chance, a panel each."""
    recalls = [name for name in ("recall_at_1", "recall_at_1_reverse") if has(frame, name)]
    panels = [*(["loss"] if has(frame, "loss") else []), *(["recall"] if recalls else [])]
    if not panels:
        return nothing(NO_LEARNING, dark=dark)
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = make_subplots(1, len(panels), horizontal_spacing=0.13)
    for column, panel in enumerate(panels, start=1):
        where: dict[str, Any] = {"row": 1, "col": column}
        if panel == "loss":
            add_line(figure, frame, axis, Line("loss", "loss", p.ink), **where)
            figure.update_yaxes(title_text="loss", rangemode="tozero", nticks=5, **where)
            continue
        for name, title, colour, symbol in (
            ("recall_at_1", "recall@1, image to text", p.spare[0], "square"),
            ("recall_at_1_reverse", "recall@1, text to image", p.spare[1], "triangle-up"),
        ):
            if name in recalls:
                add_line(figure, frame, axis, Line(name, title, colour, symbol=symbol), **where)
        chance = chance_of(frame)
        name = f"chance, {percent(chance[-1])}"
        add_line(figure, frame, axis, Line("", name, p.muted, dash="dash"), chance, **where)
        figure.update_yaxes(title_text="recall@1", rangemode="tozero", tickformat=".0%", nticks=5, **where)
    return finished(figure, frame, axis, dark=dark)


def gap_size(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """Distance of the means on a log axis, with the sampling floor."""
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = go.Figure()
    add_line(figure, frame, axis, Line("gap", "gap between the means", p.ink))
    add_line(figure, frame, axis, Line("sampling_floor_95", "95 % bound of noise", p.muted, dash="dot"))
    add_line(figure, frame, axis, Line("sampling_floor", "sampling floor", p.muted, dash="dash"))
    values = frame[["gap", "sampling_floor", "sampling_floor_95"]].to_numpy(dtype=float)
    return finished(figure, frame, axis, dark=dark, yaxis=log_axis(values, "length (log scale)"))


def part_energies(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The four parts of the energy by key, each over the steps; they add up to `total_energy`."""
    return {
        key: frame[column].to_numpy(dtype=float) ** power for key, (column, power) in PART_COLUMNS.items()
    }


def gap_parts(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """The four parts of the gap's energy, stacked so that they add up."""
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = go.Figure()
    for key, energies in part_energies(frame).items():
        total = frame["total_energy"].to_numpy(dtype=float)
        shares = np.divide(energies, total, out=np.full_like(energies, np.nan), where=total > 0)
        figure.add_scatter(
            x=axis.at(axis.steps),
            y=energies,
            mode="lines",
            stackgroup="energy",
            name=PARTS[key],
            line={"color": p.background, "width": 1},
            fillcolor=p.parts[key],
            customdata=[
                [int(step), shown(energy), percent(share)]
                for step, energy, share in zip(axis.steps, energies, shares)
            ],
            hovertemplate="step %{customdata[0]}: %{customdata[1]} · %{customdata[2]}"
            f"<extra>{PARTS[key]}</extra>",
        )
    add_line(figure, frame, axis, Line("total_energy", "together, mean ‖x − y‖²", p.ink, dash="dash"))
    return finished(
        figure,
        frame,
        axis,
        dark=dark,
        yaxis={"title": {"text": "energy (squared length)"}, "rangemode": "tozero", "nticks": 5},
        legend={"traceorder": "normal"},
    )
