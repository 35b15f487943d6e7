"""Neighbour scores of a few source rows, the queries, against all rows of sets that are judged on a sample.

Retention among ten thousand rows is not that among a million, whose neighbourhoods are tighter. Here each
query's neighbours are sought among all rows, block by block, so the scores are those of the whole sets but
for the choice of the queries, which the interval covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core import alignment
from realign_core.comparison.evaluation import K
from realign_core.comparison.scoring import RECALLS
from realign_core.comparison.whole_gap import Wide
from realign_core.load import EmbeddingPair
from realign_core.load.passes import Arrays, total
from realign_core.load.strata import Strata
from realign_core.moments import as_tensor, float64_block, statistics_device

BLOCK_ROWS = 4096
RESAMPLES = 1000


@dataclass(frozen=True)
class AllRowsScore:
    """Mean over the queries and its 95 % interval over which rows the queries are."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Nearest:
    """The `k` largest cosines `(q, k)` of each query so far, the numbers of those rows, and how many rows
    were closer than a given cosine `(q,)`."""

    k: int
    cosines: Tensor
    rows: Tensor
    closer: Tensor

    def merge(self, other: Nearest) -> Nearest:
        """Of both sets of rows together; which of equal cosines stay is left open."""
        cosines = torch.cat([self.cosines, other.cosines], dim=1)
        rows = torch.cat([self.rows, other.rows], dim=1)
        best = cosines.sort(dim=1, descending=True, stable=True).indices[:, : self.k]
        closer = self.closer + other.closer
        return Nearest(self.k, cosines.gather(1, best), rows.gather(1, best), closer)

    def arrays(self) -> Arrays:
        """All fields by name."""
        tensors = {name: getattr(self, name).cpu().numpy() for name in ("cosines", "rows", "closer")}
        return {"k": np.array(self.k), **tensors}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Nearest:
        """Undoes `arrays`, on the CPU."""
        tensors = (torch.from_numpy(arrays[name]) for name in ("cosines", "rows", "closer"))
        return cls(int(arrays["k"]), *tensors)


def nearest_of_block(
    first_row: int,
    block: Any,
    *,
    queries: Tensor,
    k: int,
    own: Tensor | None = None,
    than: Tensor | None = None,
    groups: tuple[Tensor, Tensor] | None = None,
) -> Nearest:
    """`Nearest` of a block of rows to unit queries `(q, d)` float32.

    `own` `(q,)` are the queries' own row numbers, which are no neighbours. Rows whose cosine is above `than`
    `(q,)` are closer, unless they are of the query's group: `groups` are those of all rows and of the
    queries.
    """
    rows = float64_block(block, first_row, normalize=True, where=queries.device).float()
    cosines = queries @ rows.mT
    closer = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
    if than is not None and groups is not None:
        others = groups[0][first_row : first_row + len(rows)] != groups[1][:, None]
        closer = ((cosines > than[:, None]) & others).sum(dim=1)
    if own is not None:
        here = (own >= first_row) & (own < first_row + len(rows))
        cosines[here, own[here] - first_row] = -torch.inf
    best = cosines.topk(min(k, len(rows)), dim=1)
    return Nearest(k, best.values, best.indices + first_row, closer)


