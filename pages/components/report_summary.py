"""What the report is about: the findings in words, and the settings that it was computed with."""

from __future__ import annotations

import streamlit as st

from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.figures.theme import LABELS
from realign_core.findings import headline, method_findings
from realign_core.glossary import percent

SENTENCES = 2


def show(comparison: Comparison) -> None:
    """Headline, the first findings on the methods, and the settings in one line."""
    st.markdown(f"**{plain(headline(comparison.diagnosis))}**")
    said = [plain(finding.text) for finding in method_findings(comparison)[:SENTENCES]]
    if said:
        st.markdown(" ".join(said))
    st.caption(f"Computed with {settings_line(comparison)}. Change them on Geometry and Compare.")


def settings_line(comparison: Comparison) -> str:
    """The settings of a comparison as words."""
    used = comparison.settings
    methods = ", ".join(LABELS.get(name, name) for name in comparison.methods)
    parts = [
        f"methods {methods}",
        f"energy {used.energy:.3g}",
        f"k {used.k}",
        f"{percent(used.split)} of the rows fitted on",
        f"seed {used.seed}",
    ]
    if used.c3_sigma is not None:
        parts.append(f"C3 noise {used.c3_sigma:.3g} per coordinate")
    shrinkage = used.method_options.get("blockwise", {}).get("shrinkage", "oas")
    if shrinkage != "oas":
        amount = "none" if shrinkage is None else f"{shrinkage:.3g}"
        parts.append(f"blockwise regularisation {amount}")
    return plain(", ".join(parts))
