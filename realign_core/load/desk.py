"""Rows of a block as wide numbers, piece by piece, and what tells them apart: quotients and their hashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from realign_core.load.batches import Batches

# Of a piece. Smaller ones are faster by themselves, but two sets are looked through at once, and their
# threads wait for Python's lock between the steps: an eighth of this takes them nearly three times as long.
PIECE_VALUES = 1 << 19
# From here on torch, which is slow to import, makes up for it: it widens float16 ten times as fast as NumPy.
MANY_VALUES = 1 << 28


def widened_by_torch(rows: Batches) -> bool:
    """Whether a set is so large that torch is to widen its rows."""
    return rows.dtype == "float16" and rows.shape[0] * rows.shape[1] >= MANY_VALUES


@dataclass(frozen=True, eq=False)
class Desk:
    """Memory that the pieces of a block `(n, d)` share, since fresh memory costs as much as a step.

    `rows` as they are worked on, float32 for 16-bit ones and else float64; `exact` for the same in float64.
    """

    rows: np.ndarray
    exact: np.ndarray
    by_torch: bool

    @classmethod
    def of(cls, block: np.ndarray, dtype: str, by_torch: bool) -> Desk:
        """For a block whose stored type has this name."""
        n, d = block.shape
        shape = min(n, max(1, PIECE_VALUES // d)), d
        rows = np.empty(shape, np.float32 if dtype in ("float16", "bfloat16") else np.float64)
        return cls(rows, rows if rows.dtype == np.float64 else np.empty(shape), by_torch)

    def pieces(self, block: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Where each piece of the block lies, and its rows, which may be overwritten."""
        step = max(1, len(self.rows))
        for low in range(0, len(block), step):
            rows = self.rows[: min(step, len(block) - low)]
            _widen(block[low : low + step], rows, self.by_torch)
            yield slice(low, low + len(rows)), rows

    def squares(self, rows: np.ndarray) -> np.ndarray:
        """Squared lengths `(n,)` of rows that are worked on, summed in float64."""
        exact = rows
        if rows.dtype != np.float64:
            exact = self.exact[: len(rows)]
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


def largest_of(rows: np.ndarray) -> np.ndarray:
    """Largest magnitude `(n,)` of each row; NaN for a row with one."""
    return np.maximum(rows.max(axis=1), -rows.min(axis=1))


def quotients(rows: np.ndarray, largest: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Rows over their largest magnitudes `(n,)`; rows of zeros stay, and there is one zero alone."""
    found = np.divide(rows, np.where(largest == 0, 1, largest)[:, None], out=out)
    # Adding zero turns -0 into +0, which are the same number but not the same bits.
    found += 0
    return found


def hashes(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` hashes uint64 `(n, count)` of rows `(n, d)`: `sum a_j w_j` modulo 2^64 over the 32-bit words.

    The a_j are random and of 64 bits: rows that differ share one with a probability of at most 2^-33.
    """
    words = np.ascontiguousarray(rows).view(np.uint32).astype(np.uint64)
    # Whole numbers are multiplied without BLAS, and by einsum in half the time of a matrix product.
    return np.einsum("ij,kj->ik", words, _coefficients(words.shape[1])[:count])


@cache
def _coefficients(words: int) -> np.ndarray:
    found = np.random.default_rng(0x9E3779B9).integers(0, 2**64, (words, 2), dtype=np.uint64)
    return np.ascontiguousarray(found.T)
