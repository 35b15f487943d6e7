"""How much of its neighbourhoods each label kept, by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from realign_core.comparison.inspection import LabelEffect
from realign_core.figures.theme import method_label, method_marker, palette, styled
from realign_core.glossary import shown

MOST_LABELS = 15
SPREAD = 0.5
"""Share of a label's height over which its methods are spread."""


def label_effects_figure(
    effects: Mapping[str, Sequence[LabelEffect]],
    overall: Mapping[str, float],
    *,
    dark: bool = False,
    most: int = MOST_LABELS,
) -> go.Figure:
    """A line a label, a marker with its 95 % interval a method, and each method's mean over all rows.

    Labels stand in the order of the first method, the one that kept least on top; beyond `most` only the
    first ones are drawn.
    """
    first = next(iter(effects.values()))
    names = [effect.label for effect in first[:most]]
    figure, p = go.Figure(), palette(dark)
    for place, (method, found) in enumerate(effects.items()):
        by_label = {effect.label: effect for effect in found}
        chosen = [by_label[name] for name in names]
        shift = SPREAD * ((place + 0.5) / len(effects) - 0.5)
        heights = [row + shift for row in range(len(names))]
        marker = method_marker(method, dark, 9)
        figure.add_scatter(
            x=[effect.kept for effect in chosen],
            y=heights,
            mode="markers",
            name=method_label(method),
            marker=marker,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [effect.interval[1] - effect.kept if effect.interval else 0 for effect in chosen],
                "arrayminus": [
                    effect.kept - effect.interval[0] if effect.interval else 0 for effect in chosen
                ],
                "color": marker["color"],
                "thickness": 1.5,
                "width": 3,
            },
            customdata=[_words(effect) for effect in chosen],
            hovertemplate="%{customdata}<extra>" + method_label(method) + "</extra>",
        )
        figure.add_scatter(
            x=[overall[method]] * 2,
            y=[-0.5, len(names) - 0.5],
            mode="lines",
            line={"color": marker["color"], "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    ticks = [f"{effect.label} ({effect.rows})" for effect in first[:most]]
    return styled(
        figure,
        dark=dark,
        height=110 + max(3, len(names)) * (14 + 10 * len(effects)),
        xaxis={"title": {"text": "neighbours kept (share); dotted: all rows"}, "nticks": 6},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": [_plain(tick) for tick in ticks],
            "range": [len(names) - 0.5, -0.5],
            "gridcolor": p.grid,
        },
        margin={"l": 56, "r": 16, "t": 34, "b": 48},
    )


def _words(effect: LabelEffect) -> str:
    bound = f" ({shown(effect.interval[0])} to {shown(effect.interval[1])})" if effect.interval else ""
    return f"{_plain(effect.label)}: {shown(effect.kept)}{bound}"


def _plain(text: str, longest: int = 28) -> str:
    """A label cut to fit, safe inside plotly's text mark-up."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;")
