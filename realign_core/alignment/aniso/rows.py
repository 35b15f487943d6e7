"""The rows that networks are trained on, kept in an order of their own contents.

Batches drawn from that order do not depend on how the rows came, so that no order of the file, and with it
no pairing, can reach the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_MULTIPLIER = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed integer


def content_keys(rows: Tensor, seed: int) -> Tensor:
    """A number `(n,)` int64 for each row `(n, d)` that depends on its own bits and the seed alone."""
    # Rows that were only stored wider keep their order.
    bits = rows.float().contiguous().view(torch.int32).long()
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randint(-(2**62), 2**62, (rows.shape[1],), generator=generator) * 2 + 1
    keys = (bits * weights.to(bits.device)).sum(dim=1)
    for shift in (29, 32):
        keys = (keys ^ (keys >> shift)) * _MULTIPLIER
    return keys


@dataclass(frozen=True)
class Sample:
    """At most `limit` rows with the smallest keys, in the order of their keys, whatever came first."""

    rows: Tensor
    keys: Tensor

    @classmethod
    def of(cls, block: Tensor, limit: int, seed: int) -> Sample:
        """The sample of a block `(n, d)`."""
        return cls(block.detach(), content_keys(block.detach(), seed))._cut(limit)

    def merge(self, other: Sample, limit: int) -> Sample:
        """The sample of both."""
        both = Sample(torch.cat([self.rows, other.rows]), torch.cat([self.keys, other.keys]))
        return both._cut(limit)

    @property
    def distinct(self) -> int:
        """How many different rows there are."""
        return len(self.keys.unique())

    def _cut(self, limit: int) -> Sample:
        order = self.keys.argsort(stable=True)[:limit]
        return Sample(self.rows[order], self.keys[order])
