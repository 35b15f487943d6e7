"""What a file or folder holds, in numbers and in text, without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from realign_core.load.batches import Batches, RowSource
from realign_core.load.members import Contents, role_of
from realign_core.load.opening import Opened, contents_of, open_both, open_one, split_key
from realign_core.load.places import is_folder, shown, size_below, size_of
from realign_core.load.report import NormRange
from realign_core.load.sides import Side
from realign_core.validation import UnusableInput


@dataclass(frozen=True)
class SetInspection:
    """One set of rows: norms of the usable ones (None: there are none), unusable ones by reason, repeats."""

    rows: int
    dim: int
    norm: NormRange | None
    bad_rows: dict[str, int]
    first_bad_row: int | None
    duplicates: int


@dataclass(frozen=True)
class ArrayInspection:
    """One array: its key if it has one, shape, stored type, its sets, and the role that its key names.

    A `(2, n, d)` array has two sets, target first; an array that holds no embeddings has none.
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    role: str | None
    sets: tuple[SetInspection, ...]


@dataclass(frozen=True)
class Inspection:
    """A file or folder: format, size in bytes, arrays."""

    path: str
    format: str
    size: int
    arrays: tuple[ArrayInspection, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain containers for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def inspect_path(path: str | os.PathLike, *, trusted: bool = True) -> Inspection:
    """Look at every array of a file or folder, reading each row once, and rows that may repeat others again.

    Raises UnusableInput where the file cannot be read.
    """
    file, key = split_key(path)
    name = shown(path)
    if is_folder(file):
        both = open_both(path, trusted=trusted)
        found = both or (open_one(path, role="target", trusted=trusted),)
        roles = ("target", "source") if both else (None,)
        arrays = tuple(_of_opened(part, role) for part, role in zip(found, roles, strict=True))
        return Inspection(name, "folder", size_below(file), arrays)
    contents = contents_of(file, trusted=trusted)
    arrays = tuple(_of_members(contents, key))
    if key is not None and not arrays:
        raise UnusableInput(f"{file} has no array {key!r}")
    return Inspection(name, contents.format, size_of(file), arrays)


def _of_members(contents: Contents, key: str | None) -> Iterator[ArrayInspection]:
    for member in contents.members:
        if key is not None and member.key != key:
            continue
        name = contents.path if member.key is None else f"{contents.path}:{member.key}"
        parts = () if 0 in member.shape else (None,) if member.is_set else (0, 1) if member.is_pair else ()
        sets = tuple(_of_rows(member.rows(part), name) for part in parts)
        yield ArrayInspection(member.key, member.shape, member.dtype, role_of(member.key), sets)


def _of_opened(opened: Opened, role: str | None) -> ArrayInspection:
    rows = opened.rows
    return ArrayInspection(None, rows.shape, rows.dtype, role, (_of_rows(rows, opened.name),))


def _of_rows(rows: RowSource, name: str) -> SetInspection:
    side = Side.read(Opened(Batches(rows), name), None, role=name)
    good = side.good
    usable = int(good.sum())
    return SetInspection(
        rows=rows.shape[0],
        dim=rows.shape[1],
        norm=NormRange.of(side.scan.norm[good]) if usable else None,
        bad_rows=side.reasons(),
        first_bad_row=None if good.all() else int(np.argmin(good)),
        duplicates=usable - side.labels(good, name)[1],
    )


def _lines(found: Inspection) -> Iterator[str]:
    count = len(found.arrays)
    yield f"{found.path}: {found.format}, {found.size:,} bytes, {count} array{'s' * (count != 1)}"
    for array in found.arrays:
        shape = " x ".join(map(str, array.shape)) or "scalar"
        role = f", by its name the {array.role}" if array.role else ""
        yield f"  {array.key or '(array)'}: {shape}, {array.dtype}{role}"
        for index, part in enumerate(array.sets):
            label = "    " if len(array.sets) == 1 else f"    [{index}] {('target', 'source')[index]}: "
            yield label + "; ".join(_facts(part))


def _facts(part: SetInspection) -> Iterator[str]:
    yield f"{part.rows} rows of dimension {part.dim}"
    if part.norm is None:
        yield "no usable rows"
    else:
        yield f"norms {part.norm.min:.6g} to {part.norm.max:.6g}, mean {part.norm.mean:.6g}"
    if part.bad_rows:
        why = ", ".join(f"{count} {reason}" for reason, count in part.bad_rows.items())
        yield f"bad rows: {why} (first: row {part.first_bad_row})"
    else:
        yield "no bad rows"
    if part.duplicates:
        yield f"{part.duplicates} exact duplicates"
