"""The slider that cuts U from V, the same on every page that has it."""

from __future__ import annotations

import streamlit as st

from pages.components import definitions, settings

LEAST, MOST, STEP = 0.5, 0.999, 0.001


def show(label: str = "Energy held by U") -> None:
    """The energy that U holds, kept in this session's settings and in the address."""
    settings.bind(
        "energy",
        st.slider,
        label,
        min_value=LEAST,
        max_value=MOST,
        step=STEP,
        format="%.3f",
        help=definitions.help_of("frame.energy"),
    )


def beside(energy: float) -> list[float]:
    """The stops one step to the left and to the right."""
    stops = (round(energy + step, 3) for step in (-STEP, STEP))
    return [stop for stop in stops if LEAST <= stop <= MOST]
