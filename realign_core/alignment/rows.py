"""How rows are given: arrays, tensors and re-iterables of blocks, checked before they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.load.batches import Batches, iterate
from realign_core.moments import as_tensor
from realign_core.validation import UnusableInput

Mapper = Callable[[Tensor, Tensor], None]
"""Writes the mapped rows of a block `(n, d)` to a place of the same shape and type; called in order."""


@dataclass
class InOrder:
    """A map that goes over the parts of a set once, first to last, so that noise is that of a row's place."""

    mapper: Mapper
    name: str
    dim: int
    pass_over: Callable[[Mapper, int], None]

    def map(self, rows: Any) -> Iterator[Any]:
        """The next rows mapped, block by block."""
        return map_blocks(rows, self.mapper, self.name, self.dim)

    def skip(self, rows: Any) -> None:
        """Go on behind the next rows without mapping them."""
        self.pass_over(self.mapper, len(rows))


def row_blocks(rows: Any, label: str) -> Iterator[Any]:
    """Blocks of rows that can be read more than once, as they are stored."""
    if isinstance(rows, Iterator):
        raise UnusableInput(
            f"{label} is an iterator, which can be read only once; give an array, Batches or a list of blocks"
        )
    if isinstance(rows, (np.ndarray, Tensor)) and rows.ndim != 2:
        raise UnusableInput(f"{label} rows must be a matrix (n, d); this has shape {tuple(rows.shape)}")
    if isinstance(rows, (str, bytes, dict)) or not hasattr(rows, "__iter__"):
        kind = type(rows).__name__
        raise UnusableInput(f"{label} is {kind}; give an array, a tensor, Batches or a list of blocks")
    return iterate(rows)


def block_tensor(rows: Any, label: str, name: str, dim: int | None = None) -> Tensor:
    """A block `(n, d)` as a floating tensor; `dim` is the dimension that method `name` was fitted with."""
    shape = tuple(getattr(rows, "shape", ()))
    if len(shape) != 2:
        raise UnusableInput(f"{label} rows must be a matrix (n, d); this has shape {shape}")
    if dim is not None and shape[1] != dim:
        raise UnusableInput(
            f"{label} rows have dimension {shape[1]} but {name} was fitted with {dim}; "
            "use embeddings of the same model"
        )
    if isinstance(rows, np.ndarray) and rows.dtype not in ("float16", "float32", "float64"):
        raise UnusableInput(f"{label} rows are {rows.dtype}; convert them to float16, float32 or float64")
    block = as_tensor(rows)
    if not block.is_floating_point():
        raise UnusableInput(f"{label} rows are {block.dtype}; convert them to a floating type")
    return block


def map_rows(rows: Any, mapper: Mapper, name: str, dim: int) -> Any:
    """All rows mapped, in the type, dtype and device given; `Batches` give a NumPy array."""
    result: Tensor | np.ndarray
    if isinstance(rows, Tensor):
        result = torch.empty_like(rows, memory_format=torch.contiguous_format)
    elif isinstance(rows, (np.ndarray, Batches)):
        # NumPy asks the system for large pages, so that a large result is first touched far faster.
        result = np.empty(rows.shape, "float32" if rows.dtype == "bfloat16" else rows.dtype)
    else:
        blocks = list(map_blocks(rows, mapper, name, dim))
        if not blocks:
            raise UnusableInput("there are no rows to map; give at least one block")
        return torch.cat(blocks) if isinstance(blocks[0], Tensor) else np.concatenate(blocks)
    start = 0
    for given in row_blocks(rows, "source"):
        block = block_tensor(given, "source", name, dim)
        mapper(block, as_tensor(result[start : start + len(block)]))
        start += len(block)
    return result


def map_blocks(rows: Any, mapper: Mapper, name: str, dim: int) -> Iterator[Any]:
    """Mapped rows block by block."""
    for given in row_blocks(rows, "source"):
        block = block_tensor(given, "source", name, dim)
        out = torch.empty_like(block, memory_format=torch.contiguous_format)
        mapper(block, out)
        yield out if isinstance(given, Tensor) else out.numpy()
