"""`.csv` and `.tsv`: numeric columns as dimensions, parsed by pyarrow in blocks of records.

Whatever pyarrow does not take is parsed once more by the standard library, which then has the last word: it
knows the row at fault, and takes what `float` takes.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from realign_core.load.batches import RowSource
from realign_core.load.header import MISSING, has_header, is_number, numeric_columns
from realign_core.load.members import Contents, Member, Sidecar
from realign_core.load.records import find_records, unreadable
from realign_core.load.sidecars import chosen_names
from realign_core.load.spool import SpooledRows
from realign_core.load.wide import wide_sets
from realign_core.validation import UnusableInput

BLOCK_BYTES = 1 << 24
SAMPLE_ROWS = 20
# Spellings of a missing number that pyarrow is told of.
SPELLINGS = ["NaN", *(form(word) for word in ("nan", *MISSING) for form in (str, str.upper, str.title))]


class Lines:
    """The rows of a delimited text file and the names of its columns, from the header where there is one."""

    def __init__(self, path: str):
        self.path = path
        self.delimiter = _delimiter(path)
        self.records = find_records(path, self.delimiter)
        self._state = _state(path)
        first = next(iter(self._parse(0, self._text(0, min(len(self.records), 1)))), [])
        if has_header(first, self._sample()):
            self.names = first
            self.records = self.records.below(1)
        else:
            self.names = [str(index) for index in range(len(first))]

    def __len__(self) -> int:
        return len(self.records)

    def texts(self) -> Iterator[tuple[int, int, bytes]]:
        """Range and UTF-8 text of each block of rows."""
        for start, stop in self.records.blocks(BLOCK_BYTES):
            yield start, stop, self._text(start, stop)

    def top(self) -> list[list[str]]:
        """The cells of the first few rows."""
        stop = min(len(self), SAMPLE_ROWS)
        return self.cells(0, self._text(0, stop))

    def _sample(self) -> list[list[str]]:
        """Some rows below the first line, or none where they are faulty: `top` then says which row is."""
        try:
            return self._parse(1, self._text(1, min(len(self.records), 1 + SAMPLE_ROWS)))
        except UnusableInput:
            return []

    def cells(self, start: int, text: bytes) -> list[list[str]]:
        """The cells of the rows from `start` on. Raises UnusableInput for rows of different lengths."""
        rows = self._parse(start, text)
        for row, cells in enumerate(rows, start):
            if len(cells) != len(self.names):
                raise UnusableInput(
                    f"{self.path}: row {row} has {len(cells)} columns, "
                    f"the first line has {len(self.names)}; every row needs the same columns"
                )
        return rows

    def _text(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        begin, end = int(self.records.starts[start]), int(self.records.stops[stop - 1])
        if _state(self.path) != self._state:
            raise UnusableInput(f"{self.path} changed while it was read; wait until it is written")
        with open(self.path, "rb") as file:
            file.seek(begin)
            text = file.read(end - begin)
        if b"\0" in text:
            raise UnusableInput(
                f"{self.path} is not text: row {start} or one soon after holds a zero byte; save it as UTF-8"
            )
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise UnusableInput(f"{self.path} is not UTF-8 text; save it in that encoding") from error
        return text

    def _parse(self, start: int, text: bytes) -> list[list[str]]:
        rows: list[list[str]] = []
        try:
            # Not by splitlines, which would end records where `find_records` does not.
            for cells in csv.reader(io.StringIO(text.decode(), "\n"), delimiter=self.delimiter):
                if cells:
                    rows.append(cells)
        except csv.Error as error:
            raise unreadable(self.path, f"row {start + len(rows)}", error) from error
        return rows


def contents(path: str) -> Contents:
    """The numeric columns of a table; which they are is read off its first rows."""
    lines = Lines(path)
    if not len(lines):
        raise UnusableInput(f"{path} has no rows below its header")
    if len(set(lines.names)) != len(lines.names):
        raise UnusableInput(f"{path} names a column twice; give every column its own name")
    numeric = [lines.names[index] for index in numeric_columns(len(lines.names), lines.top())]
    members = []
    for key, columns in wide_sets(numeric).items():
        shape = len(lines), len(columns)
        rows = partial(_open, lines, path if key is None else f"{path}:{key}", columns)
        members.append(Member(key, shape, "float64", rows))
    names = ", ".join(lines.names[:8])
    lacking = f"has fewer than two numeric columns ({names}); give each dimension a column"
    return Contents(path, "table", tuple(members), partial(columns_beside, lines), lacking)


def _open(lines: Lines, name: str, columns: list[str], part: int | None) -> RowSource:
    places = {column: index for index, column in enumerate(lines.names)}
    where = [places[column] for column in columns]
    return SpooledRows(
        name, (len(lines), len(columns)), np.dtype(np.float64), partial(_numbers, lines, where)
    )


def _numbers(lines: Lines, where: list[int]) -> Iterator[np.ndarray]:
    for start, stop, text in lines.texts():
        table = _by_arrow(lines, where, "double", stop - start, text)
        rows = None if table is None else _unless_odd(table)
        yield _slowly(lines, where, start, lines.cells(start, text)) if rows is None else rows


def _by_arrow(lines: Lines, where: Sequence[int], kind: str, count: int, text: bytes) -> Any:
    """The columns at `where` as a pyarrow table of `count` rows of `kind`; None for what it does not take."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if not lines.records.plain:
        return None
    names = [str(index) for index in range(len(lines.names))]
    chosen = [names[index] for index in where]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text),
            # A record has to fit into a block.
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=len(text) + 1),
            parse_options=arrow_csv.ParseOptions(delimiter=lines.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=chosen,
                column_types=dict.fromkeys(chosen, kind),
                null_values=SPELLINGS,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == count else None


def _unless_odd(table: Any) -> np.ndarray | None:
    """The rows of a table of numbers, a missing one as NaN; None where text such as `nan(1)` became NaN."""
    batches = table.combine_chunks().to_batches()
    rows = np.concatenate([batch.to_tensor(null_to_nan=True).to_numpy() for batch in batches])
    missing = sum(column.null_count for column in table.columns)
    return rows if np.count_nonzero(np.isnan(rows)) == missing else None


def _slowly(lines: Lines, where: list[int], start: int, rows: list[list[str]]) -> np.ndarray:
    try:
        return np.array([[cells[index] for index in where] for cells in rows], dtype=np.float64)
    except ValueError:
        return np.array([_row(lines, where, row, cells) for row, cells in enumerate(rows, start)])


def _row(lines: Lines, where: list[int], row: int, cells: list[str]) -> list[float]:
    values = []
    for index in where:
        cell = cells[index].strip()
        if cell.lower() in MISSING:
            values.append(np.nan)
        elif is_number(cell):
            values.append(float(cell))
        else:
            raise UnusableInput(
                f"{lines.path}: row {row}, column {lines.names[index]!r} holds {cell[:40]!r}, not a number"
            )
    return values


def columns_beside(lines: Lines) -> Sidecar:
    """The columns that go by a known name, as text."""
    chosen = {field: lines.names.index(name) for field, name in chosen_names(lines.names).items()}
    columns: dict[str, list[Any]] = {field: [] for field in chosen}
    where = sorted(set(chosen.values()))
    if chosen:
        for start, stop, text in lines.texts():
            table = _by_arrow(lines, where, "string", stop - start, text)
            rows = lines.cells(start, text) if table is None else []
            for field, index in chosen.items():
                read = [cells[index] for cells in rows] if table is None else table[str(index)].to_pylist()
                columns[field].extend(read)
    return Sidecar(**columns)


def _delimiter(path: str) -> str:
    """A tab in .tsv, else whichever the first line has most of."""
    if path.lower().endswith(".tsv"):
        return "\t"
    with open(path, "rb") as file:
        first = next((line for line in file if line.strip()), b"")
    return max(",;\t", key=lambda mark: first.count(mark.encode()))


def _state(path: str) -> tuple[int, int, int]:
    """What changes when a file is written to or replaced."""
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns
