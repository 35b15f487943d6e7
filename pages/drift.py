"""Phantom drift: what projecting to the sphere does to the mean, step by step."""

import streamlit as st

from pages.components import charts, diagnosing, frame
from pages.components.words import plain
from realign_core.figures.drift_list import drift_figures
from realign_core.findings import diagnosis_findings

with frame.page("Phantom drift") as study, frame.section():
    diagnosis = diagnosing.current(study)
    for finding in diagnosis_findings(diagnosis):
        if finding.topic == "drift":
            st.markdown(plain(finding.text))
    sphere, gaps, parts = drift_figures(diagnosis, study.drift_path(diagnosis))
    left, right = st.columns([11, 9], gap="medium")
    with left, frame.section():
        charts.described(sphere)
    with right:
        with frame.section():
            charts.described(gaps)
        with frame.section():
            charts.described(parts)
