"""What the comparison says, in sentences."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.findings import method_findings, published_findings, use_findings


def show(result: Comparison) -> None:
    """The findings on the methods; what differs from the papers and what was noted are one click away."""
    words, more = st.columns([6, 1], gap="medium")
    # What is lost stands above, where nobody overlooks it.
    kept = [finding for finding in use_findings(result) if finding.topic != "costs"]
    found = (*kept, *method_findings(result))
    if found:
        items = "".join(f"<li>{escape(finding.text)}</li>" for finding in found)
        words.html(f'<ul style="margin:0;padding-left:1.2rem;line-height:1.45">{items}</ul>')
    published = published_findings(result)
    with more:
        if published:
            with st.popover("Beside the papers", type="tertiary", key="published"):
                st.markdown("\n".join(f"- {plain(finding.text)}" for finding in published))
        if result.warnings:
            with st.popover(f"Notes ({len(result.warnings)})", type="tertiary", key="notes"):
                st.markdown("\n".join(f"- {plain(note)}" for note in result.warnings))
