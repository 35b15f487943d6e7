"""Rows of a plain array in a file behind a URL, fetched as ranges of bytes: memory is a block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from realign_core.load.arrays import ArrayRows
from realign_core.load.remote import Remote

# Rows that are wanted are fetched together where less than this lies between them, as a request costs more.
GAP_BYTES = 1 << 16
RANGE_BYTES = 1 << 24
FETCH_BYTES = 1 << 26


class RangedRows:
    """Rows `(n, d)` of type `stored` that lie one after another from byte `offset` of the file at `url` on.

    `dtype="bfloat16"` reads uint16 bits as float32. A range that does not come whole raises UnusableInput.
    """

    def __init__(
        self, url: str, shape: tuple[int, int], stored: np.dtype, offset: int, *, dtype: str | None = None
    ):
        self.url = url
        self.shape = shape
        self._stored = stored
        self._offset = offset
        self._known = dtype
        self.dtype = dtype or stored.newbyteorder("=").name
        self._row = shape[1] * stored.itemsize

    def read(self, start: int, stop: int) -> np.ndarray:
        stop = min(stop, self.shape[0])
        if stop <= start:
            return self._rows(b"")
        return self._rows(Remote(self.url).read(*self._bytes(start, stop)))

    def take(self, indices: np.ndarray) -> np.ndarray:
        wanted, place = np.unique(np.asarray(indices, dtype=np.int64), return_inverse=True)
        rows = np.empty((len(wanted), self.shape[1]), self._rows(b"").dtype)
        done = 0
        for runs in self._fetches(wanted):
            spans = [(int(run[0]), int(run[-1]) + 1) for run in runs]
            parts = Remote(self.url).read_ranges([self._bytes(*span) for span in spans])
            for run, data in zip(runs, parts, strict=True):
                rows[done : done + len(run)] = self._rows(data)[run - run[0]]
                done += len(run)
        return rows[place]

    def _bytes(self, start: int, stop: int) -> tuple[int, int]:
        return self._offset + start * self._row, self._offset + stop * self._row

    def _rows(self, data: bytes) -> np.ndarray:
        # A copy, since bytes cannot be written to and consumers may take a block for their own.
        block = np.frombuffer(data, self._stored).reshape(-1, self.shape[1]).copy()
        return ArrayRows(block, dtype=self._known).read(0, len(block))

    def _fetches(self, wanted: np.ndarray) -> Iterator[list[np.ndarray]]:
        """Runs of wanted rows with small gaps, several to a fetch that stays small."""
        longest = max(1, RANGE_BYTES // max(1, self._row))
        runs: list[np.ndarray] = []
        held = 0
        for near in np.split(wanted, np.flatnonzero(np.diff(wanted) * self._row > GAP_BYTES) + 1):
            first = 0
            while first < len(near):
                end = int(np.searchsorted(near, near[first] + longest))
                run = near[first:end]
                size = int(run[-1] - run[0] + 1) * self._row
                if runs and held + size > FETCH_BYTES:
                    yield runs
                    runs, held = [], 0
                runs.append(run)
                held += size
                first = end
        if runs:
            yield runs
