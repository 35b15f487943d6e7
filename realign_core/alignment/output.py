"""Mapped rows into a file, or into the shards of a folder, block by block."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from realign_core.alignment.base import Aligner
from realign_core.alignment.registry import traits
from realign_core.checkpoint import tell
from realign_core.load import Batches, write_rows
from realign_core.load.filed import cut, files_of
from realign_core.validation import UnusableInput

WITH_IDS = (".npz", ".parquet", ".pkl")
SHARD_ROWS = 100_000
"""Rows of a shard where the source has no shards of its own."""


def write_mapped(path: str | os.PathLike, method: Any, rows: Batches, ids: Any = None) -> None:
    """Map source rows with a fitted method and write them as the suffix of `path` says, whole or not at all.

    Types stay as stored, but for bfloat16, which only .safetensors holds; `ids` go where the format has room
    for them. Raises `UnusableInput` where the file cannot be written or a row has no finite image.
    """
    streamed = hasattr(method, "transform_batches")
    blocks = method.transform_batches(rows) if streamed else [method.transform(rows[:])]
    _write(path, blocks, rows, ids, 0)


def write_shards(
    folder: str | os.PathLike,
    method: Any,
    rows: Batches,
    ids: Any = None,
    *,
    shard_rows: int | None = None,
    suffix: str = ".npy",
) -> int:
    """Map source rows into the shards of a folder (`shards_of`); the number of shards.

    Each is written whole or not at all, and one that is there already is left as it is. Types, ids and errors
    are as for `write_mapped`.
    """
    shards = shards_of(rows, shard_rows)
    mapping = method.in_order() if depends_on_order(method) else None
    for number, (name, start, end) in enumerate(shards, start=1):
        path, part = os.path.join(folder, name + suffix), cut(rows, start, end)
        if is_written(path, part):
            if mapping:
                mapping.skip(part)
            continue
        tell(f"shard {number} of {len(shards)}")
        blocks = mapping.map(part) if mapping else method.transform_batches(part)
        _write(path, blocks, part, None if ids is None else ids[start:end], start)
    return len(shards)


def depends_on_order(method: Any) -> bool:
    """Whether what a row is mapped to may depend on the rows before it."""
    kind = traits(method)
    return kind.adds_noise or kind.copies_target or not isinstance(method, Aligner)


def is_written(path: str, rows: Batches) -> bool:
    """Whether a shard of these rows is there; of `.npy` also whether it has their shape and type."""
    if not path.endswith(".npy"):
        return os.path.exists(path)
    with suppress(OSError, ValueError, EOFError):
        there = np.load(path, mmap_mode="r")
        return there.shape == rows.shape and there.dtype == _output_type(rows.dtype, ".npy")
    return False


def shards_of(rows: Batches, shard_rows: int | None = None) -> list[tuple[str, int, int]]:
    """Name without a suffix, first and last row (excluded) of each shard that mapped rows are written to.

    A folder's shards keep their names, and those of which no row is used give none. Other sets, and all
    where `shard_rows` is given, are cut after so many rows into `00000`, `00001`, …
    """
    n, step = len(rows), shard_rows or SHARD_ROWS
    files = files_of(rows.source) or []
    stems = [os.path.splitext(os.path.basename(file.path))[0] for _, file in files]
    ascending = rows.keep is None or bool(np.all(np.diff(rows.keep) > 0))
    if shard_rows is not None or len(files) < 2 or not ascending or len(set(stems)) < len(stems):
        starts = range(0, n, step)
        return [(f"{number:05d}", low, min(low + step, n)) for number, low in enumerate(starts)]
    ends = np.array([first + file.shape[0] for first, file in files])
    ends = ends if rows.keep is None else np.searchsorted(rows.keep, ends)
    return [(stem, int(low), int(high)) for stem, low, high in zip(stems, [0, *ends], ends) if high > low]


def _write(path: str | os.PathLike, blocks: Iterable[Any], rows: Batches, ids: Any, first_row: int) -> None:
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    write_rows(
        path,
        _finite(blocks, first_row),
        n=rows.shape[0],
        dim=rows.shape[1],
        dtype=_output_type(rows.dtype, suffix),
        ids=ids if suffix in WITH_IDS else None,
    )


def _finite(blocks: Iterable[Any], start: int) -> Iterator[Any]:
    """The blocks as they come; raises `UnusableInput` at a mapped row that no reader would take."""
    for block in blocks:
        mapped = torch.as_tensor(block)
        # The extremes tell of a fault anywhere, and cost a thirtieth of a look at each number.
        if mapped.numel() and not all(map(math.isfinite, map(float, mapped.aminmax()))):
            usable = torch.isfinite(mapped).all(dim=1)
            row = start + int((~usable).nonzero()[0])
            raise UnusableInput(
                f"row {row} is not finite after the map, so its file was not written; change the method's "
                "settings, or leave out --no-normalize"
            )
        start += len(block)
        yield block


def _output_type(stored: str, suffix: str) -> str:
    return stored if stored != "bfloat16" or suffix == ".safetensors" else "float32"
