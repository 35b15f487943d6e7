"""The figures of the comparison: the linked projection with its selection, then the others."""

from __future__ import annotations

import itertools
import json
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.components import charts, frame, rowcards, selection, settings, theme, zoom
from pages.components.selection import Trace
from pages.components.study import Study
from pages.components.words import plain
from realign_core import figures
from realign_core.comparison import Comparison
from realign_core.figures.clouds import drawn_points
from realign_core.figures.comparison_list import comparison_figures, described_trade_off
from realign_core.figures.described import Described
from realign_core.figures.labelled import coloured_by_label
from realign_core.glossary import SCORES

CHART = "linked"
KEPT = ("omega", "retention", "psi", "phi")
REACHED = (
    "entropy_mixing_target",
    "entropy_mixing_source",
    "mixing_target",
    "mixing_source",
    "centroid_gap",
    "cosine_js",
    "covariance_discrepancy",
)
CONFIG = {**charts.CONFIG, "modeBarButtonsToRemove": ["toImage"], "displayModeBar": True}


def described(study: Study, result: Comparison) -> dict[str, Described]:
    """The comparison's figures with their words, by key."""
    found = study.drawn(("described", _settings_key(result)), lambda: comparison_figures(result))
    return {figure.key: figure for figure in found}


def linked(study: Study, result: Comparison) -> None:
    """Every method's rows in one projection; what is selected in one panel stands out in all."""
    words = described(study, result)["projection"]
    heading, control = st.columns([3, 1], vertical_alignment="center")
    heading.markdown(f"##### {words.title}")
    colour = "modality"
    if study.pair.labels is not None:
        with control.container(horizontal=True, horizontal_alignment="right"):
            colour = settings.bind(
                "colour",
                st.segmented_control,
                "Colour of the points",
                ("modality", "label"),
                format_func={"modality": "Colour by set", "label": "by label"}.get,
                required=True,
                label_visibility="collapsed",
            )
    chosen, dark = selection.current(study), theme.dark()
    key = (study.digest, _settings_key(result), colour, dark)
    figure, traces = study.drawn(("linked", *key), lambda: _draw(study, result, colour, dark))
    if chosen:
        figure = selection.highlight(figure, traces, chosen)
    ranges = zoom.ranges_for(CHART, (*key, chosen))
    if ranges:
        figure = go.Figure(figure)
        figure.update_xaxes(range=ranges[:2]).update_yaxes(range=ranges[2:])
    st.plotly_chart(
        figure,
        key=CHART,
        theme=None,
        config=CONFIG,
        alt=words.alt,
        on_select=partial(selection.keep, study, CHART, traces),
        selection_mode=("lasso", "box"),
    )
    if chosen:
        rowcards.selected(study, chosen)
    st.caption(
        plain(words.reading)
        + " To select rows, take the lasso or the box from the bar above the figure and draw around points."
    )
    charts.footer(words)


def costs(study: Study, result: Comparison) -> None:
    """What each method changes in retrieval and zero-shot classification."""
    words = described(study, result)["uses"]
    charts.described(words, drawing=_drawn(study, result, words))


def others(study: Study, result: Comparison) -> None:
    """Trade-off, bars, cosines and spectra."""
    found = described(study, result)
    with frame.section():
        _trade_off(study, result)
    for key in ("bars", "cosines", "mapped-spectra"):
        with frame.section():
            charts.described(found[key], drawing=_drawn(study, result, found[key]))


def _trade_off(study: Study, result: Comparison) -> None:
    left, right = st.columns([3, 1], gap="large")
    with right:
        for name, label, offered in (
            ("kept", "Across: source kept", KEPT),
            ("reached", "Up: target reached", REACHED),
        ):
            # An address may name anything.
            if settings.get(name) not in offered:
                settings.put(name, offered[0])
            settings.bind(name, st.selectbox, label, offered, format_func=lambda score: SCORES[score].label)
        kept, reached = settings.get("kept"), settings.get("reached")
        for score in (kept, reached):
            st.caption(plain(SCORES[score].meaning))
    words = described_trade_off(result, reached, "trade-off", "Source kept against target reached", kept=kept)
    with left:
        charts.described(words, drawing=_drawn(study, result, words, kept, reached))


def _drawn(study: Study, result: Comparison, words: Described, *more: str) -> go.Figure:
    dark = theme.dark()
    return study.drawn((words.key, _settings_key(result), dark, *more), lambda: words.draw(dark))


def _draw(study: Study, result: Comparison, colour: str, dark: bool) -> tuple[go.Figure, tuple[Trace, ...]]:
    figure = figures.comparison(result, dark=dark)
    figure.update_layout(dragmode="zoom")
    rows = result.rows.get("held-out") or result.rows["in-sample"]
    traces = tuple(
        Trace(side, getattr(rows, side)[np.asarray(drawn.customdata)])
        for drawn, side in zip(drawn_points(figure), itertools.cycle(("target", "source")))
    )
    if colour == "label":
        labels = study.pair.labels
        known = ("target", "source") if study.pair.paired else ("target",)
        figure = coloured_by_label(
            figure,
            [labels[trace.rows] if labels is not None and trace.side in known else None for trace in traces],
            dark=dark,
        )
    return figure, traces


def _settings_key(result: Comparison) -> str:
    return json.dumps(result.settings.to_dict(), sort_keys=True)
