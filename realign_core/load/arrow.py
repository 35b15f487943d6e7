"""`.parquet`, `.arrow` and `.feather`: a list column, or one numeric column a dimension, read in order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from realign_core.load.batches import BLOCK_ROWS, RowSource
from realign_core.load.members import Contents, Member, Sidecar
from realign_core.load.places import is_url, suffix_of
from realign_core.load.provenance import METADATA_KEY, parsed
from realign_core.load.sidecars import chosen_names
from realign_core.load.spool import SpooledRows
from realign_core.load.wide import wide_sets
from realign_core.validation import UnusableInput

FEW_COLUMNS = 8

Batches = partial[Iterator[Any]]


def contents(path: str) -> Contents:
    """The embedding columns of a table, by name."""
    if suffix_of(path) == ".parquet":
        schema, n, batches = _parquet(path)
    else:
        schema, n, batches = _arrow(path)
    if n == 0:
        raise UnusableInput(f"{path} has no rows")
    members = [_list_member(path, field, n, batches) for field in schema if _is_list(field.type)]
    numeric = [field.name for field in schema if _number_type(field.type) is not None]
    for key, columns in wide_sets(numeric).items():
        members.append(_wide_member(path, key, columns, schema, n, batches))
    plain = [field.name for field in schema if not _is_list(field.type)]

    def sidecar() -> Sidecar:
        chosen = chosen_names(plain)
        parts: dict[str, list] = {field: [] for field in chosen}
        for batch in batches(sorted(set(chosen.values()))):
            for field, name in chosen.items():
                parts[field].extend(batch.column(name).to_pylist())
        return Sidecar(**parts)

    def provenance() -> dict[str, Any] | None:
        return parsed((schema.metadata or {}).get(METADATA_KEY.encode()))

    kind = "parquet" if batches.func is _parquet_batches else "arrow"
    there = ", ".join(f"{field.name} ({str(field.type)[:40]})" for field in list(schema)[:8])
    lacking = (
        f"has no column that holds a list of numbers a row, and no numeric column a dimension: {there}; "
        "write one of these"
    )
    return Contents(path, kind, tuple(members), sidecar, lacking, provenance)


def names_of(path: str) -> list[str]:
    """The columns' names."""
    schema, _, _ = _parquet(path) if suffix_of(path) == ".parquet" else _arrow(path)
    return schema.names


def _parquet(path: str) -> tuple[Any, int, Batches]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(_readable(path)) as file:
        return file.schema_arrow, file.metadata.num_rows, partial(_parquet_batches, path, file.metadata)


def _readable(path: str) -> Any:
    """What pyarrow opens: the path, or of a URL a file that fetches what it is asked for."""
    if not is_url(path):
        return path
    from realign_core.load.remote import RangeFile

    return RangeFile(path)


def _parquet_batches(path: str, footer: Any, columns: list[str]) -> Iterator[Any]:
    import pyarrow.parquet as pq

    # A request to a store costs more than a read of a disk; the buffer is one for each column.
    buffer = 1 << 23 if is_url(path) and len(columns) <= FEW_COLUMNS else 1 << 20
    with pq.ParquetFile(_readable(path), metadata=footer, buffer_size=buffer, pre_buffer=False) as file:
        yield from file.iter_batches(BLOCK_ROWS, columns=columns)


def _arrow(path: str) -> tuple[Any, int, Batches]:
    schema, n = None, 0
    for batch in _arrow_batches(path, None):
        schema = batch.schema
        n += batch.num_rows
    if schema is None:
        raise UnusableInput(f"{path} has no rows")
    return schema, n, partial(_arrow_batches, path)


def _arrow_batches(path: str, columns: list[str] | None) -> Iterator[Any]:
    import pyarrow as pa

    with pa.memory_map(path) as source:
        try:
            file = pa.ipc.open_file(source)
            batches = (file.get_batch(index) for index in range(file.num_record_batches))
        except pa.ArrowInvalid:
            source.seek(0)
            batches = iter(pa.ipc.open_stream(source))
        for batch in batches:
            # Offsets and validity of a damaged file are not checked by reading it.
            batch.validate(full=True)
            yield batch if columns is None else batch.select(columns)


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _number_type(kind: Any) -> np.dtype | None:
    import pyarrow as pa

    return np.dtype(kind.to_pandas_dtype()) if pa.types.is_floating(kind) else None


def _list_member(path: str, field: Any, n: int, batches: Batches) -> Member:
    import pyarrow as pa

    name, dtype = f"{path}:{field.name}", _number_type(field.type.value_type)
    if dtype is None:
        inner = field.type.value_type
        kind = "i" if pa.types.is_integer(inner) else "U" if pa.types.is_string(inner) else "O"
        return Member(field.name, (n, _first_width(field, batches)), str(inner), _no_rows, kind)
    width = field.type.list_size if pa.types.is_fixed_size_list(field.type) else _first_width(field, batches)

    def blocks() -> Iterator[np.ndarray]:
        start = 0
        for batch in batches([field.name]):
            yield _list_rows(name, batch.column(0), width, dtype, start)
            start += batch.num_rows

    def rows(part: int | None) -> RowSource:
        return SpooledRows(name, (n, width), dtype, blocks)

    return Member(field.name, (n, width), dtype.name, rows)


def _first_width(field: Any, batches: Batches) -> int:
    for batch in batches([field.name]):
        column = batch.column(0)
        for value in column[: min(len(column), 1000)]:
            if value.is_valid:
                return len(value)
    return 0


def _list_rows(name: str, column: Any, width: int, dtype: np.dtype, start: int) -> np.ndarray:
    """A list column as rows; a missing list becomes a row of NaN, which is counted as a bad row later."""
    lengths = (
        np.asarray(column.value_lengths().fill_null(width), dtype=np.int64) if len(column) else np.empty(0)
    )
    odd = np.flatnonzero(lengths != width)
    if len(odd):
        raise UnusableInput(
            f"{name}: row {start + odd[0]} has dimension {lengths[odd[0]]}, the first row has {width}; "
            "every row needs the same dimension"
        )
    values = column.flatten().to_numpy(zero_copy_only=False)
    if not column.null_count:
        return values.reshape(len(column), width)
    rows = np.full((len(column), width), np.nan, dtype)
    rows[np.asarray(column.is_valid())] = values.reshape(-1, width)
    return rows


def _wide_member(
    path: str, key: str | None, columns: list[str], schema: Any, n: int, batches: Batches
) -> Member:
    name = path if key is None else f"{path}:{key}"
    dtype = np.result_type(*(_number_type(schema.field(column).type) for column in columns))

    def blocks() -> Iterator[np.ndarray]:
        for batch in batches(columns):
            rows = np.empty((batch.num_rows, len(columns)), dtype)
            for index, column in enumerate(columns):
                rows[:, index] = batch.column(column).to_numpy(zero_copy_only=False)
            yield rows

    def rows(part: int | None) -> RowSource:
        return SpooledRows(name, (n, len(columns)), dtype, blocks)

    return Member(key, (n, len(columns)), dtype.name, rows)


def _no_rows(part: int | None) -> RowSource:
    raise UnusableInput("this column holds no floating-point numbers")
