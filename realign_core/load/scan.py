"""One pass over the rows of a set: norms, unusable rows, and sketches that rows which repeat share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from realign_core.load.arrays import to_numpy
from realign_core.load.batches import Batches
from realign_core.load.desk import Desk, hashes, largest_of, quotients, widened_by_torch
from realign_core.load.passes import Arrays, total

NAN, INFINITE, ZERO, EXTREME, CONSTANT = 1, 2, 3, 4, 5
REASONS = {NAN: "NaN", INFINITE: "infinite", ZERO: "zero norm", EXTREME: "norm out of range"}
# The square of a norm outside this range leaves float64, so such a row cannot be normalised plainly.
NORMS = 1e-150, 1e150
# Rows that are used as they are enter figures with the fourth power of their norm.
NORMS_AS_THEY_ARE = 1e-70, 1e70
# Norms between these are exact by the plain sum of squares and need no second look.
PLAIN = 1e-60, 1e60
SKETCHED = 64
"""So many coordinates at most, spread evenly, does a sketch look at."""


@dataclass(frozen=True, eq=False)
class Scan:
    """Per row of one set: `norm` float64 (n,), `fault` int8 (n,) with 0 for a usable row, `sketch` uint64
    (n,), and `flat`, whether all coordinates of the row are one number."""

    norm: np.ndarray
    fault: np.ndarray
    sketch: np.ndarray
    flat: np.ndarray


@dataclass(frozen=True, eq=False)
class Scans:
    """The scans of stretches of rows, one after another; joined once, at the end, as rows are many."""

    parts: tuple[Scan, ...]

    def merge(self, other: Scans) -> Scans:
        """Of both stretches together."""
        return Scans(self.parts + other.parts)

    @property
    def whole(self) -> Scan:
        """The scan of all rows."""
        return Scan(
            *(np.concatenate([getattr(part, each.name) for part in self.parts]) for each in fields(Scan))
        )

    def arrays(self) -> Arrays:
        """The fields of the whole by name."""
        return vars(self.whole)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Scans:
        """Undoes `arrays`."""
        return cls((Scan(**arrays),))


def scan(rows: Batches, *, normalize: bool = True, name: str = "rows", sketches: bool = True) -> Scan:
    """Read every row once; `normalize` says whether its length will be divided out.

    Rows that are equal after normalising have equal sketches, which look at a few coordinates; whether rows
    of one sketch are equal, `digests` tells. Without `sketches` these are all 0 and `flat` is not looked at,
    which takes three fifths of the time. `name` is that of the pass, `scan NAME`.
    """
    by_torch = widened_by_torch(rows)
    part = partial(_scan_block, dtype=rows.dtype, normalize=normalize, sketches=sketches, by_torch=by_torch)
    found = total(f"scan {name}", (rows,), part, Scans)
    return _empty(0) if found is None else found.whole


def _empty(n: int) -> Scan:
    return Scan(np.empty(n), np.zeros(n, np.int8), np.zeros(n, np.uint64), np.zeros(n, bool))


def _scan_block(_: int, block: Any, *, dtype: str, normalize: bool, sketches: bool, by_torch: bool) -> Scans:
    block = to_numpy(block)
    result = _empty(len(block))
    norms = NORMS if normalize else NORMS_AS_THEY_ARE
    desk = Desk.of(block, dtype, by_torch)
    for where, rows in desk.pieces(block):
        with np.errstate(all="ignore"):
            _scan_piece(rows, desk, result, where, norms, sketches)
    return Scans((result,))


def _scan_piece(
    piece: np.ndarray, desk: Desk, out: Scan, where: slice, norms: tuple[float, float], sketches: bool
) -> None:
    norm = np.sqrt(desk.squares(piece))
    # NaN fails both comparisons. Row by row, so that no norm depends on which rows lie beside it.
    odd = np.flatnonzero(~((norm > PLAIN[0]) & (norm < PLAIN[1])))
    if len(odd):
        norm[odd], out.fault[where][odd] = _second_look(piece[odd], desk, norms)
    out.norm[where] = norm
    if sketches:
        high, low = piece.max(axis=1), piece.min(axis=1)
        some = piece[:, :: -(-piece.shape[1] // SKETCHED)]
        out.sketch[where] = hashes(quotients(some, np.maximum(high, -low)), 1)[:, 0]
        out.flat[where] = high == low


def _second_look(rows: np.ndarray, desk: Desk, norms: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Norms and faults of rows whose squares may have left float64."""
    largest = largest_of(rows)
    norm = largest.astype(np.float64) * np.sqrt(desk.squares(quotients(rows, largest)))
    fault = np.zeros(len(rows), np.int8)
    fault[(norm < norms[0]) | (norm > norms[1])] = EXTREME
    fault[largest == 0] = ZERO
    fault[np.isinf(largest)] = INFINITE
    fault[np.isnan(largest)] = NAN
    return norm, fault
