"""How the rows of a pass are cut into stretches, which depends on the data alone, not on the cluster.

So clusters of any size add the same parts in the same order, and give the same digits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realign_core.load.batches import Batches
from realign_core.load.filed import files_of

STRETCH_BYTES = 32 << 20
"""A stretch is at least as large: less would not be worth the sending of a task."""

MOST_STRETCHES = 1024
"""So many at most, since each leaves a state of some d x d numbers behind until it is merged."""


def planned(sets: Sequence[Batches], step: int, stretch_bytes: int = STRETCH_BYTES) -> list[tuple[int, int]]:
    """First and last row (excluded) of each stretch of sets read side by side, in multiples of `step` rows.

    A file that is decoded from its first row on is not cut: each of its parts would decode what lies before.
    """
    n = len(sets[0])
    width = sum(rows.shape[1] * np.dtype(_stored(rows.dtype)).itemsize for rows in sets)
    least = max(stretch_bytes, -(-n * width // MOST_STRETCHES))
    blocks = max(1, round(least / (width * step)))
    cuts = np.arange(-(-n // step)) * step
    allowed = np.ones(len(cuts), dtype=bool)
    for rows in sets:
        allowed &= ~_inside_a_stream(rows, cuts, step)
    edges = [0]
    for cut in cuts[allowed].tolist():
        if cut - edges[-1] >= blocks * step:
            edges.append(cut)
    return list(zip(edges, [*edges[1:], n], strict=True))


def _inside_a_stream(rows: Batches, cuts: np.ndarray, step: int) -> np.ndarray:
    """Which cuts lie in a file that must be decoded in order; the last one before its end may be used."""
    found = np.zeros(len(cuts), dtype=bool)
    ascending = rows.keep is None or bool(np.all(np.diff(rows.keep) > 0))
    for first, file in files_of(rows.source) or ():
        if file.seekable:
            continue
        if not ascending:
            # Rows in another order reach anywhere into the file.
            found[1:] = True
            break
        low, high = (
            (first, first + file.shape[0])
            if rows.keep is None
            else np.searchsorted(rows.keep, (first, first + file.shape[0])).tolist()
        )
        found |= (cuts > low) & (cuts <= high - step)
    return found


def _stored(dtype: str) -> str:
    return "float16" if dtype == "bfloat16" else dtype
