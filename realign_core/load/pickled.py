"""`.pkl`: arrays, dictionaries of arrays, and lists of rows such as `[{"id": ..., "embed": ...}]`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from realign_core.load.arrays import ArrayRows
from realign_core.load.batches import RowSource
from realign_core.load.members import Contents, Member, Sidecar, check_shape, type_name
from realign_core.load.pickles import PickledArray, load_pickle
from realign_core.load.sidecars import sidecar_keys
from realign_core.validation import UnusableInput

# Rows may repeat one pickled object; past this growth the file is an attack on memory.
LARGEST_GROWTH = 64


def contents(path: str) -> Contents:
    """The arrays of a pickle, by key; rows given one by one are stacked."""
    value = load_pickle(path)
    if _is_records(value):
        columns: dict[str, Any] = {key: [row.get(key) for row in value] for key in value[0]}
        members = [_stacked(path, key, columns.pop(key)) for key in value[0] if _is_row(value[0][key])]
        if not members:
            raise UnusableInput(f"{path} is a list of records without an array; give each an 'embed' array")
        if len(members) == 1:
            members = [_renamed(members[0], None)]
        return Contents(path, "pickle", tuple(members), lambda: sidecar_keys(columns))
    if isinstance(value, dict) and len(value) > 1 and all(_is_row(item) for item in value.values()):
        ids = list(value)
        return Contents(
            path, "pickle", (_stacked(path, None, list(value.values())),), lambda: Sidecar(ids=ids)
        )
    if isinstance(value, dict):
        members = [member for key, item in value.items() for member in _members(path, str(key), item)]
        columns = {str(key): _values(item) for key, item in value.items() if _values(item) is not None}
        return Contents(path, "pickle", tuple(members), lambda: sidecar_keys(columns))
    members = list(_members(path, None, value))
    if not members:
        raise UnusableInput(f"{path} holds a {type(value).__name__}, not an array; save a plain float array")
    return Contents(path, "pickle", tuple(members))


def _is_records(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(row, dict) for row in value)


def _is_row(item: Any) -> bool:
    if isinstance(item, PickledArray):
        shape = tuple(item.shape)
        return len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)
    return isinstance(item, (list, tuple)) and bool(item) and isinstance(item[0], float)


def _values(item: Any) -> Sequence | np.ndarray | None:
    if isinstance(item, (list, tuple)):
        return item if not item or isinstance(item[0], (str, int)) else None
    if isinstance(item, PickledArray):
        array = item.array("a column")
        return array if array is not None and array.ndim == 1 and array.dtype.kind in "USiu" else None
    return None


def _members(path: str, key: str | None, item: Any) -> Iterator[Member]:
    name = path if key is None else f"{path}:{key}"
    if isinstance(item, PickledArray):
        array = item.array(name)
        if array is None:
            code = item.type.code if hasattr(item.type, "code") else ""
            kind = "O" if code.startswith("O") else code[:1] or "O"
            shape = tuple(item.shape) if isinstance(item.shape, tuple) else ()
            yield Member(key, shape, "object" if kind == "O" else code, _no_rows, kind)
        else:
            yield _held(key, name, array)
    elif isinstance(item, (list, tuple)) and item:
        if all(_is_row(row) for row in item):
            yield _stacked(path, key, item)
        elif all(isinstance(row, PickledArray) for row in item):
            for index, row in enumerate(item):
                yield from _members(path, str(index) if key is None else f"{key}.{index}", row)


def _held(key: str | None, name: str, array: np.ndarray) -> Member:
    check_shape(name, array.shape)
    dtype, kind = type_name(array.dtype)

    def rows(part: int | None) -> RowSource:
        return ArrayRows(array if part is None else array[part])

    return Member(key, array.shape, dtype, rows, kind)


def _no_rows(part: int | None) -> RowSource:
    raise UnusableInput("this array holds objects; save a plain float array")


def _renamed(member: Member, key: str | None) -> Member:
    return Member(key, member.shape, member.dtype, member.rows, member.kind)


def _stacked(path: str, key: str | None, rows: Sequence[Any]) -> Member:
    """One array of rows that were pickled one by one."""
    name = path if key is None else f"{path}:{key}"
    first = _row(name, 0, rows[0])
    size = len(rows) * first.nbytes
    if size > LARGEST_GROWTH * os.path.getsize(path) + (64 << 20):
        raise UnusableInput(
            f"{name} repeats its rows to {size >> 20} MB; save a plain array if that is meant"
        )
    stacked = np.empty((len(rows), len(first)), first.dtype)
    for index, item in enumerate(rows):
        row = _row(name, index, item)
        if len(row) != len(first):
            raise UnusableInput(
                f"{name}: row {index} has dimension {len(row)}, row 0 has {len(first)}; "
                "every row needs the same dimension"
            )
        stacked[index] = row
    return _held(key, name, stacked)


def _row(name: str, index: int, item: Any) -> np.ndarray:
    if isinstance(item, PickledArray):
        row = item.array(f"{name}: row {index}")
    elif isinstance(item, (list, tuple)):
        try:
            row = np.asarray(item)
        except ValueError:
            row = None
    else:
        row = None
    if row is None or row.dtype.kind == "O":
        raise UnusableInput(f"{name}: row {index} is no plain array; save float arrays")
    row = row.reshape(-1) if row.ndim == 2 and row.shape[0] == 1 else row
    if row.ndim != 1 or row.dtype.kind not in "fiu":
        raise UnusableInput(f"{name}: row {index} is {row.dtype} of shape {row.shape}; rows are (d,) floats")
    return row
