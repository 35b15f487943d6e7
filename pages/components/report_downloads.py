"""Buttons that build a file when they are clicked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from logging import getLogger

import streamlit as st

from pages.components import choices, report_files, settings
from pages.components.study import Study
from realign_core import alignment
from realign_core.comparison import Settings
from realign_core.figures.theme import LABELS
from realign_core.validation import UnusableInput

LARGEST = 1 << 30
"""Bytes beyond which rows do not pass through the browser: the server would hold the file whole."""


def analysis(study: Study, chosen: Settings) -> None:
    """The report and the figures behind it."""
    st.caption(
        "One HTML file with every figure live, the findings and the definitions. About 5 MB; it opens "
        "offline and asks nothing of any server."
    )
    name = partial(report_files.file_name, study, chosen)
    _button("Download the report", report_files.html, study, chosen, name=name(".html"), primary=True)
    st.caption("Every score with its intervals: JSON as the command line writes it, or the table of methods.")
    with st.container(horizontal=True):
        _button("Metrics as JSON", report_files.metrics_json, study, chosen, name=name(".json"))
        _button("Metrics as CSV", report_files.metrics_csv, study, chosen, name=name(".csv"))


def rows(study: Study, chosen: Settings) -> tuple[str, str]:
    """Aligned rows and the fitted method; returns the method and the format that are chosen."""
    count = f"{len(study.pair.source):,}".replace(",", "\u202f")
    st.caption(f"All {count} source rows after a method that was fitted on every row, in the source's order.")
    left, right = st.columns(2)
    offered = choices.offered_methods(study)
    if settings.get("method") not in offered:
        settings.put("method", offered[0])
    method = settings.bind("method", left.selectbox, "Method", offered, format_func=_label)
    suffix = right.selectbox("Format", report_files.FORMATS, key="report_format")
    name = partial(report_files.file_name, study, chosen)
    build = (study, chosen, method)
    with st.container(horizontal=True):
        if report_files.aligned_bytes(study) <= LARGEST:
            _button(
                "Aligned embeddings", report_files.aligned, *build, suffix, name=name(f"-{method}{suffix}")
            )
        if callable(getattr(alignment.create(method), "save", None)):
            _button("Fitted aligner", report_files.aligner, *build, name=name(f"-{method}-aligner.zip"))
    if report_files.aligned_bytes(study) > LARGEST:
        st.info("These rows are too many to pass through the browser; the second command below writes them.")
    st.caption(
        "The aligner is a zip; once it is unpacked, realign_core.load_aligner and the option "
        "\\--load-aligner read its folder."
    )
    return method, suffix


def _button(
    label: str, build: Callable[..., bytes], *given: object, name: str, primary: bool = False
) -> None:
    st.download_button(
        label,
        data=partial(_built, build, *given),
        file_name=name,
        mime="text/html" if name.endswith(".html") else "application/octet-stream",
        on_click="ignore",
        type="primary" if primary else "secondary",
        key=f"download_{label.lower().replace(' ', '_')}",
    )


def _built(build: Callable[..., bytes], *given: object) -> bytes:
    """The file; a failure reaches the browser as a sentence."""
    try:
        return build(*given)
    except UnusableInput:
        raise
    except MemoryError:
        raise UnusableInput("the server has too little memory for this file; use the command line") from None
    except Exception as error:
        getLogger(__name__).exception("download failed")
        raise UnusableInput(
            f"it failed unexpectedly ({type(error).__name__}); the server's log says where"
        ) from None


def _label(name: str) -> str:
    return LABELS.get(name, name)
