"""The probe set in a plane that stays, moved through training by a slider in the browser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from realign_core.figures.theme import SOURCE_SYMBOL, TARGET_SYMBOL, palette, styled
from realign_core.glossary import count, percent
from realign_core.training.path import PathStep

MOST_FRAMES = 60
JOINED_PAIRS = 12
HEIGHT = 500


def scrubber(path: Sequence[PathStep], names: tuple[str, str], *, dark: bool = False) -> go.Figure:
    """Images and texts of the same pairs at every step, equal axes; opens on the last snapshot.

    `names` are what the two axes lie along.
    """
    path = thinned(path)
    p, last = palette(dark), path[-1]
    joined = np.linspace(0, len(last.image) - 1, min(JOINED_PAIRS, len(last.image))).round().astype(int)
    figure = go.Figure()
    looks = (
        ("some pairs", {"mode": "lines", "line": {"color": p.muted, "width": 1}}),
        ("images (target)", _cloud(p.target, TARGET_SYMBOL)),
        ("texts (source)", _cloud(p.source, SOURCE_SYMBOL)),
        ("mean of the images", _mean(p.target, TARGET_SYMBOL, p.ink)),
        ("mean of the texts", _mean(p.source, SOURCE_SYMBOL, p.ink)),
    )
    for (name, look), points in zip(looks, _points(last, joined)):
        figure.add_scatter(**points, **look, name=name, hoverinfo="skip")
    figure.frames = [
        go.Frame(
            name=str(step.step),
            data=[go.Scatter(**points) for points in _points(step, joined)],
            traces=list(range(len(looks))),
            layout={"annotations": [_caption(step)]},
        )
        for step in path
    ]
    every = np.concatenate([np.concatenate([step.image, step.text]) for step in path])
    low, high = every.min(axis=0), every.max(axis=0)
    room = 0.05 * max(float((high - low).max()), 1e-9)
    axes = [{"range": [float(a - room), float(b + room)], "zeroline": False} for a, b in zip(low, high)]
    return styled(
        figure,
        dark=dark,
        height=HEIGHT,
        margin={"l": 56, "r": 16, "t": 52, "b": 40},
        annotations=[_caption(last)],
        xaxis=axes[0] | {"title": {"text": f"along {names[0]}"}, "nticks": 7},
        yaxis=axes[1]
        | {"title": {"text": f"along {names[1]}"}, "scaleanchor": "x", "scaleratio": 1, "nticks": 7},
        legend={"traceorder": "normal", "y": 1.05},
        sliders=[_slider(path, dark)],
    )


def thinned(path: Sequence[PathStep]) -> Sequence[PathStep]:
    """The steps that get a frame: all, or evenly chosen ones with both ends."""
    if len(path) <= MOST_FRAMES:
        return path
    return [path[place] for place in np.linspace(0, len(path) - 1, MOST_FRAMES).round().astype(int)]


def _points(step: PathStep, joined: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Coordinates of each trace, in their order."""
    apart = np.full(len(joined), np.nan, dtype=np.float32)
    lines = [
        np.stack([step.image[joined, axis], step.text[joined, axis], apart], axis=1).ravel()
        for axis in (0, 1)
    ]
    return [
        {"x": lines[0], "y": lines[1]},
        *(
            {"x": rows[:, 0].copy(), "y": rows[:, 1].copy()}
            for rows in (step.image, step.text, step.image_mean[None], step.text_mean[None])
        ),
    ]


def _cloud(colour: str, symbol: str) -> dict:
    return {"mode": "markers", "marker": {"color": colour, "symbol": symbol, "size": 6, "opacity": 0.6}}


def _mean(colour: str, symbol: str, ink: str) -> dict:
    line = {"color": ink, "width": 2}
    marker = {"color": colour, "symbol": symbol, "size": 14, "line": line}
    return {"mode": "markers", "marker": marker, "showlegend": False}


def _caption(step: PathStep) -> dict:
    gap = "" if step.gap is None else f", {percent(step.gap)} of the squared gap"
    held = f"{percent(step.variance)} of the variance{gap}"
    return {
        "text": f"<b>Step {count(step.step)}</b>: in view {held}",
        "x": 0,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13},
    }


def _slider(path: Sequence[PathStep], dark: bool) -> dict:
    p = palette(dark)
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    return {
        "active": len(path) - 1,
        "pad": {"t": 46, "b": 0, "l": 0, "r": 12},
        "currentvalue": {"prefix": "training step ", "font": {"size": 13, "color": p.ink}},
        "bgcolor": p.grid,
        "activebgcolor": p.muted,
        "bordercolor": p.muted,
        "tickcolor": p.muted,
        "font": {"color": p.ink, "size": 12},
        "steps": [
            {"label": str(step.step), "method": "animate", "args": [[str(step.step)], still]} for step in path
        ],
    }
