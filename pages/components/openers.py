"""Three ways to data: a bundled sample, an upload, a path on the server."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import streamlit as st

from pages.components import jobs, sample_cards, session, sources
from pages.components.study import Study
from pages.components.uploads import SUFFIXES, TABLES, Upload, drop
from pages.components.words import plain
from realign_core.load.pair import Paired
from realign_core.samples import PREFIX, sample_names
from realign_core.validation import UnusableInput

PAIRING: dict[Paired, str] = {
    "auto": "decide from the rows",
    "yes": "row i belongs to row i",
    "no": "no pairs",
}
OPENING, ROUND = "opening", "upload_round"
WAY, LOOKED_AT = "way_to_data", "ways_looked_at"
_numbers = itertools.count()


def show() -> None:
    """Tabs for each way; server paths only where the operator allows them.

    A tab is filled once it is looked at: widgets nobody sees would delay the page's first figure. From
    then on it stays filled, since an uploader that goes takes its files along.
    """
    ways = {"Samples": _samples, "Upload": _upload}
    if sources.data_root():
        ways["Server path"] = _path
    looked_at = st.session_state.setdefault(LOOKED_AT, set())
    for (name, fill), tab in zip(ways.items(), st.tabs(list(ways), key=WAY, on_change="rerun")):
        if tab.open:
            looked_at.add(name)
        if name in looked_at:
            with tab:
                fill()
    _read()


def _samples() -> None:
    in_use = sources.origin()
    names = sample_names()
    places = [column for _ in names[::2] for column in st.columns(2)]
    for name, place in zip(names, places):
        with place.container(border=True, height="stretch"):
            sample_cards.show(name)
            st.button(
                "In use" if in_use == PREFIX + name else "Open",
                key=f"open_{name}",
                on_click=sources.open_sample,
                args=(name,),
                disabled=in_use == PREFIX + name,
            )


def _upload() -> None:
    # A new round empties the uploaders once their files were read.
    turn = st.session_state.setdefault(ROUND, 0)
    whole_folder = st.toggle("A folder, as clip-retrieval writes it", key="upload_whole")
    if whole_folder:
        folder = st.file_uploader(
            "Folder with img_emb and text_emb",
            type=SUFFIXES,
            accept_multiple_files="directory",
            key=f"upload_folder_{turn}",
        )
        given = Upload(folder=tuple(folder))
    else:
        left, middle, right = st.columns(3)
        given = Upload(
            target=left.file_uploader("Target (images), or both sets", SUFFIXES, key=f"upload_target_{turn}"),
            source=middle.file_uploader("Source (texts)", SUFFIXES, key=f"upload_source_{turn}"),
            columns=right.file_uploader(
                "Captions, labels (optional)",
                TABLES,
                key=f"upload_columns_{turn}",
                help="A table with a row for each row of the embeddings, in the same order, and columns "
                "named caption, label or image_path.",
            ),
        )
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    paired = left.selectbox("Pairs", list(PAIRING), format_func=PAIRING.__getitem__, key="upload_paired")
    given = Upload(given.target, given.source, given.folder, given.columns, paired)
    ready = bool(given.folder) or given.target is not None
    if right.button("Read the files", type="primary", disabled=not ready, key="upload_read"):
        _ask(given.read, given)
    st.caption("Files stay with this browser tab: nobody else sees them, and closing the tab frees them.")


def _path() -> None:
    root = sources.data_root()
    assert root is not None, "the way by path is offered under a root alone"
    st.caption(f"Files and folders under {plain(root.name)}/ on the server, read without loading them whole.")
    left, right = st.columns(2)
    target = left.text_input("Target, or both sets", placeholder="folder/image.npy", key="path_target")
    source = right.text_input("Source", placeholder="folder/text.npy", key="path_source")
    if left.button("Open the path", type="primary", disabled=not target.strip(), key="path_open"):
        _ask(sources.path_reader(target, source))


def _ask(read: Callable[[Callable[[str], None]], Study], upload: Upload | None = None) -> None:
    session.held().asked = (f"open|asked {next(_numbers)}", read, upload)


def _read() -> None:
    """Read what was asked for; until then, and where it fails, the data in use stays."""
    held = session.held()
    if held.asked is None:
        return
    key, read, upload = held.asked
    try:
        study = jobs.run(key, read)
    except UnusableInput as error:
        held.asked = None
        st.error(plain(str(error)))
        return
    except Exception:
        # Not to be tried again at every click.
        held.asked = None
        raise
    held.asked = None
    sources.use(study)
    if upload is not None:
        st.session_state[ROUND] += 1
        drop(upload.files)
    st.rerun()
