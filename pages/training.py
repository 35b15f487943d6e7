"""Training: how the gap develops while a model learns."""

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import charts, frame, settings, training_controls, training_source, training_words
from pages.components.training_run import reference_of
from pages.components.words import plain
from realign_core.figures.training_list import path_figure, training_figures
from realign_core.findings import training_findings
from realign_core.validation import UnusableInput


def show(folder: Path, name: str, about: DeltaGenerator) -> None:
    """Controls, what the run shows, the scrubber, then a figure for each quantity."""
    steps = training_source.steps_of(folder)
    reference = reference_of(steps, settings.get("t0"))
    log = training_controls.show(steps, reference)
    try:
        run, table = training_source.current(folder, name, reference)
    except UnusableInput as error:
        # The controls above hold the way to another folder already; a widget may be drawn once only.
        st.error(plain(str(error)))
        return
    about.caption(plain(training_words.about(run)))
    findings = training_findings(table)
    st.markdown(f"**{training_words.summary(findings)}**")
    left, right = st.columns([11, 9], gap="medium")
    with left, frame.section():
        charts.described(path_figure(*run.paths[settings.get("plane")]))
        training_controls.plane()
    with right, frame.section():
        training_words.show_headline(table)
        training_words.show_findings(findings)
        st.download_button(
            "Every figure as CSV",
            data=lambda: table.to_csv(index=False),
            file_name="training.csv",
            mime="text/csv",
            on_click="ignore",
            key="training_csv",
        )
    figures = training_figures(table, log=log)
    for pair in zip(figures[::2], figures[1::2]):
        for column, figure in zip(st.columns(2, gap="medium"), pair):
            with column, frame.section():
                charts.described(figure)


with frame.bare_page("Training") as about, frame.section():
    try:
        chosen = training_source.chosen()
        if chosen is None:
            st.info(training_controls.HOW_TO_MAKE)
            training_controls.own_run()
        else:
            show(*chosen, about)
    except UnusableInput as error:
        st.error(plain(str(error)))
        training_controls.own_run()
