"""Small pictures of rows, read only from under the folder that the operator allowed."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import streamlit as st
from PIL import Image

from pages.components import sources
from pages.components.study import Study
from realign_core.validation import UnusableInput

SIDE = 96
LARGEST_FILE = 30 * 2**20


def of_row(study: Study, row: int) -> str | None:
    """The picture of a pair as a data URI; None where there is none or it may not be read."""
    paths = study.pair.image_paths
    if paths is None or not study.pair.paired or not paths[row] or sources.data_root() is None:
        return None
    try:
        path = sources.allowed_path(str(paths[row]))
        return _small(str(path), path.stat().st_mtime_ns) if path.is_file() else None
    except (UnusableInput, OSError):
        return None


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
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
