"""Rows of a format without random access: decoded once, in order, into memory or a temporary file."""

from __future__ import annotations

import math
import mmap
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator

import numpy as np

from realign_core.load.arrays import mapping_under
from realign_core.load.faults import reading
from realign_core.validation import UnusableInput

IN_MEMORY_BYTES = 256 << 20


class SpooledRows:
    """Rows `(n, d)` of `dtype` that `blocks()` yields in order, read as far as they are asked for.

    What was decoded stays: in memory up to 256 MB in all, else in an unnamed temporary file that is mapped. A
    stream that ends early or goes on too long raises UnusableInput, then and at each later read.
    """

    def __init__(
        self, name: str, shape: tuple[int, int], dtype: np.dtype, blocks: Callable[[], Iterator[np.ndarray]]
    ):
        self.name = name
        self.shape = shape
        self.dtype = np.dtype(dtype).name
        self._type = np.dtype(dtype)
        self._blocks = blocks
        self._stream: Iterator[np.ndarray] | None = None
        self._store: np.ndarray | None = None
        self._filled = 0
        self._error: UnusableInput | None = None
        self._lock = threading.Lock()

    def read(self, start: int, stop: int) -> np.ndarray:
        stop = min(stop, self.shape[0])
        return self._out(self._upto(stop)[start:stop])

    def take(self, indices: np.ndarray) -> np.ndarray:
        indices = np.asarray(indices, dtype=np.int64)
        return self._out(self._upto(int(indices.max()) + 1 if len(indices) else 0)[indices])

    def _out(self, rows: np.ndarray) -> np.ndarray:
        mapped = None if self._store is None else mapping_under(self._store)
        if mapped is None:
            return rows
        rows = np.array(rows, subok=False)
        if hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)
        return rows

    def _upto(self, stop: int) -> np.ndarray:
        with self._lock:
            if self._error is not None:
                raise self._error
            try:
                with reading(self.name):
                    return self._fill(stop)
            except UnusableInput as error:
                self._error = error
                raise

    def _fill(self, stop: int) -> np.ndarray:
        if self._store is None:
            self._store = self._reserve()
            self._stream = self._blocks()
        store = self._store
        while self._filled < stop:
            block = None if self._stream is None else next(self._stream, None)
            if block is None:
                raise UnusableInput(
                    f"{self.name} ends after {self._filled} of {self.shape[0]} rows; write it again"
                )
            end = self._filled + len(block)
            if end > self.shape[0]:
                raise UnusableInput(f"{self.name} holds more than the {self.shape[0]} rows it declares")
            store[self._filled : end] = block
            self._filled = end
        if self._filled == self.shape[0]:
            self._stream = None
        return store

    def _reserve(self) -> np.ndarray:
        size = math.prod(self.shape) * self._type.itemsize
        if size <= IN_MEMORY_BYTES:
            return np.empty(self.shape, self._type)
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if size > free:
            raise UnusableInput(
                f"{self.name} unpacks to {size >> 20} MB and {folder} has {free >> 20} MB free; "
                "set TMPDIR to a larger disk, or convert the file to .npy"
            )
        with tempfile.TemporaryFile(dir=folder) as file:
            file.truncate(size)
            return np.memmap(file, dtype=self._type, mode="r+", shape=self.shape)
