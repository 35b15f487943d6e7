"""What the comparison says, in sentences."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.comparison.usefulness import UNTOUCHED, USES
from realign_core.findings import (
    Finding,
    best_method,
    method_findings,
    published_findings,
    unresolved_from,
    use_findings,
)


def show(result: Comparison) -> None:
    """The findings on the methods; what differs from the papers and what was noted are one click away."""
    words, more = st.columns([6, 1], gap="medium")
    # What is lost stands above, where nobody overlooks it.
    kept = [finding for finding in use_findings(result) if finding.topic != "costs"]
    found = (*kept, *(finding for finding in method_findings(result) if not _told(result, finding)))
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


def _told(result: Comparison, finding: Finding) -> bool:
    """Whether differences from untouched say the same: that doing nothing wins in a use, or is level."""
    score = finding.score
    if score not in USES or not use_findings(result):
        return False
    best = best_method(result, score)
    return best is not None and UNTOUCHED in (best, *unresolved_from(result, best, score))
