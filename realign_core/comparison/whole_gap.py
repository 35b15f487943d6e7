"""The in-sample gap of sets that are judged on a sample: means of all rows, read block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from realign_core.load import Batches
from realign_core.load.batches import BLOCK_ROWS, iterate
from realign_core.moments import as_tensor, float64_blocks


def mean_of(rows: Batches, *, normalize: bool, device: str) -> Tensor:
    """Mean `(d,)` of all rows, float64."""
    total: Tensor | None = None
    for block in float64_blocks(rows, normalize=normalize, device=device):
        part = block.sum(dim=0)
        total = part if total is None else total + part
    assert total is not None, "a set has rows"
    return total / len(rows)


class Wide:
    """The rows in float32, in which the rounding of half precision rows after the map does not show."""

    def __init__(self, rows: Batches, block_rows: int = BLOCK_ROWS):
        self._rows, self._block_rows = rows, block_rows

    def __iter__(self) -> Iterator[Tensor]:
        return (as_tensor(block).to(torch.float32) for block in iterate(self._rows, self._block_rows))


def mean_mapped(method: Any, rows: Batches) -> Tensor:
    """Mean `(d,)` of all source rows after the map, float64."""
    total: Tensor | None = None
    for block in method.transform_batches(Wide(rows)):
        part = as_tensor(block).to(torch.float64).sum(dim=0)
        total = part if total is None else total + part
    assert total is not None, "a set has rows"
    return total / len(rows)
