"""What closing the gap does to retrieval and zero-shot classification, against the untouched source."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from realign_core.comparison import Comparison, Difference, differences
from realign_core.comparison.usefulness import USES
from realign_core.figures.described import NO_VALUE, Described
from realign_core.figures.theme import LABELS, method_label, method_marker, nothing, palette, styled
from realign_core.findings.uses import CONTROL
from realign_core.glossary import MISSING, listed, share, shown

HEADINGS = {
    **{f"recall_at_{k}": f"Text → image, recall@{k}" for k in (1, 5, 10)},
    **{f"recall_at_{k}_reverse": f"Image → text, recall@{k}" for k in (1, 5, 10)},
    "zero_shot": "Zero-shot accuracy",
}
WORDS = {"loss": "loss", "gain": "gain", "open": ""}
TABLE_WORDS = {"loss": "loss", "gain": "gain", "open": "not resolved"}
# Not a round number: a tick at either end of the axis would run into that of the next panel.
SMALLEST_SPAN = 0.024
ROW_PIXELS = 46
WHY_NOTHING = (
    "Costs in retrieval and zero-shot classification need pairs, rows held out, and a method beside the "
    "untouched source."
)


def use_differences(result: Comparison, scores: Sequence[str] = USES, *, dark: bool = False) -> go.Figure:
    """A panel a score, a row a method: held-out difference from the untouched source with its interval.

    Filled symbols with the word loss or gain lie beyond their interval; open ones the sample cannot tell
    from no change. The negative control is left to the table where there are other methods.
    """
    found = {name: by_score for name, by_score in differences(result, scores).items() if by_score}
    # All that the control loses would set the scale, and squeeze what methods differ by.
    found = {name: by_score for name, by_score in found.items() if name != CONTROL} or found
    present = [score for score in scores if any(score in by_score for by_score in found.values())]
    if not present:
        return nothing(WHY_NOTHING, dark=dark)
    p, names = palette(dark), list(found)
    figure = make_subplots(
        1,
        len(present),
        shared_yaxes=True,
        shared_xaxes="all",
        horizontal_spacing=0.03,
        subplot_titles=[_heading(result, score, found) for score in present],
    )
    for column, score in enumerate(present, start=1):
        here = {"row": 1, "col": column}
        for place, name in enumerate(names):
            if (one := found[name].get(score)) is not None:
                figure.add_trace(_dot(one, place, dark), **here)
        # After the traces: plotly leaves empty panels without it.
        figure.add_vline(x=0, line={"color": p.ink, "width": 1.5}, layer="below", **here)
    ends = [end for by_score in found.values() for one in by_score.values() for end in (one.low, one.high)]
    figure.update_xaxes(range=_span(ends), nticks=5, tickformat=".3~f", zeroline=False)
    figure.update_xaxes(title_text="change from untouched, held-out")
    figure.update_yaxes(range=[len(names) - 0.5, -0.6], showgrid=False)
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[_row_label(result, name, p.muted) for name in names],
        col=1,
    )
    figure.update_annotations(yshift=4, font={"size": 12.5, "color": p.ink}, align="center")
    return styled(
        figure,
        dark=dark,
        height=110 + ROW_PIXELS * max(2, len(names)),
        margin={"l": 56, "r": 16, "t": 46, "b": 48},
        showlegend=False,
    )


def _dot(one: Difference, place: int, dark: bool) -> go.Scatter:
    marker = method_marker(one.method, dark, 12)
    if one.verdict == "open":
        # Plotly draws the open shape in the colour of the marker and fills nothing.
        marker |= {"symbol": f"{marker['symbol']}-open", "line": {"color": marker["color"], "width": 2}}
    return go.Scatter(
        x=[one.change],
        y=[place],
        mode="markers+text",
        marker=marker,
        text=[WORDS[one.verdict]],
        textposition="top center",
        textfont={"color": palette(dark).ink, "size": 12},
        cliponaxis=False,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, one.high - one.change)],
            "arrayminus": [max(0.0, one.change - one.low)],
            "color": marker["color"],
            "thickness": 2,
            "width": 5,
        },
        name=method_label(one.method),
        hovertemplate=f"untouched {share(one.before)}<br>after {share(one.after)}<br>"
        f"change {share(one.change, signed=True)} ({_bounds(one)})<br>{TABLE_WORDS[one.verdict]}"
        f"<extra>{method_label(one.method)}</extra>",
    )


def _heading(result: Comparison, score: str, found: dict[str, dict[str, Difference]]) -> str:
    """What is judged, and what the untouched source reads."""
    judged = [by_score[score] for by_score in found.values() if score in by_score]
    below = f"untouched {share(judged[0].before)}"
    counts = result.classes.get("held_out")
    if score == "zero_shot" and counts is not None:
        below += f", chance {share(counts.chance)}"
        if all(one.at_chance for one in judged):
            below += ": all at chance"
    return f"<b>{HEADINGS[score]}</b><br>{below}"


def _row_label(result: Comparison, name: str, colour: str) -> str:
    method = result.fitted[name]
    gap, mixing = method.held("centroid_gap"), method.held("entropy_mixing_target")
    collapsed = " (collapsed)" if method.collapsed else ""
    closed = f"gap {shown(gap)}" + ("" if mixing is None else f", mixing {share(mixing)}")
    return f"{method_label(name)}{collapsed}<br><span style='font-size:11px;color:{colour}'>{closed}</span>"


def _span(ends: Sequence[float]) -> list[float]:
    low, high = min(0.0, *ends), max(0.0, *ends)
    pad = max(0.08 * (high - low), SMALLEST_SPAN / 2)
    return [low - pad, high + pad]


def _bounds(one: Difference) -> str:
    return f"{share(one.low, signed=True)} to {share(one.high, signed=True)}"


def described_uses(result: Comparison) -> Described:
    """The figure with its words, and a table of every difference beside what was closed."""
    found = {name: by_score for name, by_score in differences(result, USES).items() if by_score}
    base = result.untouched
    rows = tuple(
        (
            HEADINGS[score],
            LABELS.get(name, name),
            shown(result.fitted[name].held("centroid_gap")),
            shown(result.fitted[name].held("entropy_mixing_target")),
            share(one.before),
            share(one.after),
            share(one.change, signed=True),
            _bounds(one),
            "at chance" if one.at_chance else TABLE_WORDS[one.verdict],
            f"{share(one.in_sample[0])} to {share(one.in_sample[1])}" if one.in_sample else MISSING,
        )
        for score in USES
        for name, by_score in found.items()
        if (one := by_score.get(score)) is not None
    )
    gap = MISSING if base is None else shown(base.held_out.get("centroid_gap"))
    guessing = any(one.at_chance for by_score in found.values() for one in by_score.values())
    chance = ", or guessing does as well" if guessing else ""
    control = " The negative control stands in the numbers." if {CONTROL} < set(found) else ""
    words = [f"{method}, {score}: {change} ({word})" for score, method, *_, change, _, word, _ in rows]
    return Described(
        "uses",
        "What closing the gap costs",
        "Each symbol is a method's held-out score less that of the untouched source, whose gap is "
        f"{gap}; left of the line is a loss. Filled with a word: the 95 % interval of the paired difference "
        f"leaves out 0. Open: these rows cannot tell it from no change{chance}. Intervals hold for one "
        f"difference at a time.{control}",
        f"Change against the untouched source: {listed(words)}." if rows else NO_VALUE,
        (
            "score",
            "method",
            "gap left",
            "mixing Mˣ",
            "untouched",
            "after",
            "difference",
            "95 % interval",
            "beyond it",
            "in-sample",
        ),
        rows,
        (*USES, "methods.differences", "classes", "centroid_gap", "entropy_mixing_target"),
        lambda dark: use_differences(result, dark=dark),
        wide=True,
    )
