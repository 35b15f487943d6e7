"""Data: choose it, read what was found in it, and the gap in one sentence."""

import streamlit as st

from pages.components import frame, loadreport, openers, settings
from realign_core.diagnostics.diagnosis import Diagnosis


def headline(diagnosis: Diagnosis) -> None:
    """The gap beside its sampling floor."""
    gap = diagnosis.gap
    columns = st.columns(4)
    columns[0].metric("Gap between centroids", f"{gap.centroid_distance:.3g}")
    columns[1].metric("Sampling floor, 95 %", f"{gap.sampling_floor_95:.3g}")
    columns[2].metric("Total variance of target", f"{gap.trace_target:.3g}")
    columns[3].metric("Total variance of source", f"{gap.trace_source:.3g}")


with frame.page("Data") as study:
    with frame.section():
        headline(study.diagnosis(settings.get("energy"), settings.get("seed")))
    with frame.section("Open other data"):
        openers.show()
    with frame.section("What was loaded"):
        loadreport.show(study.pair)
