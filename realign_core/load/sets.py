"""Writing two sets of rows into one file, with the columns beside them and their provenance."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO

import numpy as np

from realign_core.load.atomic import atomic_file, unwritable
from realign_core.load.provenance import METADATA_KEY
from realign_core.load.writing import SAFETENSORS_NAMES, check_writable, npy_header, write_behind
from realign_core.validation import check_choice

Sets = Mapping[str, Iterable[np.ndarray]]
Columns = Mapping[str, Sequence[Any]]
# The keys that readers know, where a column's own name is another.
NPZ_NAMES = {"caption": "captions", "label": "labels", "image_path": "image_paths"}


def write_sets(
    path: str | os.PathLike,
    sets: Sets,
    *,
    n: int,
    dim: int,
    dtype: str = "float32",
    columns: Columns,
    provenance: Mapping[str, Any],
) -> tuple[str, ...]:
    """Write `(n, dim)` sets by name, each a re-iterable of blocks, whole or not at all.

    `columns` hold n texts (or None) each. Returns the names of those that the format has no room for. Raises
    UnusableInput for what cannot be written, ValueError for blocks and columns that are not of n rows.
    """
    check_writable(path, suffixes=tuple(SETS_WRITERS))
    check_choice("dtype", dtype, ("float16", "float32", "float64"))
    if any(len(values) != n for values in columns.values()):
        raise ValueError("a column has another number of rows than the sets")
    text = json.dumps(provenance, ensure_ascii=False)
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    checked = {name: _Checked(blocks, (n, dim), dtype) for name, blocks in sets.items()}
    try:
        with atomic_file(path) as file:
            return SETS_WRITERS[suffix](file, checked, (n, dim), dtype, columns, text)
    except OSError as error:
        raise unwritable(path, error) from error


class _Checked:
    """The blocks in the stored type; ValueError where they are not (n, dim)."""

    def __init__(self, blocks: Iterable[np.ndarray], shape: tuple[int, int], dtype: str):
        self.blocks, self.shape, self.dtype = blocks, shape, dtype

    def __iter__(self) -> Iterator[np.ndarray]:
        done = 0
        for block in self.blocks:
            if block.ndim != 2 or block.shape[1] != self.shape[1]:
                raise ValueError(f"a block has shape {block.shape}, rows are {self.shape}")
            done += len(block)
            yield np.ascontiguousarray(block, dtype=self.dtype)
        if done != self.shape[0]:
            raise ValueError(f"{done} rows came, {self.shape[0]} were declared")


def _write_npz(
    file: BinaryIO, sets: Sets, shape: tuple[int, int], dtype: str, columns: Columns, text: str
) -> tuple[str, ...]:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, blocks in sets.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy_header(member, shape, dtype)
                for block in blocks:
                    member.write(block.tobytes())
        beside = {
            NPZ_NAMES.get(name, name): [value or "" for value in values] for name, values in columns.items()
        }
        for name, values in {**beside, METADATA_KEY: text}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.array(values), allow_pickle=False)
    return ()


def _write_safetensors(
    file: BinaryIO, sets: Sets, shape: tuple[int, int], dtype: str, columns: Columns, text: str
) -> tuple[str, ...]:
    size = shape[0] * shape[1] * np.dtype(dtype).itemsize
    header: dict[str, Any] = {"__metadata__": {METADATA_KEY: text}}
    for index, name in enumerate(sets):
        place = [index * size, (index + 1) * size]
        header[name] = {"dtype": SAFETENSORS_NAMES[dtype], "shape": list(shape), "data_offsets": place}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    file.write(len(head).to_bytes(8, "little") + head)
    write_behind(file, chain.from_iterable(sets.values()))
    return tuple(columns)


def _write_parquet(
    file: BinaryIO, sets: Sets, shape: tuple[int, int], dtype: str, columns: Columns, text: str
) -> tuple[str, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    width = shape[1]
    fields = [pa.field(name, pa.list_(pa.from_numpy_dtype(np.dtype(dtype)), width)) for name in sets]
    fields += [pa.field(name, pa.string()) for name in columns]
    schema = pa.schema(fields, metadata={METADATA_KEY: text})
    start = 0
    with pq.ParquetWriter(file, schema, use_dictionary=list(columns)) as writer:
        for blocks in zip(*sets.values(), strict=True):
            if len({len(block) for block in blocks}) > 1:
                raise ValueError("the blocks of the sets differ in length")
            rows = [pa.FixedSizeListArray.from_arrays(pa.array(block.reshape(-1)), width) for block in blocks]
            stop = start + len(blocks[0])
            beside = [pa.array(values[start:stop], pa.string()) for values in columns.values()]
            writer.write_batch(pa.record_batch([*rows, *beside], schema=schema))
            start = stop
    return ()


SETS_WRITERS: dict[str, Callable[..., tuple[str, ...]]] = {
    ".parquet": _write_parquet,
    ".npz": _write_npz,
    ".safetensors": _write_safetensors,
}
