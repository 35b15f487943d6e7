"""Scores of the methods as bars with intervals, beside chance and what a perfect map would read."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from realign_core.comparison import Comparison
from realign_core.comparison.evaluation import K
from realign_core.figures.clouds import fitted
from realign_core.figures.theme import method_colour, method_label, nothing, palette, styled
from realign_core.glossary import SCORES, shown

RETENTION_AND_MIXING = ("retention", "mixing_source", "mixing_target")


def chance(result: Comparison, score: str) -> float | None:
    """What the score reads where neighbours are random; None where it has no such value."""
    side = "held_out" if result.judged["held_out_target"] else "in_sample"
    n_x, n_z = result.judged[f"{side}_target"], result.judged[f"{side}_source"]
    if score in ("retention", "omega"):
        k = result.settings.k if score == "retention" else K
        return min(1.0, k / (n_z - 1))
    others = {"mixing_source": n_x, "mixing_target": n_z, "mixing": 2 * n_x * n_z / (n_x + n_z)}
    return others[score] / (n_x + n_z - 1) if score in others else None


def score_bars(
    result: Comparison,
    scores: Sequence[str] = RETENTION_AND_MIXING,
    *,
    methods: Sequence[str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """A panel a score: held-out bars with 95 % intervals, in-sample as light thin ones, chance, reference."""
    panels, p = fitted(result, methods), palette(dark)
    if not panels:
        return nothing("No method could be fitted, so there are no scores.", dark=dark)
    names = list(panels)
    places = list(range(len(names)))
    colours = [method_colour(name, dark) for name in names]
    figure = make_subplots(1, len(scores), shared_yaxes=True, horizontal_spacing=0.04)
    drawn: set[str] = set()

    def named(label: str) -> dict:
        """One entry in the legend for the same mark in every panel."""
        fresh = label not in drawn
        drawn.add(label)
        return {"name": label, "legendgroup": label, "showlegend": fresh}

    for column, score in enumerate(scores, start=1):
        here = {"row": 1, "col": column}
        held = [(m.held_out or {}).get(score) for m in panels.values()]
        inside = [m.in_sample.get(score) for m in panels.values()]
        bounds = [m.interval.get(score) for m in panels.values()]
        texts = [_text(value, bound) for value, bound in zip(held, bounds)]
        figure.add_bar(
            x=held,
            y=[place - 0.1 for place in places],
            orientation="h",
            width=0.46,
            marker={
                "color": colours,
                "pattern": {"shape": ["x" if panels[name].collapsed else "" for name in names], "size": 5},
            },
            error_x=_errors(held, bounds, p.ink),
            customdata=texts,
            hovertemplate="held-out %{customdata}<extra>%{text}</extra>",
            text=[method_label(name) for name in names],
            textposition="none",
            showlegend=False,
            **here,
        )
        figure.add_bar(
            x=inside,
            y=[place + 0.26 for place in places],
            orientation="h",
            width=0.18,
            marker={"color": colours, "opacity": 0.5},
            hovertemplate="in-sample %{x:.3~g}<extra>%{text}</extra>",
            text=[method_label(name) for name in names],
            textposition="none",
            showlegend=False,
            **here,
        )
        for label, value, dash in (
            ("chance", chance(result, score), "dot"),
            ("perfect (target against target)", result.reference.get(score), "dash"),
        ):
            if value is not None:
                figure.add_scatter(
                    x=[value, value],
                    y=[-0.5, len(names) - 0.5],
                    mode="lines",
                    line={"color": p.ink, "width": 1.5, "dash": dash},
                    hovertemplate=f"{label}: {shown(value)}<extra></extra>",
                    **named(label),
                    **here,
                )
        figure.update_xaxes(
            title_text="<br>".join(textwrap.wrap(f"{SCORES[score].label} (share)", 20)),
            rangemode="tozero",
            nticks=4,
            **here,
        )
    figure.update_yaxes(
        tickvals=places,
        ticktext=[method_label(n) + (" (collapsed)" if panels[n].collapsed else "") for n in names],
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
    )
    return styled(figure, dark=dark, height=120 + 34 * max(3, len(names)), barmode="overlay")


def _text(value: float | None, bound: tuple[float, float] | None) -> str:
    return shown(value) + (f" ({shown(bound[0])} to {shown(bound[1])})" if bound else "")


def _errors(
    values: Sequence[float | None], bounds: Sequence[tuple[float, float] | None], colour: str
) -> dict:
    """Error bars from value to bounds; a bound on the wrong side (a debiased gap) draws to the value."""
    pairs = [(v, b) if v is not None and b else (0.0, (0.0, 0.0)) for v, b in zip(values, bounds)]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, bound[1] - value) for value, bound in pairs],
        "arrayminus": [max(0.0, value - bound[0]) for value, bound in pairs],
        "color": colour,
        "thickness": 1.5,
        "width": 4,
    }
