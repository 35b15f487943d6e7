"""The gap in one sentence, and the figures behind it."""

from __future__ import annotations

import streamlit as st

from pages.components import definitions
from pages.components.words import plain
from realign_core.diagnostics import Diagnosis
from realign_core.findings import headline
from realign_core.glossary import percent, shown


def show(diagnosis: Diagnosis) -> None:
    """Headline, then gap, floor, its 95 % bound and the share of bias."""
    st.markdown(f"**{plain(headline(diagnosis))}**")
    gap, total = diagnosis.gap, diagnosis.decomposition.total_energy
    bias = gap.centroid_distance**2 / total if total else None
    facts = (
        ("Gap between the means", shown(gap.centroid_distance), "gap.centroid_distance"),
        ("Sampling floor", shown(gap.sampling_floor), "gap.sampling_floor"),
        ("95 % bound of the floor", shown(gap.sampling_floor_95), "gap.sampling_floor_95"),
        ("Bias, of the energy of pairs", percent(bias), "decomposition.total_energy"),
    )
    for column, (label, value, key) in zip(st.columns(4), facts):
        column.metric(label, value, help=definitions.help_of(key))
