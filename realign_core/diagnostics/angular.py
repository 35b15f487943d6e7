"""Cosines within a set: their correlation before and after a map, their histograms (methods, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BINS = 200
ALL_PAIRS_UP_TO = 5_000
SAMPLED_PAIRS = 5_000_000


@dataclass(frozen=True)
class RowPairs:
    """Pairs of distinct rows `(i, j)`, sorted by i; `starts[i]` is where those of row i begin."""

    i: Tensor
    j: Tensor
    starts: np.ndarray

    @classmethod
    def of(cls, n: int, seed: int) -> RowPairs:
        """All i < j up to 5 000 rows, 5 000 000 seeded pairs above."""
        if n <= ALL_PAIRS_UP_TO:
            i, j = np.triu_indices(n, k=1)
        else:
            generator = np.random.default_rng(seed)
            i = generator.integers(0, n, SAMPLED_PAIRS)
            j = generator.integers(0, n - 1, SAMPLED_PAIRS)
            j += j >= i
            order = np.argsort(i, kind="stable")
            i, j = i[order], j[order]
        starts = np.searchsorted(i, np.arange(n + 1))
        return cls(torch.from_numpy(i), torch.from_numpy(j), starts)

    def __len__(self) -> int:
        return self.i.shape[0]


class PairCosines:
    """Collects the cosines of `pairs` from the blocks that a neighbour search passes by."""

    def __init__(self, pairs: RowPairs):
        self.pairs = pairs
        self.values = torch.empty(len(pairs), dtype=torch.float32)

    def visit(self, start: int, cosines: Tensor) -> None:
        """Read the pairs whose first row lies in this block of rows."""
        stop = start + cosines.shape[0]
        span = slice(self.pairs.starts[start], self.pairs.starts[stop])
        i, j = (index[span].to(cosines.device) for index in (self.pairs.i, self.pairs.j))
        self.values[span] = cosines[i - start, j].cpu()


def correlation(sums: Tensor) -> Tensor:
    """Pearson correlation from `(..., 6)` sums of 1, a, b, a a, b b, a b (a and b already shifted near 0)."""
    n, a, b, aa, bb, ab = sums.unbind(-1)
    covariance = ab - a * b / n
    spread = (aa - a * a / n) * (bb - b * b / n)
    return covariance / spread.sqrt()


def bin_of(cosines: Tensor) -> Tensor:
    """Index of the histogram bin of each cosine: 200 equal bins on [-1, 1], clipped, the last closed."""
    return ((cosines.double() + 1) * (BINS / 2)).floor().clamp_(0, BINS - 1).to(torch.int64)


def jensen_shannon(counts_a: Tensor, counts_b: Tensor) -> Tensor:
    """Jensen-Shannon divergence, base 2, of histograms `(..., bins)` given as counts; 0..1."""
    a = counts_a.double() / counts_a.sum(-1, keepdim=True)
    b = counts_b.double() / counts_b.sum(-1, keepdim=True)
    entropy = torch.special.entr((a + b) / 2) - (torch.special.entr(a) + torch.special.entr(b)) / 2
    return (entropy.sum(-1) / np.log(2)).clamp_min(0)
