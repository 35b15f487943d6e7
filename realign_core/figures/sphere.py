"""The unit sphere with real rows on it, stepped through ReAlign in the browser."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from realign_core.diagnostics.drift import STAGES
from realign_core.diagnostics.drift_path import DriftPath
from realign_core.figures.drift import NO_DRIFT
from realign_core.figures.theme import nothing, palette, styled
from realign_core.glossary import shown

MEANING = {
    "original": "unit rows as they came",
    "anchor": "moved onto the target's mean: off the sphere",
    "trace": "spread scaled to the target's: off the sphere",
    "projected": "back on the sphere: the mean has drifted",
    "centroid": "mean moved back: off the sphere",
    "final": "back on the sphere: done",
}


def drift_sphere(path: DriftPath | None, *, dark: bool = False) -> go.Figure:
    """Sphere in (anchor, tangential drift, leading residual) with a slider over the stages; anchor is up."""
    if path is None:
        return nothing(NO_DRIFT, dark=dark)
    p = palette(dark)
    figure = go.Figure()
    figure.add_scatter3d(
        **_wires(), mode="lines", line={"color": p.grid, "width": 2}, hoverinfo="skip", showlegend=False
    )
    figure.add_scatter3d(
        x=[0, 0],
        y=[0, 0],
        z=[0, 1.15],
        mode="lines",
        line={"color": p.muted, "width": 4},
        name="anchor direction",
        hoverinfo="skip",
    )
    figure.add_scatter3d(
        **_placed(path.target),
        mode="markers",
        name="target rows",
        marker={"color": p.target, "size": 3, "symbol": "circle", "opacity": 0.55},
        hoverinfo="skip",
    )
    moving = len(figure.data)
    figure.add_scatter3d(
        **_placed(path.source[STAGES[0]]),
        mode="markers",
        name="source rows",
        marker={"color": p.source, "size": 3, "symbol": "diamond", "opacity": 0.7},
        hoverinfo="skip",
    )
    figure.add_scatter3d(
        **_placed(path.target_centroid[None]),
        mode="markers",
        name="target mean",
        marker={
            "color": p.target,
            "size": 9,
            "symbol": "circle-open",
            "line": {"width": 4, "color": p.target},
        },
        hovertemplate="target mean<extra></extra>",
    )
    figure.add_scatter3d(
        **_placed(path.centroids[STAGES[0]][None]),
        mode="markers",
        name="source mean",
        marker={"color": p.source, "size": 7, "symbol": "diamond", "line": {"width": 1, "color": p.ink}},
        hovertemplate="source mean<extra></extra>",
    )
    figure.frames = [
        go.Frame(
            name=stage,
            data=[
                go.Scatter3d(**_placed(path.source[stage])),
                go.Scatter3d(**_placed(path.centroids[stage][None])),
            ],
            traces=[moving, moving + 2],
            layout={"annotations": [_caption(path, stage)]},
        )
        for stage in STAGES
    ]
    axis = {"visible": False, "range": [-1.2, 1.2]}
    return styled(
        figure,
        dark=dark,
        height=700,
        margin={"l": 0, "r": 0, "t": 30, "b": 70},
        annotations=[_caption(path, STAGES[0])],
        scene={
            "xaxis": axis,
            "yaxis": axis,
            "zaxis": axis,
            "aspectmode": "cube",
            "bgcolor": p.background,
            "camera": {"eye": {"x": 0.86, "y": -0.78, "z": 0.5}, "center": {"x": 0, "y": 0, "z": 0}},
        },
        sliders=[_slider(dark)],
    )


def _caption(path: DriftPath, stage: str) -> dict:
    lengths = np.linalg.norm(path.source[stage], axis=1)
    off = (
        "all of length 1"
        if np.ptp(lengths) < 1e-5
        else f"lengths {shown(lengths.min())} to {shown(lengths.max())}"
    )
    return {
        "text": f"<b>{stage}</b>: {MEANING[stage]} ({off})",
        "x": 0,
        "y": 0,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13},
    }


def _slider(dark: bool) -> dict:
    p = palette(dark)
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    return {
        "active": 0,
        "pad": {"t": 4, "b": 4, "l": 24, "r": 24},
        "currentvalue": {"visible": False},
        "bgcolor": p.grid,
        "activebgcolor": p.muted,
        "bordercolor": p.muted,
        "tickcolor": p.muted,
        "font": {"color": p.ink, "size": 12},
        "steps": [{"label": stage, "method": "animate", "args": [[stage], still]} for stage in STAGES],
    }


def _placed(points: np.ndarray) -> dict[str, np.ndarray]:
    """The anchor upwards, tangential drift and leading residual on the floor; float32 as it is sent."""
    points = points.astype(np.float32)
    return {"x": points[:, 1].copy(), "y": points[:, 2].copy(), "z": points[:, 0].copy()}


def _wires(lines: int = 6, points: int = 48) -> dict[str, list[float | None]]:
    """Meridians and parallels of the unit sphere as one broken line, 3 digits each."""
    found: dict[str, list[float | None]] = {"x": [], "y": [], "z": []}
    turn = np.linspace(0, 2 * np.pi, points + 1)
    for step in range(lines):
        bearing = np.pi * step / lines
        meridian = np.sin(turn) * np.cos(bearing), np.sin(turn) * np.sin(bearing), np.cos(turn)
        height = np.cos(np.pi * (step + 0.5) / lines)
        width = np.sqrt(1 - height**2)
        parallel = width * np.cos(turn), width * np.sin(turn), np.full_like(turn, height)
        for curve in (meridian, parallel):
            for key, values in zip("xyz", curve, strict=True):
                found[key] += [*np.round(values, 3).tolist(), None]
    return found
