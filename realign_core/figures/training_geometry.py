"""Where gradients go, how the bias in V moves, and the shape of the residuals, over the steps of a run."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from realign_core.figures.theme import nothing, palette
from realign_core.figures.training import has
from realign_core.figures.training_axes import HEIGHT, Line, StepAxis, add_line, finished, log_axis

if TYPE_CHECKING:
    import pandas as pd

NO_GRADIENTS = "The snapshots hold no gradients of the embeddings, so where they point is not known."
NO_V = "U is the whole space at this energy, so there is no V to look at."
NO_REFERENCE = "The frame never freezes in this run; choose an earlier reference step."
NO_SHAPE = "There is no residual whose shape could be measured."
NO_ANGLE = "Bias or noise in V is too small to have a direction."
NO_LOCKING = "Residual or gradients are alike in every direction of U, so nothing can be correlated."
BAND_FILL = "rgba(128,140,152,0.22)"


def leakage(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """Gradient leakage against the turning of U, the bound, and gradients without a direction."""
    if not has(frame, "leakage"):
        return nothing(NO_GRADIENTS, dark=dark)
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = go.Figure()
    random = np.sqrt((frame["dim"] - frame["rank"]) / frame["dim"]).to_numpy(dtype=float)
    add_line(figure, frame, axis, Line("leakage", "leakage", p.ink))
    add_line(figure, frame, axis, Line("sin_theta", "sin θ, turning of U", p.spare[0], symbol="square"))
    add_line(figure, frame, axis, Line("leakage_bound", "bound, sin θ + ‖L‖ + ρ", p.spare[2], dash="dash"))
    add_line(figure, frame, axis, Line("", "gradients without a direction", p.muted, dash="dot"), random)
    return finished(figure, frame, axis, dark=dark, yaxis=_from_zero("share of the gradients' length"))


def bias_motion(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """Drift of the bias in V since t0, and whether it keeps its direction, one above the other."""
    if not has(frame, "cob_drift", "cob_stability"):
        return nothing(NO_V if _no_v(frame) else NO_REFERENCE, dark=dark)
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.14)
    drift = Line("cob_drift", "drift since t₀", p.ink)
    add_line(figure, frame, axis, drift, row=1, col=1)
    stability = Line("cob_stability", "cosine to the step before", p.spare[0], symbol="square")
    add_line(figure, frame, axis, stability, row=2, col=1)
    figure.update_yaxes(title_text="drift", rangemode="tozero", nticks=4, row=1, col=1)
    lowest = float(np.nanmin([0.0, *frame["cob_stability"].dropna()]))
    figure.update_yaxes(title_text="cosine", range=[lowest - 0.05, 1.05], nticks=4, row=2, col=1)
    finished(figure, frame, axis, dark=dark, height=HEIGHT + 40)
    return figure.update_xaxes(title_text="", row=1, col=1)


def residual_shape(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """Effective condition numbers in U and in V on a log axis, each with its isotropic reference."""
    columns = [f"kappa_eff_{side}" for side in "uv"]
    if not has(frame, *columns):
        return nothing(NO_SHAPE, dark=dark)
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = go.Figure()
    for side, symbol, dash in (("u", "square", "dash"), ("v", "triangle-up", "dot")):
        column, name = f"kappa_eff_{side}", side.upper()
        add_line(figure, frame, axis, Line(column, f"in {name}", p.parts[side], symbol=symbol))
        reference = Line(f"{column}_isotropic", f"isotropic, {name}", p.parts[side], dash=dash)
        add_line(figure, frame, axis, reference)
    every = frame[[*columns, *(f"{column}_isotropic" for column in columns)]].to_numpy(dtype=float)
    return finished(figure, frame, axis, dark=dark, yaxis=log_axis(every, "condition number (log scale)"))


def locking(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """Correlation of residual and gradient spectra in U: direction by direction, and of sorted lists."""
    if not has(frame, "locking_diagonal", "locking_eigenvalues"):
        return nothing(NO_LOCKING if has(frame, "leakage") else NO_GRADIENTS, dark=dark)
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = go.Figure()
    add_line(figure, frame, axis, Line("locking_diagonal", "diagonals, direction by direction", p.ink))
    sorted_lists = Line("locking_eigenvalues", "eigenvalues, sorted lists", p.spare[0], dash="dash")
    add_line(figure, frame, axis, sorted_lists)
    values = frame[["locking_diagonal", "locking_eigenvalues"]].to_numpy(dtype=float)
    low = float(np.nanmin([0.0, *values[np.isfinite(values)]]))
    return finished(
        figure,
        frame,
        axis,
        dark=dark,
        yaxis={"title": {"text": "correlation"}, "range": [low - 0.05, 1.05], "nticks": 6},
    )


def bias_noise(frame: pd.DataFrame, *, dark: bool = False, log: bool = False) -> go.Figure:
    """Angle of the bias in V to the leading residual direction there, and the band of random directions."""
    if not has(frame, "bias_noise_angle"):
        return nothing(NO_V if _no_v(frame) else NO_ANGLE, dark=dark)
    p, axis = palette(dark), StepAxis.of(frame, log=log)
    figure = go.Figure()
    banded = frame[["bias_noise_null_low", "bias_noise_null_high"]].notna().all(axis=1).to_numpy()
    places = axis.at(axis.steps)[banded]
    low, high = (frame[f"bias_noise_null_{end}"].to_numpy(dtype=float)[banded] for end in ("low", "high"))
    figure.add_scatter(
        x=[*places, *places[::-1]],
        y=[*high, *low[::-1]],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=BAND_FILL,
        name="random directions, 95 %",
        hoverinfo="skip",
    )
    add_line(figure, frame, axis, Line("bias_noise_angle", "angle of bias to noise", p.ink))
    return finished(
        figure,
        frame,
        axis,
        dark=dark,
        yaxis={
            "title": {"text": "angle (degrees)"},
            "range": [0, 93],
            "dtick": 15,
        },
    )


def _from_zero(title: str) -> dict:
    return {"title": {"text": title}, "rangemode": "tozero", "nticks": 5}


def _no_v(frame: pd.DataFrame) -> bool:
    return bool((frame["rank"] == frame["dim"]).any())
