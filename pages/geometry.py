"""Geometry: what the gap is made of, and in which directions."""

import streamlit as st

from pages.components import (
    charts,
    diagnosing,
    frame,
    geometry_controls,
    geometry_coupling,
    rows_used,
    second_source,
)
from pages.components.words import plain
from realign_core.figures.geometry_list import geometry_figures
from realign_core.findings import diagnosis_findings

# Which finding is said below which figure; the others open the page.
SAID_AT = {"angle": "bias-noise", "shape": "residual-spectra"}

with frame.page("Geometry") as study, frame.section():
    diagnosis = diagnosing.current(study)
    findings = {finding.topic: finding.text for finding in diagnosis_findings(diagnosis)}
    said = {figure: findings[topic] for topic, figure in SAID_AT.items() if topic in findings}
    energy, *others = geometry_figures(diagnosis)
    for topic in ("parts", "subspace"):
        if topic in findings:
            st.markdown(plain(findings[topic]))
    rows_used.statistics(study)
    with frame.section():
        geometry_controls.show(diagnosis)
    with frame.section():
        charts.described(energy)
    for pair in zip(others[::2], others[1::2]):
        for column, figure in zip(st.columns(2, gap="medium"), pair):
            with column, frame.section():
                drawing = diagnosing.drawing(study, diagnosis, figure)
                charts.described(figure, finding=said.get(figure.key), drawing=drawing)
    with frame.section("Can V be predicted from U?"):
        geometry_coupling.show(diagnosis, findings.get("coupling"))
    with frame.section("A second source of the same targets"):
        second_source.show(study, diagnosis)
    diagnosing.look_ahead(study)
