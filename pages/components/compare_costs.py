"""What closing the gap costs in retrieval and zero-shot classification, where nobody overlooks it."""

from __future__ import annotations

import streamlit as st

from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.findings import cost_warning


def warn(result: Comparison) -> None:
    """The largest cost of the methods shown in numbers, where the sample resolves any."""
    found = cost_warning(result)
    if found is not None:
        lead, others = found
        st.warning(f"**Alignment has a cost here.** {plain(lead)} {plain(others)}".strip())
