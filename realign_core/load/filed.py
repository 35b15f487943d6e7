"""Rows of a file that travel to another process as a recipe: where they are, never their numbers."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from realign_core.load.arrays import ConcatRows, WindowRows
from realign_core.load.batches import Batches, RowSource
from realign_core.load.members import Contents
from realign_core.load.places import exists, is_url
from realign_core.load.spool import SpooledRows
from realign_core.validation import UnusableInput


class FileRows:
    """One array of a file as `source`; pickled, it is the file's path and the array's key.

    `read_contents(path)` lists the file's arrays when a copy is first read, wherever that is. A copy that
    finds no such array, or one of another shape, raises UnusableInput. `seekable` says whether a read costs
    the same wherever its rows lie; other formats are decoded from their first row on.
    """

    def __init__(
        self,
        read_contents: Callable[[str], Contents],
        path: str,
        key: str | None,
        part: int | None,
        *,
        shape: tuple[int, int],
        dtype: str,
        source: RowSource | None = None,
    ):
        self.path = path
        self.key = key
        self.part = part
        self.shape = shape
        self.dtype = dtype
        self._read_contents = read_contents
        self._source = source

    @classmethod
    def of(
        cls,
        read_contents: Callable[[str], Contents],
        path: str,
        key: str | None,
        part: int | None,
        source: RowSource,
    ) -> FileRows:
        """The rows `source` that were opened as `part` of the array `key` of a file."""
        where = path if is_url(path) else os.path.abspath(path)
        return cls(read_contents, where, key, part, shape=source.shape, dtype=source.dtype, source=source)

    @property
    def seekable(self) -> bool:
        """Whether rows in the middle can be read without those before them."""
        source = self._open()
        return not isinstance(source.source if isinstance(source, WindowRows) else source, SpooledRows)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self._open().read(start, stop)

    def take(self, indices: np.ndarray) -> np.ndarray:
        return self._open().take(indices)

    def _open(self) -> RowSource:
        if self._source is None:
            if not exists(self.path):
                raise UnusableInput(
                    f"{self.path} is not there on {os.uname().nodename}, a machine that is to read it; "
                    "put the files where every machine finds them under one path"
                )
            members = self._read_contents(self.path).members
            member = next((member for member in members if member.key == self.key), None)
            source = None if member is None else member.rows(self.part)
            if source is None or (source.shape, source.dtype) != (self.shape, self.dtype):
                raise UnusableInput(f"{self.path} changed while it was read; wait until it is written")
            self._source = source
        return self._source

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_source": None}


def files_of(source: Any) -> list[tuple[int, FileRows]] | None:
    """The files whose rows a source is made of, each with its first row; None where not all is in files."""
    if isinstance(source, FileRows):
        return [(0, source)]
    if not isinstance(source, ConcatRows):
        return None
    starts = [end - part.shape[0] for end, part in zip(source.ends.tolist(), source.sources, strict=True)]
    files = [
        (start, part)
        for start, part in zip(starts, source.sources, strict=True)
        if isinstance(part, FileRows)
    ]
    return files if len(files) == len(starts) else None


def cut(rows: Batches, start: int, stop: int) -> Batches:
    """Rows `start:stop` of a set of files, with no more of its files and of its kept rows than they need."""
    if rows.keep is None:
        return Batches(_window(rows.source, start, stop), block_rows=rows.block_rows)
    keep = np.asarray(rows.keep[start:stop])
    low, high = int(keep.min()), int(keep.max()) + 1
    plain = high - low == len(keep) and bool(np.all(np.diff(keep) == 1))
    source = _window(rows.source, low, high)
    return Batches(source, keep=None if plain else keep - low, block_rows=rows.block_rows)


def _window(source: RowSource, low: int, high: int) -> RowSource:
    if isinstance(source, ConcatRows):
        source, before = source.around(low, high)
        low, high = low - before, high - before
    return source if (low, high) == (0, source.shape[0]) else WindowRows(source, low, high)
