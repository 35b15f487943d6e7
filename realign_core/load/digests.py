"""Which rows of a set are equal: those of one sketch are read again and told apart by digests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from realign_core.load.arrays import to_numpy
from realign_core.load.batches import Batches
from realign_core.load.desk import Desk, hashes, largest_of, quotients, widened_by_torch
from realign_core.load.groups import labels_of, repeated
from realign_core.load.passes import Arrays, total


@dataclass(frozen=True, eq=False)
class Digests:
    """Digests uint64 `(n, 2)` of stretches of rows, one after another."""

    parts: tuple[np.ndarray, ...]

    def merge(self, other: Digests) -> Digests:
        """Of both stretches together."""
        return Digests(self.parts + other.parts)

    @property
    def whole(self) -> np.ndarray:
        """Those of all rows."""
        return np.concatenate([np.empty((0, 2), np.uint64), *self.parts])

    def arrays(self) -> Arrays:
        """All of them by name."""
        return {"digest": self.whole}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Digests:
        """Undoes `arrays`."""
        return cls((arrays["digest"],))


def digests(rows: Batches, *, name: str = "rows") -> np.ndarray:
    """Read every row once for its digest, uint64 `(n, 2)`; `name` is that of the pass, `digests of NAME`.

    Rows that are equal after normalising get equal digests. Two that differ share one with a probability of
    at most 2^-66: the digest is two independent multilinear hashes of the row divided by its largest
    magnitude. Among a million rows that is a chance of 2^-27 of a single false duplicate. 16-bit rows are
    divided in float32, others in float64, which keeps distinct quotients apart but for float64 rows that
    differ by one unit in the last place, and for what is 1e38 times (bfloat16) or 1e308 times (float64)
    smaller than the largest of its row, which becomes zero.
    """
    part = partial(_digest_block, dtype=rows.dtype, by_torch=widened_by_torch(rows))
    found = total(f"digests of {name}", (rows,), part, Digests)
    return Digests(()).whole if found is None else found.whole


def _digest_block(_: int, block: Any, *, dtype: str, by_torch: bool) -> Digests:
    block = to_numpy(block)
    found = np.empty((len(block), 2), np.uint64)
    for where, rows in Desk.of(block, dtype, by_torch).pieces(block):
        found[where] = hashes(quotients(rows, largest_of(rows), out=rows), 2)
    return Digests((found,))


def labels_of_rows(rows: Batches, sketch: np.ndarray, *, name: str = "rows") -> tuple[np.ndarray, int]:
    """For each row the number, int64 `(n,)`, of the first that equals it; how many differ.

    `sketch` `(n,)` is that of the rows. Reads again those whose sketch another row has.
    """
    labels = np.arange(len(sketch))
    some = np.flatnonzero(repeated(sketch))
    if not len(some):
        return labels, len(labels)
    inner, different = labels_of(digests(rows.subset(some), name=name))
    labels[some] = some[inner]
    return labels, len(labels) - len(some) + different
