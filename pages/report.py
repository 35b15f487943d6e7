"""Report: everything of this session to take away, and how to get here again."""

import streamlit as st

from pages.components import (
    choices,
    comparing,
    frame,
    report_again,
    report_downloads,
    report_summary,
    rows_used,
)

with frame.page("Report") as study, frame.section():
    comparison = comparing.current(study)
    chosen = choices.comparison_settings(study)
    report_summary.show(comparison)
    rows_used.scores(comparison)
    left, right = st.columns(2, gap="large")
    with left, frame.section("Report and metrics"):
        report_downloads.analysis(study, chosen)
    with right, frame.section("Aligned embeddings"):
        method, suffix = report_downloads.rows(study, chosen)
    with frame.section("Commands that repeat it"):
        report_again.commands(study, comparison, method, suffix)
    with frame.section("Link to these settings"):
        report_again.link(study)
