"""U-V coupling as numbers with a sentence."""

from __future__ import annotations

import streamlit as st

from pages.components import definitions
from pages.components.words import plain
from realign_core.diagnostics import Diagnosis
from realign_core.glossary import percent, shown

NONE = "There is no coupling to measure: it needs pairs, a V that is not empty, and residuals in both parts."


def show(diagnosis: Diagnosis, finding: str | None) -> None:
    """Share of V predicted from U on rows not fitted on and in-sample, and the map's norm."""
    coupling = diagnosis.coupling
    if coupling is None:
        st.caption(NONE)
        return
    if finding:
        st.markdown(plain(finding))
    values = (
        ("explained_variance", "Predicted, other rows", percent(coupling.explained_variance)),
        (
            "explained_variance_in_sample",
            "Predicted, in-sample",
            percent(coupling.explained_variance_in_sample),
        ),
        ("spectral_norm", "Norm of the map", shown(coupling.spectral_norm)),
    )
    for column, (name, label, value) in zip(st.columns(4), values):
        column.metric(label, value, help=definitions.help_of(f"coupling.{name}"))
