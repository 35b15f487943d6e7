"""Three ways to data: a bundled sample, an upload, a path on the server."""

from __future__ import annotations

import streamlit as st

from pages.components import sources
from realign_core.validation import UnusableInput

PAIRING = {"auto": "decide from the rows", "yes": "row i belongs to row i", "no": "no pairs"}


def show() -> None:
    """Tabs for each way; server paths only where the operator allows them."""
    names = ["Samples", "Upload"] + (["Server path"] if sources.data_root() else [])
    tabs = st.tabs(names)
    with tabs[0]:
        _samples()
    with tabs[1]:
        _upload()
    if len(tabs) > 2:
        with tabs[2]:
            _path()


def _samples() -> None:
    for card, column in zip(sources.samples(), st.columns(2)):
        with column.container(border=True):
            st.markdown(f"**{card.title}**")
            st.caption(f"{card.about} {card.rows} pairs, {card.dimension} dimensions.")
            st.button("Open", key=f"open_{card.name}", on_click=sources.open_sample, args=(card.name,))


def _upload() -> None:
    st.caption(
        "One file with both sets, or one file each: .npy, .npz, .pt, .safetensors, .parquet, .arrow, .csv. "
        "Rows of both files in the same order are taken for pairs if their cosines say so."
    )
    left, right = st.columns(2)
    target = left.file_uploader("Target (images), or both sets", type=sources.UPLOADS, key="upload_target")
    source = right.file_uploader("Source (texts)", type=sources.UPLOADS, key="upload_source")
    paired = left.selectbox("Pairs", list(PAIRING), format_func=PAIRING.get, key="upload_paired")
    if left.button("Read the files", type="primary", disabled=target is None):
        try:
            with st.spinner("Reading every row once"):
                sources.open_upload(target, source, paired)
        except UnusableInput as error:
            st.error(str(error))
        else:
            st.rerun()


def _path() -> None:
    st.caption(
        f"Files and folders under {sources.data_root().name}/ on the server, read without loading them whole."
    )
    left, right = st.columns(2)
    target = left.text_input("Target, or both sets", placeholder="folder/image.npy", key="path_target")
    source = right.text_input("Source", placeholder="folder/text.npy", key="path_source")
    if left.button("Open the path", type="primary", disabled=not target):
        try:
            with st.spinner("Reading every row once"):
                sources.open_path(target, source)
        except UnusableInput as error:
            st.error(str(error))
        else:
            st.rerun()
