"""What the comparison says, in sentences."""

from __future__ import annotations

import streamlit as st

from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.findings import method_findings, published_findings


def show(result: Comparison) -> None:
    """The findings on the methods; what differs from the papers and what was noted are one click away."""
    found = method_findings(result)
    if found:
        st.markdown("\n".join(f"- {plain(finding.text)}" for finding in found))
    published = published_findings(result)
    with st.container(horizontal=True, gap="medium"):
        if published:
            with st.popover("Beside the papers", type="tertiary", key="published"):
                st.markdown("\n".join(f"- {plain(finding.text)}" for finding in published))
        if result.warnings:
            with st.popover(f"Notes ({len(result.warnings)})", type="tertiary", key="notes"):
                st.markdown("\n".join(f"- {plain(note)}" for note in result.warnings))
