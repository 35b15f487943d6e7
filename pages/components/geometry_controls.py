"""The energy slider, and what the cut that it makes looks like."""

from __future__ import annotations

import streamlit as st

from pages.components import energy_slider
from realign_core.diagnostics import Diagnosis


def show(diagnosis: Diagnosis) -> None:
    """The slider beside the rank that it gives; moving it costs no pass over the rows."""
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with left:
        energy_slider.show()
    frame = diagnosis.frame
    left_over = frame.dim - frame.rank
    right.markdown(
        f"**U: {frame.rank} of {frame.dim} directions**, which hold {100 * frame.energy:.3g} % of the "
        f"pooled variance. **{f'V: the other {left_over}.' if left_over else 'V is empty.'}**"
    )
