"""The load report as a table and sentences."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.study import Study
from realign_core.load import EmbeddingPair


def show(study: Study) -> None:
    """Rows, types, norms, what was dropped, and on what evidence the sets are pairs."""
    pair = study.pair
    report = pair.report
    for warning in report.warnings:
        st.warning(warning)
    sides = {
        "target": (
            report.n_target,
            report.dtype_target,
            report.norm_target,
            report.rows_dropped.target,
            report.duplicates_target,
        ),
        "source": (
            report.n_source,
            report.dtype_source,
            report.norm_source,
            report.rows_dropped.source,
            report.duplicates_source,
        ),
    }
    table = pd.DataFrame(
        {
            name: {
                "rows used": f"{rows:,}",
                "dimensions": f"{report.dim:,}",
                "stored as": dtype,
                "norm, least": f"{norm.min:.4g}",
                "norm, mean": f"{norm.mean:.4g}",
                "norm, largest": f"{norm.max:.4g}",
                "unusable rows left out": f"{dropped:,}",
                "repeated rows": f"{repeated:,}",
            }
            for name, (rows, dtype, norm, dropped, repeated) in sides.items()
        }
    )
    left, right = st.columns(2)
    left.table(table)
    with right:
        st.markdown(_pairing(pair))


def _pairing(pair: EmbeddingPair) -> str:
    report = pair.report
    if report.pairing_z is None:
        return "**Unpaired.** The sets differ in length, or were said to be no pairs."
    verdict = "Paired." if report.paired else "Unpaired."
    groups = ""
    if report.groups is not None and report.groups < report.n_target:
        groups = f" {report.n_target} pairs form {report.groups} groups that share an image or a caption."
    return (
        f"**{verdict}** Rows at the same place have a mean cosine of {report.paired_cosine:.3f}, "
        f"shuffled rows {report.shuffled_cosine:.3f}; that is {report.pairing_z:.3g} standard errors above "
        f"chance, and {report.pairing_t:.3g} against rows nearby in the file (4 needed in both).{groups}"
    )
