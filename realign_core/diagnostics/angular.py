"""Cosines within a set: their correlation before and after a map, their histograms (methods, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

BINS = 200
ALL_PAIRS_UP_TO = 5_000
SAMPLED_PAIRS = 5_000_000
PIECE = 2**18
"""Cosines worked on at a time, so that what is made of them stays in the cache."""


EDGE = 1e-6
"""Cosines this far below the edge of a bin lie on it."""

COSINE_RESOLUTION = 1e-6
"""Standard deviation below which cosines from float32 products differ by nothing but rounding."""


@dataclass(frozen=True)
class RowPairs:
    """Pairs of distinct rows `(i, j)`, sorted by i; `starts[i]` is where those of row i begin.

    `every` says that they are all i < j, in which case those of row i have j = i + 1, i + 2, ...
    """

    i: Tensor
    j: Tensor
    starts: np.ndarray
    every: bool

    @classmethod
    def of(cls, n: int, seed: int) -> RowPairs:
        """All i < j up to 5 000 rows, 5 000 000 seeded pairs above; the same object while anyone holds it."""
        with _sharing:
            found = _shared.get((n, seed))
            if found is None:
                found = _shared[n, seed] = cls._drawn(n, seed)
            return found

    @classmethod
    def _drawn(cls, n: int, seed: int) -> RowPairs:
        if n <= ALL_PAIRS_UP_TO:
            rows = np.arange(n, dtype=np.int32)
            starts = np.concatenate([[0], np.cumsum(rows[::-1], dtype=np.int64)])
            i = np.repeat(rows, rows[::-1])
            j = np.concatenate([rows[row:] for row in range(1, n + 1)])
            return cls(torch.from_numpy(i), torch.from_numpy(j), starts, True)
        generator = np.random.default_rng(seed)
        first = generator.integers(0, n, SAMPLED_PAIRS)
        second = generator.integers(0, n - 1, SAMPLED_PAIRS)
        second += second >= first
        # Rows that fit in 16 bits are sorted by radix, five times faster.
        order = np.argsort(first.astype(np.uint16) if n <= 2**16 else first, kind="stable")
        counts = np.bincount(first, minlength=n)
        starts = np.concatenate([[0], np.cumsum(counts)])
        left, right = np.repeat(np.arange(n, dtype=np.int32), counts), second.astype(np.int32)[order]
        return cls(torch.from_numpy(left), torch.from_numpy(right), starts, False)

    def __len__(self) -> int:
        return self.i.shape[0]


_shared: WeakValueDictionary[tuple[int, int], RowPairs] = WeakValueDictionary()
_sharing = Lock()


class PairCosines:
    """Collects what is made of the cosines of `pairs` from the blocks that a neighbour search passes by.

    `bins` are their histogram bins. `values`, the cosines themselves, are kept of sampled pairs only: sums
    over every pair need none (`cross_moments`).
    """

    def __init__(self, pairs: RowPairs):
        self.pairs = pairs
        self.bins = torch.empty(len(pairs), dtype=torch.uint8)
        self.values = None if pairs.every else torch.empty(len(pairs), dtype=torch.float32)

    @property
    def histogram(self) -> Tensor:
        """How many pairs fall into each bin, `(200,)` int64."""
        return torch.bincount(self.bins, minlength=BINS)

    def visit(self, start: int, cosines: Tensor) -> None:
        """Read the pairs whose first row lies in this block of rows."""
        starts = self.pairs.starts
        if self.values is None:
            # Pairs have i < j: columns before the block's first row belong to earlier blocks.
            source, bins = bin_of(cosines[:, start:]).cpu().numpy(), self.bins.numpy()
            for row in range(len(source)):
                first, last = starts[start + row], starts[start + row + 1]
                bins[first:last] = source[row, row + 1 :]
            return
        span = slice(starts[start], starts[start + cosines.shape[0]])
        i, j = (index[span].to(cosines.device) for index in (self.pairs.i, self.pairs.j))
        # One number a pair: an index by two costs more than three times as much.
        place = (i - start).long() * cosines.shape[1] + j
        values = cosines.reshape(-1).index_select(0, place)
        self.values[span] = values.cpu()
        self.bins[span] = bin_of(values).cpu()


def pair_sums(before: Tensor, after: Tensor) -> Tensor:
    """Sums `(6,)` of 1, a, b, a a, b b, a b over pairs of rows, a and b each less its mean."""
    means = [values.mean(dtype=torch.float64) for values in (before, after)]
    sums = torch.zeros(6, dtype=torch.float64)
    sums[0] = len(before)
    for parts in zip(before.split(PIECE), after.split(PIECE), strict=True):
        a, b = (part.double() - mean for part, mean in zip(parts, means, strict=True))
        sums[1:] += torch.stack([a.sum(), b.sum(), a @ a, b @ b, a @ b])
    return sums


def correlation(sums: Tensor) -> Tensor:
    """Pearson correlation from `(..., 6)` sums of 1, a, b, a a, b b, a b (a and b already shifted near 0).

    NaN where a or b do not vary beyond the resolution of float32 cosines.
    """
    n, a, b, aa, bb, ab = sums.unbind(-1)
    covariance = ab - a * b / n
    spread_a, spread_b = aa - a * a / n, bb - b * b / n
    found = (covariance / (spread_a * spread_b).sqrt()).clamp(-1, 1)
    return found.where(torch.minimum(spread_a, spread_b) > n * COSINE_RESOLUTION**2, torch.nan)


def bin_of(cosines: Tensor) -> Tensor:
    """Bin, uint8, of each cosine: 200 equal bins on [-1, 1], clipped, the last closed.

    A cosine within rounding below an edge counts as on it, or those of sparse rows, which are exactly 0,
    would fall to either side.
    """
    bins = torch.empty(cosines.shape, dtype=torch.uint8, device=cosines.device)
    rows = max(1, PIECE * len(cosines) // max(1, cosines.numel()))
    for part, out in zip(cosines.split(rows), bins.split(rows), strict=True):
        out.copy_(part.add(1 + EDGE).mul_(BINS / 2).floor_().clamp_(0, BINS - 1))
    return bins


def jensen_shannon(counts_a: Tensor, counts_b: Tensor) -> Tensor:
    """Jensen-Shannon divergence, base 2, of histograms `(..., bins)` given as counts; 0..1."""
    a = counts_a.double() / counts_a.sum(-1, keepdim=True)
    b = counts_b.double() / counts_b.sum(-1, keepdim=True)
    entropy = torch.special.entr((a + b) / 2) - (torch.special.entr(a) + torch.special.entr(b)) / 2
    return (entropy.sum(-1) / np.log(2)).clamp_min(0)
