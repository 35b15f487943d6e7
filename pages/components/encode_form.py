"""What to encode and with which model; the work itself, and what came of it."""

from __future__ import annotations

import itertools

import pandas as pd
import streamlit as st

from pages.components import jobs, session, sources
from pages.components.encoding import FILE, LIMITS, MOST_CAPTIONS, Encoded, EncodingWork, as_file
from pages.components.study import Study
from pages.components.uploads import drop
from pages.components.words import plain
from realign_core.encode import ModelChoice, captions, choice, choose_model, images
from realign_core.glossary import count
from realign_core.validation import UnusableInput

ROUND = "encode_round"
LISTED = 500
IMAGE_TYPES = ["zip", *(suffix.removeprefix(".") for suffix in images.SUFFIXES)]
CAPTION_TYPES = [suffix.removeprefix(".") for suffix in captions.SUFFIXES]
MODELS = {"bundled": "the bundled model", "folder": "a model folder on the server"}
LIMITS_TEXT = (
    f"At most {count(LIMITS.count)} images of {LIMITS.one >> 20} MB each, {LIMITS.total >> 20} MB in all "
    f"when unpacked, archives that unpack to no more than {LIMITS.ratio} times their size, and "
    f"{count(MOST_CAPTIONS)} captions. The command line takes more, and images or captions alone."
)
_numbers = itertools.count()


def show() -> None:
    """Widgets, the button, and the work while it runs."""
    # A new round empties the uploaders once their files were encoded.
    turn = st.session_state.setdefault(ROUND, 0)
    left, right = st.columns(2, gap="large")
    with left:
        pictures = st.file_uploader(
            "Images: several files, or a zip archive",
            IMAGE_TYPES,
            accept_multiple_files=True,
            key=f"encode_images_{turn}",
        )
    with right:
        table = st.file_uploader(
            "Captions: a table, or a text file with a caption a line",
            CAPTION_TYPES,
            key=f"encode_captions_{turn}",
            help="A table has a column caption; a column image_path or filename joins captions to images by "
            "name, and a column label travels along. Without names the i-th caption belongs to the i-th "
            "image, in the order of the file names.",
        )
        lines = st.text_area("Or captions here, one a line", key=f"encode_lines_{turn}", height=100)
    kinds = ["bundled"] + (["folder"] if sources.data_root() else [])
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    kind = left.selectbox("Model", kinds, format_func=MODELS.__getitem__, key="encode_model")
    folder = ""
    if kind == "folder":
        folder = right.text_input(
            "Folder with open_clip_config.json and weights", placeholder="models/mine", key="encode_folder"
        )
    elif not choice.BUNDLED_FOLDER.is_dir():
        right.caption("This installation has no bundled model.")
    ready = bool(pictures) and (table is not None or lines.strip()) and (kind == "bundled" or folder.strip())
    if st.button("Encode", type="primary", disabled=not ready, key="encode_start"):
        work = EncodingWork(pictures, table, lines, lambda: _chosen(kind, folder))
        session.held().encoding = (f"encode|{next(_numbers)}", work)
    st.caption(LIMITS_TEXT)
    _work()


def _chosen(kind: str, folder: str) -> ModelChoice:
    """The model; a folder only where the operator allows it."""
    return choose_model() if kind == "bundled" else choose_model(f"local-dir:{sources.allowed_path(folder)}")


def _work() -> None:
    """Encode what was asked for; until then, and where it fails, the data in use stays."""
    held = session.held()
    if held.encoding is None:
        return
    key, work = held.encoding
    try:
        encoded = jobs.run(key, work)
    except UnusableInput as error:
        held.encoding = None
        st.error(plain(str(error)))
        return
    held.encoding = None
    held.encoded = encoded
    sources.use(encoded.study)
    st.session_state[ROUND] += 1
    drop(work.files)
    st.rerun()


def result(study: Study) -> None:
    """What the last encoding gave, as long as it is the data in use."""
    found: Encoded | None = session.held().encoded
    if found is None or found.study is not study:
        return
    st.success(f"{count(len(study.pair.target))} pairs were encoded and are the data in use now.")
    with st.container(horizontal=True, gap="small"):
        if st.button("Look at them in Data", type="primary", key="encode_look"):
            st.switch_page("pages/data.py")
        st.download_button(
            "Embeddings as .parquet", data=lambda: as_file(study), file_name=FILE, key="encode_download"
        )
    for note in study.pair.report.warnings:
        if "encoded by" in note or note in found.notes:
            st.markdown(f"- {plain(note)}")
    if found.skipped:
        st.markdown(f"**Skipped: {count(len(found.skipped))}**")
        rows = [(entry.name, entry.reason, entry.rows) for entry in found.skipped[:LISTED]]
        table = pd.DataFrame(rows, columns=["Image or caption", "Reason", "Pairs left out"])
        st.dataframe(table, hide_index=True, key="encode_skipped")
        if len(found.skipped) > LISTED:
            st.caption(f"The first {LISTED} are listed.")
