"""Captions, labels and image paths that come in a table of their own, joined to the rows by place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from realign_core.load import EmbeddingPair
from realign_core.load.columns import HOME
from realign_core.load.faults import reading
from realign_core.load.sidecars import chosen_names
from realign_core.validation import UnusableInput


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """The columns that go by a known name, as text; raises `UnusableInput` where there are none."""
    with reading(path.name):
        table = _table(path)
    chosen = chosen_names(map(str, table.columns))
    if not chosen:
        names = ", ".join(map(str, table.columns[:8]))
        raise UnusableInput(
            f"{path.name} has the columns {names}; name one of them caption, label or image_path"
        )
    return {field: _texts(table[name]) for field, name in chosen.items()}


def attach(pair: EmbeddingPair, columns: dict[str, np.ndarray], *, name: str) -> EmbeddingPair:
    """The pair with these columns, a value a stored row of the set that each describes."""
    found: dict[str, Any] = {}
    for field, values in columns.items():
        rows = (pair.target, pair.source)[HOME[field]]
        stored = rows.source.shape[0]
        if len(values) != stored:
            raise UnusableInput(
                f"{name} has {len(values)} rows and the embeddings have {stored}; give one row for each"
            )
        found[field] = values if rows.keep is None else values[rows.keep]
    return replace(pair, **found)


def _table(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return pd.read_parquet(path)
    if suffix in (".arrow", ".feather"):
        return pd.read_feather(path)
    return pd.read_csv(path, sep="\t" if suffix == ".tsv" else ",", dtype=str, keep_default_na=False)


def _texts(column: Any) -> np.ndarray:
    values = np.empty(len(column), object)
    values[:] = ["" if value is None or value != value else str(value) for value in column]
    return values
