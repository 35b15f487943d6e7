"""Mapped rows into a file, block by block."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from realign_core.load import Batches, write_rows
from realign_core.validation import UnusableInput

WITH_IDS = (".npz", ".parquet", ".pkl")


def write_mapped(path: str | os.PathLike, method: Any, rows: Batches, ids: Any = None) -> None:
    """Map source rows with a fitted method and write them as the suffix of `path` says, whole or not at all.

    Types stay as stored, but for bfloat16, which only .safetensors holds; `ids` go where the format has room
    for them. Raises `UnusableInput` where the file cannot be written or a row has no finite image.
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    streamed = hasattr(method, "transform_batches")
    write_rows(
        path,
        _finite(method.transform_batches(rows) if streamed else [method.transform(rows[:])]),
        n=rows.shape[0],
        dim=rows.shape[1],
        dtype=_output_type(rows.dtype, suffix),
        ids=ids if suffix in WITH_IDS else None,
    )


def _finite(blocks: Iterable[Any]) -> Iterator[Any]:
    """The blocks as they come; raises `UnusableInput` at a mapped row that no reader would take."""
    start = 0
    for block in blocks:
        usable = torch.isfinite(torch.as_tensor(block)).all(dim=1)
        if not bool(usable.all()):
            row = start + int((~usable).nonzero()[0])
            raise UnusableInput(
                f"row {row} is not finite after the map, so nothing was written; change the method's "
                "settings, or leave out --no-normalize"
            )
        start += len(block)
        yield block


def _output_type(stored: str, suffix: str) -> str:
    return stored if stored != "bfloat16" or suffix == ".safetensors" else "float32"
