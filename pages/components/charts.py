"""Figures with what belongs to them: a text alternative, and the numbers one click away."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

CONFIG = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


def show(figure: go.Figure, key: str, *, alt: str, table: pd.DataFrame | None = None) -> None:
    """Draw a figure; `alt` says what it shows, `table` holds its numbers."""
    st.plotly_chart(figure, key=key, theme=None, config=CONFIG, alt=alt)
    if table is not None:
        with st.expander("Numbers"):
            st.dataframe(table, hide_index=True)
