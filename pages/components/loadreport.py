"""What was found in the rows: a table, the evidence for pairs, and notes worth reading."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import definitions, memory, sources, thumbnails
from pages.components.study import Study
from pages.components.words import plain
from realign_core.glossary import count, shown
from realign_core.load import LoadReport
from realign_core.load.pairing import THRESHOLD

TERMS = (
    "dataset.rows_dropped",
    "dataset.norm_target",
    "dataset.duplicates_target",
    "dataset.paired_cosine",
    "dataset.shuffled_cosine",
    "dataset.pairing_z",
    "dataset.pairing_t",
    "dataset.groups",
)


def show(study: Study) -> None:
    """Rows, types, norms, what was left out; pairing; what stands beside the rows; notes."""
    pair = study.pair
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.table(_table(pair.report), hide_index=True)
        definitions.popover(TERMS, key="terms_loaded")
        _memory(study)
    with right:
        st.markdown(_pairing(pair.report))
        st.markdown(_beside(study))
        if pair.report.warnings:
            st.markdown("**Worth knowing**")
            st.markdown("\n".join(f"- {plain(sources.as_named(note))}" for note in pair.report.warnings))


def _memory(study: Study) -> None:
    """What this session holds in memory, its bound, and what the server uses."""
    held = {name: f"{count(round(size / 1e6))} MB" for name, size in study.holds().items()}
    mapped = f", and {held['mapped']} stay in their files" if study.holds()["mapped"] else ""
    text = (
        f"**Memory.** Rows {held['rows']}{mapped}; results {held['results']}, drawings {held['drawings']}. "
        f"Results and drawings may reach {held['limit']}; then those that were used longest ago go."
    )
    server = memory.of_server()
    if server is not None:
        used, words = server
        text += f" The server as a whole uses {count(round(used / 1e6))} MB {words}, for everybody on it."
    st.caption(text)


def _table(report: LoadReport) -> pd.DataFrame:
    dropped, target, source = report.rows_dropped, report.norm_target, report.norm_source
    rows = (
        ("Rows used", count(report.n_target), count(report.n_source)),
        ("Unusable rows left out", count(dropped.target), count(dropped.source)),
        ("Repeated rows", count(report.duplicates_target), count(report.duplicates_source)),
        ("Dimensions", count(report.dim), count(report.dim)),
        ("Stored as", report.dtype_target, report.dtype_source),
        ("Norms, smallest", shown(target.min, 4), shown(source.min, 4)),
        ("Norms, mean", shown(target.mean, 4), shown(source.mean, 4)),
        ("Norms, largest", shown(target.max, 4), shown(source.max, 4)),
    )
    return pd.DataFrame(rows, columns=["Found", "Target", "Source"])


def _pairing(report: LoadReport) -> str:
    if report.pairing_z is None:
        if report.n_target != report.n_source:
            return "**Unpaired.** The sets differ in length, so row i cannot belong to row i."
        return "**Paired**, as told." if report.paired else "**Unpaired**, as told."
    against = shown(report.pairing_t)
    text = (
        f"**{'Paired' if report.paired else 'Unpaired'}.** Rows at the same place have a mean cosine of "
        f"{shown(report.paired_cosine)}, shuffled rows {shown(report.shuffled_cosine)}: "
        f"{shown(report.pairing_z)} standard errors above chance, and {against} against rows nearby in the "
        f"file. Evidence for pairs is {THRESHOLD:g} or more in both."
    )
    if report.groups is not None and report.groups < report.n_target:
        text += f" The pairs form {count(report.groups)} groups that share an image or a caption."
    return text


def _beside(study: Study) -> str:
    pair = study.pair
    names = {"captions": pair.captions, "labels": pair.labels, "image paths": pair.image_paths}
    there = [name for name, values in names.items() if values is not None]
    there += ["pictures"] if thumbnails.bundled(study) else []
    return f"**Beside the rows:** {', '.join(there) if there else 'no captions, labels or image paths'}."
