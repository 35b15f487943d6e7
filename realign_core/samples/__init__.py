"""The bundled samples, by the name that the command line and the dashboard know."""

from __future__ import annotations

import os
from pathlib import Path

from realign_core.validation import UnusableInput

PREFIX = "sample:"
FOLDER = Path(__file__).parent / "data"


def sample_names() -> list[str]:
    """Names of the samples, the default first."""
    return sorted((path.stem for path in FOLDER.glob("*.parquet")), reverse=True)


def sample_path(text: str) -> str:
    """The file of `sample:NAME`; any other text as it is. Raises `UnusableInput` for an unknown sample."""
    if not text.startswith(PREFIX) or os.path.exists(text):
        return text
    name = text.removeprefix(PREFIX)
    if name not in sample_names():
        raise UnusableInput(f"there is no sample {name!r}; choose one of {', '.join(sample_names())}")
    return str(FOLDER / f"{name}.parquet")
