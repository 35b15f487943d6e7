"""The figures of the comparison: the linked projection with its selection, then the others."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.components import (
    charts,
    compare_curves,
    comparing,
    frame,
    rowcards,
    selection,
    settings,
    theme,
    zoom,
)
from pages.components.selection import Trace
from pages.components.study import Study
from pages.components.words import plain
from realign_core import figures
from realign_core.comparison import Comparison
from realign_core.figures.clouds import drawn_points
from realign_core.figures.comparison_list import comparison_figures
from realign_core.figures.described import Described
from realign_core.figures.labelled import coloured_by_label

CHART = "linked"
CONFIG = {**charts.CONFIG, "modeBarButtonsToRemove": ["toImage"], "displayModeBar": True}


def described(study: Study, result: Comparison) -> dict[str, Described]:
    """The comparison's figures with their words, by key."""
    found = study.drawn(("described", comparing.key_of(result.settings)), lambda: comparison_figures(result))
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
    key = (study.digest, comparing.key_of(result.settings), colour, dark)
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
    charts.described(words, drawing=comparing.drawn(study, result, words))


def others(study: Study, result: Comparison) -> None:
    """Trade-off, bars, cosines and spectra."""
    found = described(study, result)
    unfinished = None
    with frame.section():
        unfinished = compare_curves.show(study, result)
    for key in ("bars", "cosines", "mapped-spectra"):
        with frame.section():
            charts.described(found[key], drawing=comparing.drawn(study, result, found[key]))
    if unfinished:
        unfinished()


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
