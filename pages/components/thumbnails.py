"""Small pictures of rows: those in a bundled sample, and files under the folder that the operator allowed."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import streamlit as st
from PIL import Image

from pages.components import sources
from pages.components.study import Study
from realign_core.samples import PREFIX, sample_names, sample_pictures
from realign_core.validation import UnusableInput

SIDE = 96
LARGEST_FILE = 30 * 2**20


def of_row(study: Study, row: int) -> str | None:
    """The picture of a pair as a data URI; None where there is none or it may not be read."""
    if pictures := bundled(study):
        return _as_uri(pictures[row], "webp")
    paths = study.pair.image_paths
    if paths is None or not study.pair.paired or not paths[row] or sources.data_root() is None:
        return None
    try:
        path = sources.allowed_path(str(paths[row]))
        return _small(str(path), path.stat().st_mtime_ns) if path.is_file() else None
    except (UnusableInput, OSError):
        return None


def bundled(study: Study) -> list[bytes] | None:
    """The pictures that come with a bundled sample, one a row; None for other data."""
    name = study.origin.removeprefix(PREFIX)
    if not study.origin.startswith(PREFIX) or name not in sample_names():
        return None
    pictures = _of_sample(name)
    return pictures if pictures and len(pictures) == study.pair.report.n_target else None


@st.cache_data(max_entries=512, show_spinner=False)
def _small(path: str, _modified: int) -> str | None:
    if Path(path).stat().st_size > LARGEST_FILE:
        return None
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (SIDE, SIDE))
            picture.thumbnail((SIDE, SIDE))
            buffer = io.BytesIO()
            picture.convert("RGB").save(buffer, "JPEG", quality=80)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return _as_uri(buffer.getvalue(), "jpeg")


@st.cache_resource(max_entries=4, show_spinner=False)
def _of_sample(name: str) -> list[bytes] | None:
    return sample_pictures(name)


def _as_uri(picture: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
