"""Phantom drift: what projecting to the sphere does to the mean, step by step."""

import streamlit as st

from pages.components import charts, diagnosing, frame, rows_used, theme
from pages.components.words import plain
from realign_core.figures.drift import NO_DRIFT
from realign_core.figures.drift_list import drift_figures
from realign_core.findings import diagnosis_findings

HEIGHT = 540

with frame.page("Phantom drift") as study, frame.section():
    diagnosis = diagnosing.current(study)
    # The first is about the size of the drift, the second about its prediction.
    size, *prediction = [
        finding.text for finding in diagnosis_findings(diagnosis) if finding.topic == "drift"
    ] or [NO_DRIFT]
    st.markdown(plain(size))
    rows_used.statistics(study)
    sphere, gaps, parts = drift_figures(diagnosis, study.drift_path(diagnosis))
    left, right = st.columns([11, 9], gap="medium")
    with left, frame.section():
        # So high that its slider can be reached without scrolling on a small screen.
        charts.described(sphere, drawing=sphere.draw(theme.dark()).update_layout(height=HEIGHT))
    with right:
        with frame.section():
            charts.described(gaps)
        with frame.section():
            charts.described(parts, finding=" ".join(prediction))
