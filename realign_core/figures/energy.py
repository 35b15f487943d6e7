"""How the energy of the gap and of its residual is spread."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import torch

from realign_core.diagnostics import Diagnosis
from realign_core.diagnostics.isotropic import isotropic_spectra
from realign_core.figures.theme import nothing, palette, styled
from realign_core.glossary import percent, shown

PARTS = {
    "pmb": "Bias in U (PMB²)",
    "cob": "Bias in V (COB²)",
    "u": "Residual in U",
    "v": "Residual in V",
}
NARROW_SHARE = 0.09


def energy_parts(diagnosis: Diagnosis) -> dict[str, float]:
    """The parts of `mean ||x - y||^2` by key; the two of the bias alone where there are no pairs."""
    found = diagnosis.decomposition
    parts = {"pmb": found.pmb_norm**2, "cob": found.cob_norm**2}
    if found.u_residual_energy is not None and found.v_residual_energy is not None:
        parts |= {"u": found.u_residual_energy, "v": found.v_residual_energy}
    return parts


def energy_split(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """One stacked bar: principal bias, orthogonal bias, residual in U and in V add up to the whole."""
    parts, p = energy_parts(diagnosis), palette(dark)
    total = sum(parts.values())
    if total <= 0:
        return nothing("The two sets are identical, so there is no gap to split.", dark=dark)
    figure = go.Figure()
    for key, energy in parts.items():
        share = energy / total
        label = f"{shown(energy)} · {percent(share)}"
        figure.add_bar(
            x=[energy],
            y=[""],
            orientation="h",
            name=f"{PARTS[key]}: {label}",
            marker={"color": p.parts[key], "line": {"color": p.background, "width": 1}},
            text=[percent(share) if share >= NARROW_SHARE else ""],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": p.background, "size": 14},
            hovertemplate=f"{PARTS[key]}<br>{label}<extra></extra>",
        )
    whole = "mean ‖x − y‖²" if len(parts) == 4 else "‖mean x − mean y‖²"
    return styled(
        figure,
        dark=dark,
        height=190,
        left=16,
        barmode="stack",
        bargap=0.1,
        xaxis={"title": {"text": f"energy; together {whole} = {shown(total)}"}, "range": [0, total]},
        yaxis={"visible": False},
        legend={"traceorder": "normal"},
    )


def isotropic_spectrum(n: int, dim: int, seed: int) -> np.ndarray:
    """Mean eigenvalues `(dim,)` of isotropic data of `n` rows, over the seeded draws, of mean 1."""
    values = torch.stack(isotropic_spectra(n, dim, seed)).mean(dim=0).numpy()
    return values / values.mean()


def residual_energy(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """Cumulative energy E(K) of the residual against K/d, with its isotropic reference."""
    values = diagnosis.residual.eigenvalues
    difference = diagnosis.statistics.difference
    if values is None or difference is None:
        return nothing("The residual of each pair needs paired rows; these sets are not paired.", dark=dark)
    if diagnosis.residual.anisotropy is None:
        return nothing("Every pair differs by the same vector, so there is no residual.", dark=dark)
    p, dim = palette(dark), len(values)
    share = np.arange(dim + 1) / dim
    figure = go.Figure()
    reference = isotropic_spectrum(difference.n, dim, diagnosis.seed)
    for name, spectrum, line in (
        ("residual", np.asarray(values), {"color": p.parts["u"], "width": 3}),
        ("isotropic, same n and d", reference, {"color": p.muted, "width": 2, "dash": "dash"}),
    ):
        energy = np.concatenate([[0.0], np.cumsum(spectrum) / spectrum.sum()])
        figure.add_scatter(
            x=share, y=energy, mode="lines", name=name, line=line, hovertemplate="%{y:.3f} at K/d %{x:.3f}"
        )
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="K/d",
        line={"color": p.muted, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    return styled(
        figure,
        dark=dark,
        height=340,
        xaxis={"title": {"text": "share of dimensions, K/d"}, "range": [0, 1.01], "nticks": 6},
        yaxis={"title": {"text": "share of residual energy, E(K)"}, "range": [0, 1.03], "nticks": 6},
    )
