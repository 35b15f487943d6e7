"""Spectra on log axes: of the residual blocks and of the two modalities."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import plotly.graph_objects as go

from realign_core.diagnostics import Diagnosis
from realign_core.figures.energy import isotropic_spectrum
from realign_core.figures.theme import nothing, palette, styled
from realign_core.glossary import shown
from realign_core.linalg import RANK_CUTOFF, eigenvalues_descending, k99

HOVER = "rank %{x}: %{y:.3~g}"


def in_rank(values: np.ndarray) -> np.ndarray:
    """The descending eigenvalues inside the numerical rank; a log axis has no place for the rest."""
    return values[values > RANK_CUTOFF * values[0]] if len(values) and values[0] > 0 else values[:0]


def ranks(values: np.ndarray) -> np.ndarray:
    """1, 2, … beside the values."""
    return np.arange(1, len(values) + 1)


def log_axis(title: str, values: Iterable[float | None] = (), step: int = 1) -> dict:
    """A log axis with every `step`-th power of ten, and ticks between where `values` span too few."""
    known = [value for value in values if value is not None and value > 0]
    few = bool(known) and math.log10(max(known) / min(known)) < 2 * step
    ticks = {"nticks": 5} if few else {"dtick": step}
    return {"type": "log", "title": {"text": title}, "tickformat": "~g", **ticks}


def heights(figure: go.Figure) -> Iterator[float]:
    """Every y of a figure's curves."""
    return (float(y) for trace in figure.data for y in trace.y)


def residual_spectra(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """Eigenvalues of the residual over their mean, in U and in V, against isotropic data of this size."""
    shape, p = diagnosis.shape, palette(dark)
    difference = diagnosis.statistics.difference
    if shape.eigenvalues_u is None or shape.eigenvalues_v is None or difference is None:
        return nothing(
            "The spectrum of the residual needs paired rows; these sets are not paired.", dark=dark
        )
    n = difference.n
    blocks = [
        (key, np.asarray(values))
        for key, values in (("u", shape.eigenvalues_u), ("v", shape.eigenvalues_v))
        if len(values) and sum(values) > 0 and len(in_rank(np.asarray(values)))
    ]
    if not blocks or diagnosis.residual.anisotropy is None:
        return nothing("Every pair differs by the same vector, so the residual has no spectrum.", dark=dark)
    traces = []
    for place, (key, values) in enumerate(blocks):
        inside = in_rank(values / values.mean())
        reference = in_rank(isotropic_spectrum(n, len(values), diagnosis.seed))
        common = {"mode": "lines", "hovertemplate": HOVER, "xaxis": f"x{place + 1}"}
        traces.append(
            go.Scatter(
                x=ranks(inside),
                y=inside,
                name=f"{key.upper()}: {len(values)} dimensions",
                line={"color": p.parts[key], "width": 3},
                **common,
            )
        )
        traces.append(
            go.Scatter(
                x=ranks(reference),
                y=reference,
                name="isotropic, same n",
                line={"color": p.muted, "width": 2, "dash": "dash"},
                showlegend=place == 0,
                **common,
            )
        )
    # Side by side on one y axis; `make_subplots` would take as long as everything else here.
    across = log_axis("rank of the eigenvalue")
    halves = [{**across, "domain": [0, 0.47]}, {**across, "domain": [0.53, 1]}]
    axes = {"xaxis": across} if len(blocks) == 1 else {"xaxis": halves[0], "xaxis2": halves[1]}
    figure = go.Figure(traces)
    upward = log_axis("eigenvalue over its mean", heights(figure))
    # Labels are longest at 0.000001, below which they are powers of ten.
    left = 64 if min(heights(figure)) > 2e-3 else 96
    return styled(figure, dark=dark, height=340, left=left, yaxis=upward, **axes)


def modality_spectra(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """Covariance eigenvalues of target and source on log axes, with the fitted power law of each."""
    statistics, shared, p = diagnosis.statistics, diagnosis.shared, palette(dark)
    figure = go.Figure()
    for name, moments, alpha, colour, dash in (
        ("target", statistics.target, shared.alpha_target, p.target, "solid"),
        ("source", statistics.source, shared.alpha_source, p.source, "dashdot"),
    ):
        spectrum = eigenvalues_descending(moments.covariance)
        values = in_rank(spectrum.cpu().numpy())
        if not len(values):
            continue
        figure.add_scatter(
            x=ranks(values),
            y=values,
            mode="lines",
            name=name if alpha is None else f"{name}, α = {shown(alpha)}",
            line={"color": colour, "width": 3, "dash": dash},
            hovertemplate=HOVER,
        )
        if alpha is None:
            continue
        logs = np.log(ranks(values[: k99(spectrum)]))
        fit = np.exp(np.log(values[: len(logs)]).mean() - alpha * (logs - logs.mean()))
        figure.add_scatter(
            x=ranks(fit),
            y=fit,
            mode="lines",
            name=f"power law of the {name}",
            line={"color": p.muted, "width": 1.5, "dash": "dot"},
            legendgroup="fit",
            showlegend=False,
            hovertemplate=HOVER,
        )
    if not figure.data:
        return nothing("Neither set varies, so there is no spectrum.", dark=dark)
    return styled(
        figure,
        dark=dark,
        height=340,
        xaxis=log_axis("rank of the eigenvalue"),
        yaxis=log_axis("eigenvalue", heights(figure)),
    )
