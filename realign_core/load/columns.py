"""The columns beside the rows (ids, captions, labels, image paths), cut to the rows that are used."""

from __future__ import annotations

import numpy as np

from realign_core.load.sides import Side
from realign_core.validation import UnusableInput

# Which side's rows a column follows; pairs may take it from the other side.
HOME = {"ids": 0, "labels": 0, "image_paths": 0, "captions": 1}


def merge_columns(
    sides: tuple[Side, Side], keep: tuple[np.ndarray, np.ndarray], paired: bool
) -> dict[str, np.ndarray | None]:
    """Each column of `HOME` of the kept rows: from its own side, else for pairs from the other."""
    columns = {}
    for name, home in HOME.items():
        columns[name] = _cut(sides[home], keep[home], name)
        if columns[name] is None and paired:
            columns[name] = _cut(sides[1 - home], keep[1 - home], name)
    return columns


def _cut(side: Side, keep: np.ndarray, name: str) -> np.ndarray | None:
    values = getattr(side.opened.sidecar, name)
    if values is None:
        return None
    count = side.opened.rows.shape[0]
    if len(values) != count:
        what = name.replace("_", " ")
        raise UnusableInput(f"{side.opened.name} has {count} rows but {len(values)} {what}; give one a row")
    if not isinstance(values, np.ndarray):
        column = np.empty(count, object)
        column[:] = values
        values = column
    return values[side.at(keep)]
