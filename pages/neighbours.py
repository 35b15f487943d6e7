"""Neighbours: what each method did to a single row, to the rows harmed most, and to each label."""

import streamlit as st

from pages.components import (
    comparing,
    frame,
    neighbours_choice,
    neighbours_labels,
    neighbours_lists,
    rows_used,
)

with frame.page("Neighbours") as study, frame.section():
    result = comparing.without_training(study)
    if not neighbours_choice.methods_of(result):
        st.info("No method moved the rows. Choose one on the Compare page.")
        st.page_link("pages/compare.py", label="Compare")
        st.stop()
    rows_used.scores(result)
    row = neighbours_choice.pick(study, result)
    with frame.section():
        neighbours_lists.show(study, result, row)
    harmed, labels = st.columns([2, 3], gap="large")
    with harmed, frame.section("Rows harmed most"):
        neighbours_choice.harmed(study, result)
    with labels, frame.section("Effect per label"):
        neighbours_labels.show(study, result)
