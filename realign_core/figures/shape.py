"""Bias-noise angles, condition numbers and subspace overlap against what chance gives."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from realign_core.diagnostics import Diagnosis
from realign_core.figures.spectra import log_axis
from realign_core.figures.theme import nothing, palette, styled
from realign_core.glossary import percent, shown

CONDITIONS = {
    "kappa_u": "κ in U",
    "kappa_v": "κ in V",
    "kappa_eff_u": "κ<sub>eff</sub> in U",
    "kappa_eff_v": "κ<sub>eff</sub> in V",
}


def bias_noise_angles(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """Angles of the bias in V to the leading residual directions there, over the band of random ones."""
    shape, p = diagnosis.shape, palette(dark)
    if diagnosis.statistics.difference is None:
        return nothing("Bias-noise angles need paired rows; these sets are not paired.", dark=dark)
    angles, shares, band = shape.bias_noise_angles, shape.bias_noise_shares, shape.bias_noise_null
    if angles is None or shares is None or band is None:
        return nothing(
            "V is too small, or the bias in it no longer than sampling noise, so its direction says nothing.",
            dark=dark,
        )
    index = list(range(1, len(angles) + 1))
    ends = [0.4, len(angles) + 0.6]
    lowest = max(0, 10 * math.floor(min(*angles, band.low) / 10) - 10)
    figure = go.Figure()
    figure.add_scatter(
        x=[*ends, *ends[::-1]],
        y=[band.low, band.low, band.high, band.high],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor="rgba(128,140,152,0.30)",
        name=f"95 % of random directions: {shown(band.low)}° to {shown(band.high)}°",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=index,
        y=angles,
        mode="markers",
        name="angle to the bias in V",
        marker={"color": p.parts["cob"], "size": 11, "line": {"color": p.ink, "width": 1.5}},
        customdata=[percent(share) for share in shares],
        hovertemplate="%{y:.1f}°, holds %{customdata} of COB²<extra>direction %{x}</extra>",
    )
    return styled(
        figure,
        dark=dark,
        height=340,
        left=56,
        xaxis={"title": {"text": "leading direction of the residual in V"}, "range": ends, "dtick": 1},
        yaxis={"title": {"text": "angle (degrees)"}, "range": [lowest, 92], "nticks": 6},
    )


def condition_numbers(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """Condition numbers of the residual blocks beside those of isotropic data of the same size."""
    p = palette(dark)
    rows = [
        (label, getattr(diagnosis.shape, key), getattr(diagnosis.isotropic, key))
        for key, label in CONDITIONS.items()
        if getattr(diagnosis.shape, key) is not None
    ]
    if not rows:
        return nothing(
            "Condition numbers of the residual need paired rows that do not all differ by the same vector.",
            dark=dark,
        )
    labels = [label for label, *_ in rows]
    figure = go.Figure()
    for label, measured, reference in rows:
        if reference is not None:
            figure.add_scatter(
                x=[reference, measured],
                y=[label, label],
                mode="lines",
                line={"color": p.grid, "width": 3},
                showlegend=False,
                hoverinfo="skip",
            )
    for name, values, marker in (
        ("measured", [row[1] for row in rows], {"color": p.parts["u"], "size": 12}),
        (
            "isotropic, same n and dimension",
            [row[2] for row in rows],
            {"color": p.muted, "size": 11, "symbol": "circle-open", "line": {"width": 2}},
        ),
    ):
        figure.add_scatter(
            x=values,
            y=labels,
            mode="markers",
            name=name,
            marker=marker,
            text=[shown(value) for value in values],
            hovertemplate="%{text}<extra>%{y}</extra>",
        )
    return styled(
        figure,
        dark=dark,
        height=340,
        left=72,
        xaxis=log_axis("condition number (log scale)", [value for row in rows for value in row[1:]]),
        yaxis={"autorange": "reversed", "categoryarray": labels},
    )


def subspace_overlap(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """Overlap O_q of the leading subspaces of target and source, over q/d, which unrelated ones give."""
    shared, p = diagnosis.shared, palette(dark)
    overlap = {int(q): value for q, value in shared.subspace_overlap.items() if value is not None}
    if not overlap:
        return nothing("One of the sets does not vary, so there are no leading subspaces.", dark=dark)
    figure = go.Figure()
    figure.add_scatter(
        x=list(overlap),
        y=list(overlap.values()),
        mode="lines+markers",
        name="target against source, O<sub>q</sub>",
        line={"color": p.parts["u"], "width": 3},
        marker={"size": 9},
        hovertemplate="%{y:.3f} at q = %{x}",
    )
    figure.add_scatter(
        x=list(overlap),
        y=[shared.subspace_overlap_baseline[str(q)] for q in overlap],
        mode="lines+markers",
        name="unrelated subspaces, q/d",
        line={"color": p.muted, "width": 2, "dash": "dash"},
        marker={"size": 7, "symbol": "circle-open"},
        hovertemplate="%{y:.3f} at q = %{x}",
    )
    return styled(
        figure,
        dark=dark,
        height=340,
        xaxis={
            "type": "log",
            "title": {"text": "q, number of leading directions (log scale)"},
            "tickvals": list(overlap),
            "ticktext": [str(q) for q in overlap],
        },
        yaxis={"title": {"text": "overlap, 0 to 1"}, "range": [0, 1.03], "nticks": 6},
    )
