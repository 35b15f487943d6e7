"""Colours, shapes and templates of every figure, for a light and a dark page."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cache

import plotly.graph_objects as go

FONT = "system-ui, sans-serif"


@dataclass(frozen=True)
class Palette:
    """Colours on one background. Okabe-Ito hues, darkened or lightened where they fall under 3:1."""

    background: str
    ink: str
    muted: str
    grid: str
    target: str
    source: str
    parts: dict[str, str]
    methods: dict[str, str]
    spare: tuple[str, ...]


LIGHT = Palette(
    background="#ffffff",
    ink="#1c2329",
    muted="#5c6770",
    grid="#e2e6ea",
    target="#0072B2",
    source="#D55E00",
    parts={"pmb": "#3b4a5a", "cob": "#7d8b99", "u": "#8a6a00", "v": "#b78b00"},
    methods={
        "identity": "#6b7680",
        "mean_shift": "#7a4fb0",
        "c3": "#857400",
        "anchor_trace": "#2e7f86",
        "realign": "#009E73",
        "rotation": "#c2629a",
        "blockwise": "#000000",
        "gaussian_ot": "#8c2d3f",
        "anisoalign": "#4b7a1f",
        "procrustes": "#5a4636",
        "random_target": "#8f8790",
    },
    spare=("#a0457f", "#3f7d5c", "#6d5f9e", "#94702a"),
)
DARK = Palette(
    background="#14181d",
    ink="#e7eaee",
    muted="#a3adb8",
    grid="#2e363f",
    target="#56B4E9",
    source="#E69F00",
    parts={"pmb": "#c3ccd6", "cob": "#7f8c9a", "u": "#e3c766", "v": "#a98c33"},
    methods={
        "identity": "#9aa5b0",
        "mean_shift": "#b99af0",
        "c3": "#F0E442",
        "anchor_trace": "#6fd3da",
        "realign": "#2ecc9b",
        "rotation": "#e38fc0",
        "blockwise": "#ffffff",
        "gaussian_ot": "#f08a94",
        "anisoalign": "#a6d76b",
        "procrustes": "#c9ad93",
        "random_target": "#b3abb5",
    },
    spare=("#d98cc0", "#86cfa6", "#aaa0e0", "#d8b56c"),
)

TARGET_SYMBOL, SOURCE_SYMBOL = "circle", "diamond"
METHOD_SYMBOLS = {
    "identity": "line-ew",
    "mean_shift": "triangle-up",
    "c3": "x",
    "anchor_trace": "triangle-down",
    "realign": "square",
    "rotation": "star",
    "blockwise": "cross",
    "gaussian_ot": "pentagon",
    "anisoalign": "hexagon",
    "procrustes": "triangle-left",
    "random_target": "triangle-ne",
}
_SPARE_SYMBOLS = ("triangle-right", "hexagram", "star-square", "bowtie")
_THIN = {"line-ew"}
LABELS = {
    "identity": "Untouched",
    "mean_shift": "Mean shift",
    "c3": "C3",
    "anchor_trace": "Anchor + trace",
    "realign": "ReAlign",
    "rotation": "Rotation",
    "blockwise": "Blockwise",
    "gaussian_ot": "Gaussian OT",
    "anisoalign": "AnisoAlign",
    "procrustes": "Procrustes",
    "random_target": "Random target",
}
LINE_DASHES = ("solid", "dash", "dot", "dashdot")


def palette(dark: bool) -> Palette:
    """Colours for a dark or a light page."""
    return DARK if dark else LIGHT


def method_colour(name: str, dark: bool) -> str:
    """Hue of a method; a user's own gets a spare one by its name."""
    colours = palette(dark)
    return colours.methods.get(name) or colours.spare[_place(name) % len(colours.spare)]


def method_symbol(name: str) -> str:
    """Marker shape of a method, never that of target or source."""
    return METHOD_SYMBOLS.get(name) or _SPARE_SYMBOLS[_place(name) % len(_SPARE_SYMBOLS)]


def method_marker(name: str, dark: bool, size: float) -> dict:
    """Marker of a method; shapes without a face get a line in its hue."""
    colour, symbol = method_colour(name, dark), method_symbol(name)
    line = {"color": colour, "width": 2} if symbol in _THIN else {"width": 0}
    return {"color": colour, "symbol": symbol, "size": size, "line": line}


def method_label(name: str) -> str:
    """A method's name for people, safe inside plotly's text mark-up."""
    return LABELS.get(name) or html.escape(name)


def _place(name: str) -> int:
    return sum(name.encode())


@cache
def template(dark: bool, left: int | None = None) -> go.layout.Template:
    """The layout that every figure starts from; with `left` its margins hold whatever the labels are."""
    p = palette(dark)
    axis = {
        "gridcolor": p.grid,
        "linecolor": p.muted,
        "zerolinecolor": p.grid,
        "zerolinewidth": 1,
        "tickcolor": p.muted,
        "ticks": "outside",
        "ticklen": 4,
        "showline": True,
        "automargin": left is None,
        "tickangle": 0,
        "exponentformat": "e",
        "title": {"standoff": 8, "font": {"size": 13}},
        "tickfont": {"size": 12},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": p.ink},
            "paper_bgcolor": p.background,
            "plot_bgcolor": p.background,
            "margin": {"l": left or 56, "r": 16, "t": 12, "b": 48},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": p.background,
                "bordercolor": p.muted,
                "font": {"family": FONT, "size": 13, "color": p.ink},
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.02,
                "yanchor": "bottom",
                "itemsizing": "constant",
                "itemwidth": 40,
                "bgcolor": "rgba(0,0,0,0)",
                "font": {"size": 12},
            },
            "annotationdefaults": {"font": {"family": FONT, "size": 12, "color": p.ink}, "showarrow": False},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": p.muted, "activecolor": p.ink},
        }
    )


def styled(
    figure: go.Figure, *, dark: bool, height: int, left: int | None = None, **layout: object
) -> go.Figure:
    """The figure in the house template; `uirevision` keeps zoom and camera when only colours change.

    `left` is the margin beside the y axis where its labels are known to be short. Without it Plotly draws
    every figure twice to fit the margins: twice the wait where a slider redraws them.
    """
    look = {"template": template(dark, left), "height": height, "uirevision": "keep", **layout}
    if set(figure.layout.to_plotly_json()) - {"template"}:
        return figure.update_layout(look)
    # Half as long as an update, which looks for what there is to keep.
    figure.layout = look
    return figure


def nothing(sentence: str, *, dark: bool, height: int = 160) -> go.Figure:
    """An empty figure that says in a sentence why there is nothing to show."""
    figure = go.Figure()
    figure.add_annotation(
        text="<br>".join(_wrapped(sentence)), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False
    )
    hidden = {"visible": False}
    return styled(figure, dark=dark, height=height, xaxis=hidden, yaxis=hidden)


def _wrapped(sentence: str, width: int = 62) -> list[str]:
    lines = [""]
    for word in html.escape(sentence, quote=False).split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
