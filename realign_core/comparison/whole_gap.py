"""The in-sample gap of sets that are judged on a sample: means of all rows, read block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from realign_core.comparison.usefulness import UNTOUCHED
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.linalg import in_cache
from realign_core.load import Batches, EmbeddingPair
from realign_core.load.batches import BLOCK_ROWS, iterate
from realign_core.moments import as_tensor, float64_pieces, statistics_device


class WholeGap:
    """Centroid gaps of all target rows and all mapped source rows of a pair of sets.

    What a diagnosis of the same pair has gathered spares a pass over the target, and one over the source
    where it stays untouched.
    """

    def __init__(self, data: EmbeddingPair, device: str):
        self._data, self._device = data, device
        self._target: Tensor | None = None
        self._source: Tensor | None = None

    def know(self, statistics: PairStatistics) -> None:
        """Take the means of all rows from a diagnosis."""
        self._target, self._source = statistics.target.mean, statistics.source.mean

    def of(self, name: str, method: Any) -> float:
        """The gap that the fitted method of this name leaves."""
        if self._target is None:
            data = self._data
            self._target = mean_of(data.target, normalize=data.normalize, device=self._device)
        untouched = name == UNTOUCHED and method.normalize == self._data.normalize
        mapped = self._source if untouched else None
        mapped = mean_mapped(method, self._data.source) if mapped is None else mapped
        return float(torch.linalg.vector_norm(self._target - mapped.to(self._target.device)))


def mean_of(rows: Batches, *, normalize: bool, device: str) -> Tensor:
    """Mean `(d,)` of all rows, float64."""
    where = statistics_device(rows, device)
    total, row = torch.zeros(rows.shape[1], dtype=torch.float64, device=where), 0
    for block in iterate(rows):
        for piece in float64_pieces(block, row, normalize=normalize, where=where):
            total += piece.sum(dim=0)
        row += len(block)
    return total / len(rows)


class Wide:
    """The rows in float32, in which the rounding of half precision rows after the map does not show."""

    def __init__(self, rows: Batches, block_rows: int = BLOCK_ROWS):
        self._rows, self._block_rows = rows, block_rows

    def __iter__(self) -> Iterator[Tensor]:
        return (as_tensor(block).to(torch.float32) for block in iterate(self._rows, self._block_rows))


def mean_mapped(method: Any, rows: Batches) -> Tensor:
    """Mean `(d,)` of all source rows after the map, float64."""
    total = torch.zeros((), dtype=torch.float64)
    for block in method.transform_batches(Wide(rows)):
        for piece in in_cache(as_tensor(block)):
            total = total.to(piece.device) + piece.to(torch.float64).sum(dim=0)
    return total / len(rows)
