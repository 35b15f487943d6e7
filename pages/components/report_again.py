"""How to get here again: commands to copy, and a link that restores the settings."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin

import streamlit as st

from pages.components import settings, sources
from pages.components.study import Study
from realign_core.comparison import Comparison
from realign_core.report import align_command_line, command_line

OUTPUTS = ("--json", "metrics.json", "--csv", "metrics.csv", "--html", "report.html")


def commands(study: Study, comparison: Comparison, method: str, suffix: str) -> None:
    """The command lines of the analysis and of the aligned rows."""
    if study.origin == "upload":
        st.caption("Run these in the folder that holds the uploaded files.")
    else:
        st.caption("Run these where Gapscope is installed.")
    st.code(analyze(study, comparison), language=None, wrap_lines=True)
    st.code(align(study, comparison, method, suffix), language=None, wrap_lines=True)


def analyze(study: Study, comparison: Comparison) -> str:
    """The command that writes the report and the metrics."""
    command = command_line(comparison, paths=sources.command_paths(study), outputs=OUTPUTS)
    assert command is not None, "the paths are given"
    return command


def align(study: Study, comparison: Comparison, method: str, suffix: str) -> str:
    """The command that writes the aligned rows."""
    used = comparison.settings
    return align_command_line(
        sources.command_paths(study),
        method,
        used.options_of(method),
        seed=used.seed,
        paired=study.pair.report.asked_paired,
        normalize=study.pair.normalize,
        out=f"aligned-{method}{suffix}",
    )


def link(study: Study) -> None:
    """A link to the Compare page with this session's data and settings."""
    if study.origin == "upload":
        st.caption(
            "No link: uploaded files stay with this tab and go when it is closed. A sample or a server path "
            "can be linked."
        )
        return
    st.caption("Opens the Compare page with the same data and settings.")
    st.code(address(st.context.url or ""), language=None, wrap_lines=True)


def address(here: str) -> str:
    """The address of the Compare page on this server, with the data and every setting off its default."""
    return f"{urljoin(here, 'compare')}?{urlencode({'data': settings.get('data'), **settings.in_url()})}"
