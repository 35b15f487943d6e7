"""Row sources over arrays that are there already: in memory, memory-mapped, in part, or one after another.

Nothing here imports torch; a tensor is recognised by its module and keeps its type and device.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from realign_core.validation import UnusableInput

if TYPE_CHECKING:
    from realign_core.load.batches import RowSource

FLOATS = ("float16", "bfloat16", "float32", "float64")


def is_tensor(value: Any) -> bool:
    """Whether `value` is a torch tensor, found out without importing torch."""
    return any(base.__module__ == "torch" and base.__name__ == "Tensor" for base in type(value).__mro__)


def to_numpy(block: Any) -> np.ndarray:
    """A block of rows as a NumPy array on the CPU; a bfloat16 tensor comes as float32."""
    if not is_tensor(block):
        return np.asarray(block)
    block = block.detach()
    if str(block.dtype) == "torch.bfloat16":
        block = block.float()
    return block.cpu().numpy()


def widen_bfloat16(bits: np.ndarray) -> np.ndarray:
    """The float32 values of bfloat16 numbers that are given by their 16 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def mapping_under(array: np.ndarray) -> mmap.mmap | None:
    """The file mapping of a NumPy memory map, which NumPy gives no public name; None for other arrays."""
    return getattr(array, "_mmap", None)


TAKEN_ROWS = 64
"""Rows taken from a map at a time: the system may map 400 kB around each, until they are given back."""
TAKEN_BYTES = 2**24
"""Of a stretch of a map from which rows are taken at a time, where they lie closer than that."""


class ArrayRows:
    """The rows of a NumPy array `(n, d)`; `dtype="bfloat16"` reads uint16 bits as float32.

    With `mapped`, the mapping of the file `name` that the array looks into, blocks are copied out and the
    pages given back, so a pass over a large file does not fill memory with it. A file that has shrunk since
    raises UnusableInput: to touch what is gone would end the process.
    """

    def __init__(
        self,
        array: np.ndarray,
        *,
        dtype: str | None = None,
        mapped: mmap.mmap | None = None,
        name: str = "the file",
    ):
        self.array = array
        self.shape = (int(array.shape[0]), int(array.shape[1]))
        self.dtype = dtype or array.dtype.newbyteorder("=").name
        self._mapped = mapped
        self._name = name
        self._size = 0 if mapped is None else mapped.size()

    def read(self, start: int, stop: int) -> np.ndarray:
        self._check()
        rows = self.array[start:stop]
        if self._mapped is not None:
            rows = np.array(rows, order="C", subok=False)
            self._give_back()
        return self._as_floats(rows)

    def take(self, indices: np.ndarray) -> np.ndarray:
        self._check()
        indices = np.asarray(indices, dtype=np.int64)
        if self._mapped is None:
            return self._as_floats(self.array[indices])
        rows = np.empty((len(indices), self.shape[1]), self.array.dtype)
        for part in self._parts(indices):
            rows[part] = self.array[indices[part]]
            self._give_back()
        return self._as_floats(rows)

    def _parts(self, indices: np.ndarray) -> Iterator[slice]:
        """Slices of the row numbers that map little: of one stretch of the file each, or a few rows each."""
        # Columns of longer rows lie as far apart as these; rows laid column by column as their columns do.
        apart = max(abs(self.array.strides[0]), self.array.itemsize * self.shape[1])
        stretch = indices * apart // TAKEN_BYTES
        starts = np.flatnonzero(np.diff(stretch, prepend=stretch[:1] - 1))
        few = np.arange(0, len(indices), TAKEN_ROWS)
        edges = np.append(starts if len(starts) < len(few) else few, len(indices))
        return (slice(first, stop) for first, stop in pairwise(edges.tolist()))

    def _check(self) -> None:
        if self._mapped is not None and self._mapped.size() < self._size:
            raise UnusableInput(f"{self._name} became shorter while it was read; wait until it is written")

    def _as_floats(self, rows: np.ndarray) -> np.ndarray:
        if self.dtype == "bfloat16":
            return widen_bfloat16(rows)
        return rows if rows.dtype.isnative else rows.astype(rows.dtype.newbyteorder("="))

    def _give_back(self) -> None:
        if self._mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


class TensorRows:
    """The rows of a torch tensor `(n, d)`; blocks are tensors of the same type on the same device."""

    def __init__(self, tensor: Any):
        self.tensor = tensor.detach()
        self.shape = (int(tensor.shape[0]), int(tensor.shape[1]))
        self.dtype = str(tensor.dtype).removeprefix("torch.")

    def read(self, start: int, stop: int) -> Any:
        return self.tensor[start:stop]

    def take(self, indices: np.ndarray) -> Any:
        import torch

        return self.tensor[torch.as_tensor(np.asarray(indices, dtype=np.int64), device=self.tensor.device)]


class WindowRows:
    """Rows `start:stop` of another source."""

    def __init__(self, source: RowSource, start: int, stop: int):
        self.source = source
        self.start = start
        self.shape = (stop - start, source.shape[1])
        self.dtype = source.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        stop = min(stop, self.shape[0])
        return self.source.read(self.start + start, self.start + stop)

    def take(self, indices: np.ndarray) -> np.ndarray:
        return self.source.take(np.asarray(indices) + self.start)


class ConcatRows:
    """Sources of one dimension, one after another; blocks have the widest of their types."""

    def __init__(self, sources: Sequence[RowSource]):
        self.sources = tuple(sources)
        self.ends = np.cumsum([source.shape[0] for source in self.sources])
        self.shape = (int(self.ends[-1]), self.sources[0].shape[1])
        names = {source.dtype for source in self.sources}
        if len(names) == 1:
            self.dtype = names.pop()
        else:
            wide = ["float32" if name == "bfloat16" else name for name in names]
            self.dtype = np.result_type(*wide).name
        self._type = np.dtype("float32" if self.dtype == "bfloat16" else self.dtype)

    def around(self, low: int, high: int) -> tuple[ConcatRows, int]:
        """Those sources alone that hold rows `low:high`, in the type of all, and how many rows lie before."""
        first, last = np.searchsorted(self.ends, [low, high - 1], side="right").tolist()
        found = ConcatRows(self.sources[first : last + 1])
        found.dtype, found._type = self.dtype, self._type
        return found, int(self.ends[first]) - self.sources[first].shape[0]

    def read(self, start: int, stop: int) -> np.ndarray:
        stop = min(stop, self.shape[0])
        parts = []
        for source, end in zip(self.sources, self.ends.tolist(), strict=True):
            begin = end - source.shape[0]
            if begin < stop and start < end:
                parts.append(source.read(max(start, begin) - begin, min(stop, end) - begin))
        if len(parts) == 1:
            return parts[0].astype(self._type, copy=False)
        return np.concatenate([np.empty((0, self.shape[1]), self._type), *parts], dtype=self._type)

    def take(self, indices: np.ndarray) -> np.ndarray:
        indices = np.asarray(indices, dtype=np.int64)
        rows = np.empty((len(indices), self.shape[1]), self._type)
        owner = np.searchsorted(self.ends, indices, side="right")
        for number in np.unique(owner):
            here = owner == number
            source = self.sources[number]
            rows[here] = source.take(indices[here] - (self.ends[number] - source.shape[0]))
        return rows
