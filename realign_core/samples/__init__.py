"""The bundled samples, by the name that command line and dashboard know, and the model behind them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from realign_core.validation import UnusableInput

PREFIX = "sample:"
HOME = Path(__file__).parent
FOLDER = HOME / "data"
MODEL = HOME / "model"
"""The trained model, as open_clip reads it from `local-dir:FOLDER`."""
TRAINING = HOME / "training"
"""Snapshots of its training, as `realign_core.training.snapshots` describes them."""

ORDER = ("scenes", "scenes-long", "several-captions", "no-gap")


def sample_names() -> list[str]:
    """Names of the samples, the default first."""
    names = [path.stem for path in FOLDER.glob("*.parquet")]
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def sample_path(text: str) -> str:
    """The file of `sample:NAME`; any other text as it is. Raises `UnusableInput` for an unknown sample."""
    if not text.startswith(PREFIX) or os.path.exists(text):
        return text
    name = text.removeprefix(PREFIX)
    if name not in sample_names():
        raise UnusableInput(f"there is no sample {name!r}; choose one of {', '.join(sample_names())}")
    return str(FOLDER / f"{name}.parquet")


def sample_card(name: str) -> dict[str, Any]:
    """What a sample is, how it was made, and the figures that it reaches."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def sample_pictures(name: str) -> list[bytes] | None:
    """A small WebP picture of each row; None where the sample has none.

    A sample may lend the pictures of another that has the same targets.
    """
    import pyarrow.parquet as pq

    lender = sample_card(name).get("pictures")
    if lender is None:
        return None
    return pq.read_table(FOLDER / f"{lender}.parquet", columns=["thumbnail"])["thumbnail"].to_pylist()
