"""Writing rows, block by block, in each output format."""

from __future__ import annotations

import json
import os
import pickle
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np

from realign_core.load.arrays import FLOATS, to_numpy
from realign_core.load.atomic import atomic_file, check_path, unwritable
from realign_core.load.batches import iterate
from realign_core.validation import UnusableInput, check_choice

KEY = "embeddings"
CHUNK_ROWS = 8192
SAFETENSORS_NAMES = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64"}


def check_writable(path: str | os.PathLike, *, suffixes: Sequence[str] | None = None) -> None:
    """Raise UnusableInput unless rows can be written at `path`; `suffixes` are those of other outputs."""
    check_path(path, tuple(WRITERS) if suffixes is None else suffixes)


def write_rows(
    path: str | os.PathLike,
    rows: Any,
    *,
    n: int,
    dim: int,
    dtype: str = "float32",
    ids: Sequence | np.ndarray | None = None,
) -> None:
    """Write `(n, dim)` rows (an array, a tensor or blocks) as the suffix of `path` says, whole or not at all.

    `dtype` is float16, float32 or float64, or bfloat16 in .safetensors. `ids`, n of them, go into .npz,
    .parquet and .pkl; .npy and .safetensors hold rows alone. Memory is one block, but for .pkl, which is
    built whole. Raises UnusableInput for what cannot be written, ValueError for blocks that are not (n, dim).
    """
    check_writable(path)
    check_choice("dtype", dtype, FLOATS)
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if dtype == "bfloat16" and suffix != ".safetensors":
        raise UnusableInput(f"{os.fspath(path)} cannot hold bfloat16; write .safetensors, or float32")
    if ids is not None and len(ids) != n:
        raise ValueError(f"{len(ids)} ids for {n} rows")
    blocks = _blocks(rows, n, dim, dtype)
    try:
        with atomic_file(path) as file:
            WRITERS[suffix](file, blocks, (n, dim), dtype, ids)
    except OSError as error:
        raise unwritable(path, error) from error


def _blocks(rows: Any, n: int, dim: int, dtype: str) -> Iterator[np.ndarray]:
    done = 0
    for block in iterate(rows):
        block = to_numpy(block)
        if block.ndim != 2 or block.shape[1] != dim:
            raise ValueError(f"a block has shape {block.shape}, rows are ({n}, {dim})")
        done += len(block)
        yield _narrow_bfloat16(block) if dtype == "bfloat16" else np.ascontiguousarray(block, dtype=dtype)
    if done != n:
        raise ValueError(f"{done} rows came, {n} were declared")


def _narrow_bfloat16(block: np.ndarray) -> np.ndarray:
    """The 16 bits of each number as bfloat16, rounded to nearest even; NaN stays NaN."""
    bits = np.ascontiguousarray(block, dtype=np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(block), 0x7FC0, rounded).astype(np.uint16)


def npy_header(file: Any, shape: tuple[int, int], dtype: str) -> None:
    """The header of a `.npy` file whose rows follow."""
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})


def _write_npy(
    file: BinaryIO, blocks: Iterator[np.ndarray], shape: tuple[int, int], dtype: str, ids: Any
) -> None:
    npy_header(file, shape, dtype)
    write_behind(file, blocks)


def write_behind(file: BinaryIO, blocks: Iterable[np.ndarray]) -> None:
    """Write the bytes of each block, and have them on the disk, while the next one is made."""
    with ThreadPoolExecutor(1, "write behind") as writer:
        written: Future[None] | None = None
        # A block is copied, as whoever made it may use its memory for the next.
        spare, busy = bytearray(), bytearray()
        for block in blocks:
            if len(spare) < block.nbytes:
                spare = bytearray(block.nbytes)
            data = memoryview(spare)[: block.nbytes]
            np.copyto(np.frombuffer(data, block.dtype).reshape(block.shape), block)
            if written is not None:
                written.result()
            written = writer.submit(_put, file, data)
            spare, busy = busy, spare
        if written is not None:
            written.result()


def _put(file: BinaryIO, data: memoryview) -> None:
    file.write(data)
    file.flush()
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        os.fsync(file.fileno())


def _write_npz(
    file: BinaryIO, blocks: Iterator[np.ndarray], shape: tuple[int, int], dtype: str, ids: Any
) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(f"{KEY}.npy", "w", force_zip64=True) as member:
            npy_header(member, shape, dtype)
            for block in blocks:
                member.write(block.tobytes())
        if ids is not None:
            with archive.open("ids.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, plain_ids(ids), allow_pickle=False)


def _write_safetensors(
    file: BinaryIO, blocks: Iterator[np.ndarray], shape: tuple[int, int], dtype: str, ids: Any
) -> None:
    size = shape[0] * shape[1] * (2 if dtype == "bfloat16" else np.dtype(dtype).itemsize)
    entry = {"dtype": SAFETENSORS_NAMES[dtype], "shape": list(shape), "data_offsets": [0, size]}
    header = json.dumps({KEY: entry}).encode()
    header += b" " * (-len(header) % 8)
    file.write(len(header).to_bytes(8, "little") + header)
    write_behind(file, blocks)


def _write_parquet(
    file: BinaryIO, blocks: Iterator[np.ndarray], shape: tuple[int, int], dtype: str, ids: Any
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    width = shape[1]
    fields = [pa.field("embedding", pa.list_(pa.from_numpy_dtype(np.dtype(dtype)), width))]
    labels = None if ids is None else pa.array(plain_ids(ids).tolist())
    if labels is not None:
        fields.insert(0, pa.field("id", labels.type))
    start = 0
    with pq.ParquetWriter(file, pa.schema(fields), use_dictionary=False) as writer:
        for block in blocks:
            columns = [pa.FixedSizeListArray.from_arrays(pa.array(block.reshape(-1)), width)]
            if labels is not None:
                columns.insert(0, labels.slice(start, len(block)))
            start += len(block)
            writer.write_batch(pa.record_batch(columns, schema=pa.schema(fields)))


def _write_pickle(
    file: BinaryIO, blocks: Iterator[np.ndarray], shape: tuple[int, int], dtype: str, ids: Any
) -> None:
    names = range(shape[0]) if ids is None else plain_ids(ids).tolist()
    rows = (row for block in blocks for row in block)
    records = [{"id": name, "embed": row.copy()} for name, row in zip(names, rows, strict=False)]
    if next(blocks, None) is not None or len(records) != shape[0]:
        raise ValueError(f"{len(records)} rows came, {shape[0]} were declared")
    pickle.dump(records, file, protocol=4)


def plain_ids(ids: Sequence | np.ndarray) -> np.ndarray:
    """Ids as an array of whole numbers or of text."""
    array = np.asarray(ids)
    return array if array.dtype.kind in "iuU" else np.asarray([str(value) for value in ids])


WRITERS: dict[str, Callable[..., None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    ".safetensors": _write_safetensors,
    ".parquet": _write_parquet,
    ".pkl": _write_pickle,
}
