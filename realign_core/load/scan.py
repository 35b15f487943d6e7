"""One pass over the rows of a set: norms, unusable rows and a digest that finds exact duplicates."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any

import numpy as np

from realign_core.load.arrays import to_numpy
from realign_core.load.batches import Batches
from realign_core.load.passes import Arrays, total

NAN, INFINITE, ZERO, EXTREME, CONSTANT = 1, 2, 3, 4, 5
REASONS = {NAN: "NaN", INFINITE: "infinite", ZERO: "zero norm", EXTREME: "norm out of range"}
# The square of a norm outside this range leaves float64, so such a row cannot be normalised plainly.
NORMS = 1e-150, 1e150
# Rows that are used as they are enter figures with the fourth power of their norm.
NORMS_AS_THEY_ARE = 1e-70, 1e70
# Norms between these are exact by the plain sum of squares and need no second look.
PLAIN = 1e-60, 1e60
# Of a piece. Smaller ones are faster by themselves, but two sets are scanned at once, and their threads wait
# for Python's lock between the steps: at an eighth of this, both together take nearly three times as long.
PIECE_VALUES = 1 << 19
# From here on torch, which is slow to import, makes up for it: it widens float16 ten times as fast as NumPy.
MANY_VALUES = 1 << 28


@dataclass(frozen=True, eq=False)
class Scan:
    """Per row of one set: `norm` float64 (n,), `fault` int8 (n,) with 0 for a usable row, `digest` uint64
    (n, 2), and `flat`, whether all coordinates of the row are one number."""

    norm: np.ndarray
    fault: np.ndarray
    digest: np.ndarray
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


def scan(rows: Batches, *, normalize: bool = True, name: str = "rows", digests: bool = True) -> Scan:
    """Read every row once; `normalize` says whether its length will be divided out.

    Rows that are equal after normalising get equal digests. Two that differ share one with a probability of
    at most 2^-66: the digest is two independent multilinear hashes, `sum a_j w_j` modulo 2^64 with random
    64-bit a_j, over the 32-bit words w_j of the row divided by its largest magnitude. Among a million
    rows that is a chance of 2^-27 of a single false duplicate. 16-bit rows are divided in float32, others
    in float64, which keeps distinct quotients apart (float64 rows: up to one unit in the last place).
    Without `digests` they are all 0 and `flat` is not looked at, which takes a third of the time. `name` is
    that of the pass, `scan NAME`.
    """
    by_torch = rows.dtype == "float16" and rows.shape[0] * rows.shape[1] >= MANY_VALUES
    part = partial(_scan_block, dtype=rows.dtype, normalize=normalize, digests=digests, by_torch=by_torch)
    found = total(f"scan {name}", (rows,), part, Scans)
    return _empty(0) if found is None else found.whole


def _empty(n: int) -> Scan:
    return Scan(np.empty(n), np.zeros(n, np.int8), np.zeros((n, 2), np.uint64), np.zeros(n, bool))


@cache
def _coefficients(dim: int) -> np.ndarray:
    found = np.random.default_rng(0x9E3779B9).integers(0, 2**64, (2 * dim, 2), dtype=np.uint64)
    return np.ascontiguousarray(found.T)


def _scan_block(_: int, block: Any, *, dtype: str, normalize: bool, digests: bool, by_torch: bool) -> Scans:
    block = to_numpy(block)
    n, d = block.shape
    result, step = _empty(n), max(1, PIECE_VALUES // d)
    norms = NORMS if normalize else NORMS_AS_THEY_ARE
    coefficients = _coefficients(d) if digests else None
    desk = _Desk.of(min(n, step), d, dtype)
    for low in range(0, n, step):
        rows = desk.rows[: min(step, n - low)]
        _widen(block[low : low + step], rows, by_torch)
        _scan_piece(rows, desk, coefficients, norms, result, slice(low, low + len(rows)))
    return Scans((result,))


@dataclass(frozen=True, eq=False)
class _Desk:
    """Memory that the pieces of a block share, since fresh memory costs as much as a step.

    `rows` as they are worked on, float32 for 16-bit ones; `exact` for the same in float64 and `words` for
    their 32-bit words as 64-bit numbers, `(n, d)` and `(n, d or 2 d)`.
    """

    rows: np.ndarray
    exact: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, n: int, d: int, dtype: str) -> _Desk:
        rows = np.empty((n, d), np.float32 if dtype in ("float16", "bfloat16") else np.float64)
        exact = rows if rows.dtype == np.float64 else np.empty((n, d))
        return cls(rows, exact, np.empty((n, d * rows.itemsize // 4), np.uint64))

    def squares(self, rows: np.ndarray) -> np.ndarray:
        """Squared lengths `(n,)` of the rows that are worked on, summed in float64."""
        exact = self.exact[: len(rows)]
        if exact.dtype != rows.dtype:
            np.copyto(exact, rows)
        return np.vecdot(exact, exact)


def _widen(piece: np.ndarray, out: np.ndarray, by_torch: bool) -> None:
    if not by_torch:
        np.copyto(out, piece)
        return
    import torch

    # torch warns of arrays that cannot be written to, and refuses steps back or by a part of a number.
    plain = piece.flags.writeable and all(step >= 0 and step % piece.itemsize == 0 for step in piece.strides)
    piece = piece if plain else np.array(piece, order="C")
    torch.from_numpy(out).copy_(torch.from_numpy(piece))


def _scan_piece(
    piece: np.ndarray,
    desk: _Desk,
    coefficients: np.ndarray | None,
    norms: tuple[float, float],
    out: Scan,
    where: slice,
) -> None:
    with np.errstate(all="ignore"):
        if coefficients is None:
            norm = np.sqrt(desk.squares(piece))
            # NaN fails both comparisons.
            if len(norm) and norm.min() > PLAIN[0] and norm.max() < PLAIN[1]:
                out.norm[where] = norm
                return
        high, low = piece.max(axis=1), piece.min(axis=1)
        largest = np.maximum(high, -low)
        quotient = np.divide(piece, np.where(largest == 0, 1, largest)[:, None], out=piece)
        # Adding zero turns -0 into +0, which are the same number but not the same bits.
        quotient += 0
        norm = largest.astype(np.float64) * np.sqrt(desk.squares(quotient))
    fault = np.zeros(len(piece), np.int8)
    fault[(norm < norms[0]) | (norm > norms[1])] = EXTREME
    fault[largest == 0] = ZERO
    fault[np.isinf(largest)] = INFINITE
    fault[np.isnan(largest)] = NAN
    if coefficients is not None:
        words = desk.words[: len(quotient)]
        np.copyto(words, quotient.view(np.uint32))
        # Whole numbers are multiplied without BLAS, and by einsum in half the time of a matrix product.
        out.digest[where] = np.einsum("ij,kj->ik", words, coefficients[:, : words.shape[1]])
    out.norm[where] = norm
    out.fault[where] = fault
    out.flat[where] = high == low
