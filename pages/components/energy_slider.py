"""The slider that cuts U from V, the same on every page that has it."""

from __future__ import annotations

import streamlit as st

from pages.components import definitions, settings


def show(label: str = "Energy held by U") -> None:
    """The energy that U holds, kept in this session's settings and in the address."""
    settings.bind(
        "energy",
        st.slider,
        label,
        min_value=0.5,
        max_value=0.999,
        step=0.001,
        format="%.3f",
        help=definitions.help_of("frame.energy"),
    )
