"""Figures with what belongs to them: a text alternative, the numbers and the definitions one click away."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.components import definitions, theme
from pages.components.words import plain
from realign_core.figures.described import Described

CONFIG = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


def show(figure: go.Figure, key: str, *, alt: str, table: pd.DataFrame | None = None) -> None:
    """Draw a figure; `alt` says what it shows, `table` holds its numbers."""
    st.plotly_chart(figure, key=key, theme=None, config=CONFIG, alt=alt)
    if table is not None:
        with st.expander("Numbers"):
            st.dataframe(table, hide_index=True)


def described(figure: Described, *, finding: str | None = None, drawing: go.Figure | None = None) -> None:
    """A figure under its title; below it what it says here, how to read it, numbers and definitions.

    `drawing` is the figure where it has been drawn before.
    """
    st.markdown(f"##### {figure.title}")
    st.plotly_chart(
        drawing or figure.draw(theme.dark()),
        key=f"figure_{figure.key}",
        theme=None,
        config=CONFIG,
        alt=figure.alt,
    )
    if finding:
        st.markdown(plain(finding))
    st.caption(plain(figure.reading))
    footer(figure)


def footer(figure: Described) -> None:
    """Buttons that open a figure's numbers and definitions."""
    with st.container(horizontal=True, gap="medium"):
        if figure.rows:
            with st.popover("Numbers", type="tertiary", key=f"numbers_{figure.key}"):
                st.table(pd.DataFrame(figure.rows, columns=list(figure.columns)), hide_index=True)
        definitions.popover(figure.terms, key=f"terms_{figure.key}")
