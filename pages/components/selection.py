"""Rows that the reader selected: kept by number for the whole session, whatever page is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.components.study import Study

STORE = "selection"
TOOL = "selection_tool"
DIMMED = 0.06
FEW = 100
"""Selected rows up to which their markers grow; more would hide each other."""


@dataclass(frozen=True)
class Selection:
    """Numbers of the selected rows in each set, ascending; of pairs the same in both."""

    target: tuple[int, ...] = ()
    source: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.target or self.source)

    def of(self, side: str) -> tuple[int, ...]:
        """The rows of `"target"` or `"source"`."""
        return self.target if side == "target" else self.source


@dataclass(frozen=True)
class Trace:
    """Which set a trace shows, and the number there of the row behind each of its points."""

    side: str
    rows: np.ndarray


def current(study: Study) -> Selection:
    """What is selected of these data."""
    digest, held = st.session_state.get(STORE, (None, None))
    return held if digest == study.digest else Selection()


def put(study: Study, found: Selection) -> None:
    """Select these rows."""
    st.session_state[STORE] = (study.digest, found)


def clear() -> None:
    """Select nothing."""
    st.session_state.pop(STORE, None)


def keep(study: Study, chart: str, traces: Sequence[Trace]) -> None:
    """Take over what was selected in a chart.

    A chart that is drawn anew reports nothing, and that clears nothing.
    """
    event: Any = st.session_state.get(chart)
    points = event["selection"]["points"] if event else []
    found: dict[str, set[int]] = {"target": set(), "source": set()}
    for point in points:
        trace = traces[point["curve_number"]]
        found[trace.side].add(int(trace.rows[point["point_index"]]))
    if study.pair.paired:
        found["target"] = found["source"] = found["target"] | found["source"]
    if points:
        st.session_state[TOOL] = "lasso" if event["selection"].get("lasso") else "select"
        put(study, Selection(tuple(sorted(found["target"])), tuple(sorted(found["source"]))))


def highlight(figure: go.Figure, traces: Sequence[Trace], chosen: Selection) -> go.Figure:
    """A copy of the figure in which the selected rows stand out in every panel."""
    # The tool stays in hand for the next selection.
    figure = go.Figure(figure).update_layout(dragmode=st.session_state.get(TOOL, "zoom"))
    # Traces beyond these are entries of the legend and hold no rows.
    for drawn, trace in zip(figure.data, traces):
        drawn.update(
            selectedpoints=np.flatnonzero(np.isin(trace.rows, chosen.of(trace.side))).tolist(),
            selected={"marker": {"opacity": 1, "size": 8 if len(chosen.of(trace.side)) <= FEW else 5}},
            unselected={"marker": {"opacity": DIMMED}},
        )
    return figure
