"""One pass over the rows of a set: norms, unusable rows and a digest that finds exact duplicates."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from realign_core.checkpoint import checkpoint, count
from realign_core.load.arrays import to_numpy
from realign_core.load.batches import Batches
from realign_core.load.keeper import Keeper, Kept, current_keeper

NAN, INFINITE, ZERO, EXTREME, CONSTANT = 1, 2, 3, 4, 5
REASONS = {NAN: "NaN", INFINITE: "infinite", ZERO: "zero norm", EXTREME: "norm out of range"}
# The square of a norm outside this range leaves float64, so such a row cannot be normalised plainly.
NORMS = 1e-150, 1e150
# Rows that are used as they are enter figures with the fourth power of their norm.
NORMS_AS_THEY_ARE = 1e-70, 1e70
# Norms between these are exact by the plain sum of squares and need no second look.
PLAIN = 1e-60, 1e60
CACHE_VALUES = 1 << 18


@dataclass(frozen=True, eq=False)
class Scan:
    """Per row of one set: `norm` float64 (n,), `fault` int8 (n,) with 0 for a usable row, `digest` uint64
    (n, 2), and `flat`, whether all coordinates of the row are one number."""

    norm: np.ndarray
    fault: np.ndarray
    digest: np.ndarray
    flat: np.ndarray


def scan(rows: Batches, *, normalize: bool = True, name: str = "rows", digests: bool = True) -> Scan:
    """Read every row once; `normalize` says whether its length will be divided out.

    Rows that are equal after normalising get equal digests. Two that differ share one with a probability of
    at most 2^-66: the digest is two independent multilinear hashes, `sum a_j w_j` modulo 2^64 with random
    64-bit a_j, over the 32-bit words w_j of the row divided by its largest magnitude. Among a million
    rows that is a chance of 2^-27 of a single false duplicate. 16-bit rows are divided in float32, others
    in float64, which keeps distinct quotients apart (float64 rows: up to one unit in the last place).
    Without `digests` they are all 0 and `flat` is not looked at, which takes a third of the time. A `Keeper`
    in the context keeps the pass under `name`.
    """
    n, d = rows.shape
    coefficients = np.random.default_rng(0x9E3779B9).integers(0, 2**64, (2 * d, 2), dtype=np.uint64)
    result = Scan(np.empty(n), np.zeros(n, np.int8), np.zeros((n, 2), np.uint64), np.zeros(n, bool))
    norms = NORMS if normalize else NORMS_AS_THEY_ARE
    step = max(1, CACHE_VALUES // d)
    # What is kept must be of the same rows and say as much of them.
    of = 0 if rows.keep is None else zlib.crc32(np.asarray(rows.keep).tobytes())
    keeper, name = current_keeper(), f"scan {name} {n} {of:x}{' digests' if digests else ''}"
    start = _taken_up(result, None if keeper is None else keeper.known(name))
    for first in range(start, n, rows.block_rows):
        checkpoint()
        block = to_numpy(rows.read(first, min(first + rows.block_rows, n)))
        for low in range(0, len(block), step):
            piece = block[low : low + step]
            where = slice(first + low, first + low + len(piece))
            _scan_piece(piece, rows.dtype, coefficients if digests else None, norms, result, where)
        count(first + len(block), n)
        if keeper is not None and keeper.due():
            _keep(keeper, name, result, first + len(block))
    if keeper is not None and start < n:
        _keep(keeper, name, result, n)
    return result


def _taken_up(result: Scan, known: Kept | None) -> int:
    """Fill in what an earlier run has scanned; the first row that is left."""
    if known is None:
        return 0
    for field, values in known.arrays.items():
        getattr(result, field)[: known.rows] = values
    return known.rows


def _keep(keeper: Keeper, name: str, result: Scan, rows: int) -> None:
    arrays = {field: values[:rows] for field, values in vars(result).items()}
    keeper.keep(name, rows, arrays, done=rows == len(result.norm))


def _scan_piece(
    piece: np.ndarray,
    dtype: str,
    coefficients: np.ndarray | None,
    norms: tuple[float, float],
    out: Scan,
    where: slice,
) -> None:
    wide = np.float32 if dtype in ("float16", "bfloat16") else np.float64
    with np.errstate(all="ignore"):
        piece = np.ascontiguousarray(piece, dtype=wide)
        if coefficients is None:
            squares = np.einsum("ij,ij->i", piece, piece, dtype=np.float64)
            norm = np.sqrt(squares)
            # NaN fails both comparisons.
            if len(norm) and norm.min() > PLAIN[0] and norm.max() < PLAIN[1]:
                out.norm[where] = norm
                return
        high, low = piece.max(axis=1), piece.min(axis=1)
        largest = np.maximum(high, -low)
        quotient = piece / np.where(largest == 0, 1, largest)[:, None]
        # Adding zero turns -0 into +0, which are the same number but not the same bits.
        quotient += 0
        squares = np.einsum("ij,ij->i", quotient, quotient, dtype=np.float64)
        norm = largest.astype(np.float64) * np.sqrt(squares)
    fault = np.zeros(len(piece), np.int8)
    fault[(norm < norms[0]) | (norm > norms[1])] = EXTREME
    fault[largest == 0] = ZERO
    fault[np.isinf(largest)] = INFINITE
    fault[np.isnan(largest)] = NAN
    if coefficients is not None:
        words = quotient.view(np.uint32).astype(np.uint64)
        out.digest[where] = words @ coefficients[: words.shape[1]]
    out.norm[where] = norm
    out.fault[where] = fault
    out.flat[where] = high == low