class AllRows:
    """The queries of one pair of sets and what they read before any map; `scores` is of a fitted method."""

    def __init__(
        self,
        data: EmbeddingPair,
        strata: Strata,
        *,
        queries: int,
        k: int,
        seed: int = 0,
        device: str = "auto",
    ):
        self.data, self.k, self.seed = data, k, seed
        self.where = statistics_device(None, device)
        everything = np.arange(len(data.source))
        self.queries = strata.sample(everything, queries, np.random.default_rng((seed, 6)))
        self.own = torch.from_numpy(self.queries).to(self.where)

    def scores(self, method: Any) -> dict[str, AllRowsScore]:
        """`retention`, `omega`, `mixing_source` and, for pairs, `recall_at_K` (methods, section 5).

        `method` is fitted on all rows. Reads the source once, the target once, and the source once more
        where the method draws noise.
        """
        mapped = self._mapped_queries(method)
        after: Nearest | None = None
        first = 0
        for block in method.transform_batches(Wide(self.data.source, BLOCK_ROWS)):
            part = nearest_of_block(first, block, queries=mapped, k=self._width, own=self.own)
            after = part if after is None else after.merge(part)
            first += len(block)
        assert after is not None, "the source has rows"
        values = {
            "retention": _kept(self._before, after, self.k),
            "omega": _kept(self._before, after, K),
            **self._reached(mapped, after),
        }
        return {name: self._with_interval(value) for name, value in values.items()}

    @property
    def _width(self) -> int:
        return max(self.k, K)

    @cached_property
    def _before(self) -> Nearest:
        """The source's own neighbours of the queries."""
        queries = self._unit(self.data.source.take(self.queries))
        part = partial(nearest_of_block, queries=queries, k=self._width, own=self.own)
        return self._all("neighbours of the source", self.data.source, part)

    def _all(self, name: str, rows: Any, part: Any) -> Nearest:
        found = total(name, (rows,), part, Nearest, where=self.where, block_rows=BLOCK_ROWS)
        assert found is not None, "the sets have rows"
        return found

    def _reached(self, mapped: Tensor, after: Nearest) -> dict[str, Tensor]:
        """Mixing of the mapped queries and, for pairs, whether their partner is found, a value a query."""
        options: dict[str, Any] = {"queries": mapped, "k": K}
        if self.data.paired:
            partners = self._unit(self.data.target.take(self.queries))
            groups = self.data.groups
            assert groups is not None, "pairs have groups"
            all_groups = torch.from_numpy(groups).to(self.where)
            options["than"] = (mapped * partners).sum(dim=1)
            options["groups"] = (all_groups, all_groups[self.own])
        found = self._all("targets of the mapped", self.data.target, partial(nearest_of_block, **options))
        among = after.cosines[:, :K]
        order = torch.cat([among, found.cosines], dim=1).sort(dim=1, descending=True, stable=True).indices
        foreign = order[:, :K] >= among.shape[1]
        values = {"mixing_source": foreign.double().mean(dim=1)}
        if self.data.paired:
            values |= {f"recall_at_{rank}": (found.closer < rank).double() for rank in RECALLS}
        return values

    def _mapped_queries(self, method: Any) -> Tensor:
        """The queries after the map, unit rows; noise is that of their place in the set."""
        if not alignment.traits(method).adds_noise:
            given = as_tensor(self.data.source.take(self.queries)).to(torch.float32)
            return self._unit(method.transform(given))
        taken, first = [], 0
        for block in method.transform_batches(Wide(self.data.source, BLOCK_ROWS)):
            here = self.queries[(self.queries >= first) & (self.queries < first + len(block))]
            taken.append(as_tensor(block)[torch.from_numpy(here - first)].clone())
            first += len(block)
        return self._unit(torch.cat(taken))

    def _unit(self, rows: Any) -> Tensor:
        return float64_block(rows, 0, normalize=True, where=self.where).float()

    def _with_interval(self, values: Tensor) -> AllRowsScore:
        """Percentile bootstrap over the queries; their strata make it wider than need be, if anything."""
        each = values.cpu().numpy()
        generator = np.random.default_rng((self.seed, 7))
        draws = (generator.integers(0, len(each), len(each)) for _ in range(RESAMPLES))
        means = np.fromiter((each[draw].mean() for draw in draws), np.float64, RESAMPLES)
        low, high = np.percentile(means, [2.5, 97.5])
        return AllRowsScore(float(each.mean()), float(low), float(high))


def _kept(before: Nearest, after: Nearest, k: int) -> Tensor:
    """Share of each query's k nearest rows that are still among them, `(q,)`."""
    same = before.rows[:, :k, None] == after.rows[:, None, :k]
    return same.any(dim=2).double().mean(dim=1)
