"""From which rows a page's figures come."""

from __future__ import annotations

import streamlit as st

from pages.components.study import Study
from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.glossary import count


def statistics(study: Study) -> None:
    """Say from how many rows the figures of the diagnosis are."""
    report = study.pair.report
    rows = f"all {count(report.n_target)} pairs"
    if not report.paired:
        rows = f"all {count(report.n_target)} target and {count(report.n_source)} source rows"
    st.caption(f"Computed from {rows}.")


def scores(result: Comparison) -> None:
    """Say which rows methods are fitted to and on which they are judged, where those are a sample."""
    limit, report, judged = result.settings.score_rows, result.dataset, result.judged
    if max(report.n_target, report.n_source) <= limit:
        return
    held_out = "held-out" in result.rows
    side = "held_out" if held_out else "in_sample"
    parts = [f"{count(judged[f'{side}_{name}'])} {name} rows" for name in ("target", "source")]
    if report.paired:
        parts = [f"{count(judged[f'{side}_target'])} pairs"]
    there = f"{count(report.n_target)} pairs"
    if not report.paired:
        there = f"{count(report.n_target)} target and {count(report.n_source)} source rows"
    left_out = "held out from the fit, " if held_out else ""
    st.caption(
        plain(
            f"Of {there}, methods are fitted to {_share(result)} and judged on {' and '.join(parts)}: "
            f"{left_out}seeded, {result.projection.chosen}."
        )
    )


def _share(result: Comparison) -> str:
    if "held-out" not in result.rows:
        return "all"
    return f"{100 * result.settings.split:.3g} % of them"
