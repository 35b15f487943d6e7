"""Phantom drift in numbers: measured against predicted, and the centroid gap step by step."""

from __future__ import annotations

import math

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from realign_core.diagnostics import Diagnosis
from realign_core.diagnostics.drift import STAGES, StageDrift
from realign_core.figures.theme import nothing, palette, styled
from realign_core.glossary import shown

NO_DRIFT = (
    "There is no drift to show: rows were not normalised, the target's mean vanishes, or the source is "
    "constant."
)
CLIP_BELOW_FLOOR = 1e-4
ROUNDING = 1e-12
ZERO = "0 (rounding)"
BAND = {False: "#e8eaec", True: "#282d33"}
BEHIND = 0.15, 1.3
"""Decades below the floor between which the label of a point stands where the floor is drawn."""
DRIFT_STAGES = {"anchor": "after the anchor", "anchor_trace": "after anchor and trace"}


def predicted_radial(stage: StageDrift) -> float:
    """Radial part of the second-order prediction, `(a' S a - tr S) / (2 rho^2)`, which is never positive."""
    return -math.sqrt(max(0.0, stage.predicted**2 - stage.predicted_tangential**2))


def drift_parts(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """Radial and tangential drift, measured against the second-order prediction, a panel each."""
    stages = {key: getattr(diagnosis.drift, key) for key in DRIFT_STAGES}
    stages = {DRIFT_STAGES[key]: stage for key, stage in stages.items() if stage is not None}
    if not stages:
        return nothing(NO_DRIFT, dark=dark)
    p = palette(dark)
    panels = (
        ("radial part", [s.radial for s in stages.values()], list(map(predicted_radial, stages.values()))),
        (
            "tangential part",
            [s.tangential for s in stages.values()],
            [s.predicted_tangential for s in stages.values()],
        ),
    )
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.08)
    for column, (title, measured, predicted) in enumerate(panels, start=1):
        for name, values, colour, pattern in (
            ("measured", measured, p.parts["u"], ""),
            ("second-order prediction", predicted, p.parts["cob"], "/"),
        ):
            figure.add_bar(
                x=values,
                y=list(stages),
                orientation="h",
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                marker={
                    "color": colour,
                    "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": p.background},
                },
                text=[shown(value) for value in values],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{text}<extra>" + f"{name}, {title}" + "</extra>",
                row=1,
                col=column,
            )
        ends = [0.0, *measured, *predicted]
        # Room for the values outside the bars.
        reach = 1.65 * min(ends), 1.65 * max(ends)
        figure.update_xaxes(title_text=f"{title} (length)", range=reach, nticks=5, row=1, col=column)
    figure.update_yaxes(autorange="reversed")
    return styled(figure, dark=dark, height=300, bargap=0.3, legend={"traceorder": "normal"})


def gap_by_stage(diagnosis: Diagnosis, *, dark: bool = False) -> go.Figure:
    """In-sample centroid gap after each step of ReAlign on a log axis, with the sampling floor drawn in."""
    stages = diagnosis.drift.stages
    gaps = {name: value for name in STAGES if (value := stages.get(name)) is not None}
    if not gaps:
        return nothing(NO_DRIFT, dark=dark)
    p, gap = palette(dark), diagnosis.gap
    largest = max([*gaps.values(), gap.sampling_floor, 1e-12])
    clip = CLIP_BELOW_FLOOR * (gap.sampling_floor or largest)
    at_zero = {name: value <= max(ROUNDING, clip * 1e-6) for name, value in gaps.items()}
    told = {name: ("< " if value < clip else "") + shown(max(value, clip)) for name, value in gaps.items()}
    names = list(gaps)
    figure = go.Figure()
    top, bottom = math.log10(max(largest, gap.sampling_floor_95)) + 0.7, math.log10(clip) - 1.4
    ends = [-0.5, len(names) - 0.5]
    if gap.sampling_floor > 0:
        figure.add_scatter(
            x=[*ends, *ends[::-1]],
            y=[gap.sampling_floor_95] * 2 + [10**bottom] * 2,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=BAND[dark],
            name=f"within 95 % of sampling noise, {shown(gap.sampling_floor_95)}",
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=ends,
            y=[gap.sampling_floor] * 2,
            mode="lines",
            name=f"sampling floor, {shown(gap.sampling_floor)}",
            line={"color": p.muted, "width": 2, "dash": "dash"},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=list(range(len(names))),
        y=[max(value, clip) for value in gaps.values()],
        mode="lines+markers+text",
        name="centroid gap, in-sample",
        line={"color": p.parts["u"], "width": 2},
        marker={
            "size": 12,
            "color": p.parts["u"],
            "symbol": ["circle-open" if at_zero[name] else "circle" for name in names],
            "line": {"width": 2, "color": p.parts["u"]},
        },
        text=["0" if at_zero[name] else "" for name in names],
        textposition="bottom center",
        cliponaxis=False,
        customdata=[ZERO if at_zero[name] else told[name] for name in names],
        hovertemplate="%{customdata}<extra></extra>",
    )
    if any(at_zero.values()):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=ZERO,
            marker={"size": 12, "color": p.parts["u"], "symbol": "circle-open", "line": {"width": 2}},
        )
    for place, (name, value) in enumerate(gaps.items()):
        if not at_zero[name]:
            below_floor = math.log10((gap.sampling_floor or value) / max(value, clip))
            figure.add_annotation(
                x=place,
                y=math.log10(max(value, clip)),
                yshift=17,
                text=told[name],
                # Without it the floor would strike the number out.
                bgcolor=BAND[dark] if BEHIND[0] < below_floor < BEHIND[1] else None,
                borderpad=0,
            )
    return styled(
        figure,
        dark=dark,
        height=360,
        xaxis={
            "title": {"text": "step of ReAlign"},
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": ends,
            "showgrid": False,
        },
        yaxis={
            "type": "log",
            "title": {"text": "distance of the centroids (log scale)"},
            "range": [bottom, top],
            "dtick": 1,
            "exponentformat": "power",
            # Powers are drawn a quarter larger.
            "tickfont": {"size": 10},
        },
    )
