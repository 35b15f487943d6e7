"""Rows that are read block by block: one way to walk arrays in memory and files larger than memory.

Nothing here imports torch. A block comes as it is stored (NumPy from files and arrays, torch from
tensors); who consumes it decides on type and device.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np

from realign_core.checkpoint import checkpoint, count
from realign_core.load.arrays import to_numpy

BLOCK_ROWS = 8192


@runtime_checkable
class RowSource(Protocol):
    """What a reader offers: `(n, d)` rows that are read on demand.

    `shape` is `(n, d)` and `dtype` the stored type's name (`"bfloat16"` where NumPy has no such type;
    such rows are read as float32).
    """

    shape: tuple[int, int]
    dtype: str

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows `start:stop`, `(stop - start, d)`, in the stored floating type."""

    def take(self, indices: np.ndarray) -> np.ndarray:
        """The rows at `indices` (any order), `(len(indices), d)`."""


class Batches:
    """A re-iterable over the rows of a `RowSource`, the rows at `keep` alone if that is given.

    Iterating yields blocks of at most `block_rows` rows in order. `len`, `shape` and `dtype` describe the
    kept rows; `np.asarray(batches)` and `batches[...]` read into memory.
    """

    def __init__(self, source: RowSource, *, keep: np.ndarray | None = None, block_rows: int = BLOCK_ROWS):
        self.source = source
        self.keep = keep
        self.block_rows = block_rows
        self.shape = (source.shape[0] if keep is None else len(keep), source.shape[1])
        self.dtype = source.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return iterate(self, self.block_rows)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Kept rows `start:stop`."""
        if self.keep is None:
            return self.source.read(start, stop)
        rows = self.keep[start:stop]
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and np.all(np.diff(rows) == 1):
            return self.source.read(int(rows[0]), int(rows[-1]) + 1)
        return self.source.take(rows)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Kept rows at `indices`."""
        indices = np.asarray(indices)
        return self.source.take(indices if self.keep is None else self.keep[indices])

    def subset(self, indices: np.ndarray) -> Batches:
        """The same rows narrowed to `indices` (into the kept rows), still read on demand."""
        indices = np.asarray(indices)
        keep = indices if self.keep is None else self.keep[indices]
        return Batches(self.source, keep=keep, block_rows=self.block_rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            return self.read(start, stop) if step == 1 else self.take(np.arange(start, stop, step))
        if isinstance(key, (int, np.integer)):
            return self.take(np.array([range(len(self))[key]]))[0]
        key = np.asarray(key)
        return self.take(np.flatnonzero(key) if key.dtype == bool else key)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        rows = to_numpy(self.read(0, len(self)))
        return rows if dtype is None else rows.astype(dtype, copy=False)


def iterate(rows: Any, block_rows: int = BLOCK_ROWS, start: int = 0) -> Iterator[Any]:
    """Blocks of at most `block_rows` rows of an array, a tensor, a `Batches` or any re-iterable of blocks.

    They begin at row `start`, where a block must begin.
    """
    if isinstance(rows, Batches):
        step = min(block_rows, rows.block_rows)
        for first in range(start, len(rows), step):
            checkpoint()
            stop = min(first + step, len(rows))
            yield rows.read(first, stop)
            count(stop, len(rows))
    elif hasattr(rows, "shape") and len(rows.shape) == 2:
        for first in range(start, rows.shape[0], block_rows):
            checkpoint()
            yield rows[first : first + block_rows]
    else:
        passed = 0
        for block in rows:
            for first in range(0, block.shape[0], block_rows):
                piece = block[first : first + block_rows]
                if passed >= start:
                    yield piece
                passed += len(piece)
