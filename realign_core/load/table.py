"""`.csv` and `.tsv`: numeric columns as dimensions, found line by line and parsed in blocks."""

from __future__ import annotations

import csv
import io
import mmap
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from realign_core.load.batches import RowSource
from realign_core.load.members import Contents, Member, Sidecar
from realign_core.load.sidecars import chosen_names
from realign_core.load.spool import SpooledRows
from realign_core.load.wide import wide_sets
from realign_core.validation import UnusableInput

CHUNK = 1 << 24
BLOCK_LINES = 2048
MISSING = frozenset(("", "na", "n/a", "null", "none"))


class Lines:
    """The records of a delimited text file; a quoted field may span lines.

    `offsets` int64 (n + 1,) bound the records that are not blank; `names` are the columns' names, from the
    header where there is one.
    """

    def __init__(self, path: str):
        self.path = path
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            self.starts, self.stops = _records(text)
            first = self.text(text, 0, 1) if len(self.starts) else ""
        self.delimiter = "\t" if path.lower().endswith(".tsv") else max(",;\t", key=first.count)
        cells = next(csv.reader([first], delimiter=self.delimiter), [])
        self.has_header = not all(_is_number(cell) for cell in cells)
        self.names = cells if self.has_header else [str(index) for index in range(len(cells))]
        if self.has_header:
            self.starts, self.stops = self.starts[1:], self.stops[1:]

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, data: mmap.mmap, start: int, stop: int) -> str:
        """The text of records `start:stop`."""
        stop = min(stop, len(self.starts))
        raw = data[int(self.starts[start]) : int(self.stops[stop - 1])]
        if b"\0" in raw:
            raise UnusableInput(
                f"{self.path} is not text: record {start} or one soon after holds a zero byte"
            )
        try:
            return raw.decode("utf-8-sig" if start == 0 else "utf-8")
        except UnicodeDecodeError as error:
            raise UnusableInput(f"{self.path} is not UTF-8 text; save it in that encoding") from error

    def blocks(self) -> Iterator[tuple[int, list[list[str]]]]:
        """First record and cells of each block of records."""
        with open(self.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for start in range(0, len(self), BLOCK_LINES):
                text = io.StringIO(self.text(data, start, start + BLOCK_LINES), newline="")
                reader = csv.reader(text, delimiter=self.delimiter)
                records = [cells for cells in reader if cells]
                for index, cells in enumerate(records):
                    if len(cells) != len(self.names):
                        raise UnusableInput(
                            f"{self.path}: row {start + index} has {len(cells)} columns, "
                            f"the first line has {len(self.names)}; every row needs the same columns"
                        )
                yield start, records


def contents(path: str) -> Contents:
    """The numeric columns of a table; which they are is read off its first row."""
    lines = Lines(path)
    if not len(lines):
        raise UnusableInput(f"{path} has no rows below its header")
    _, sample = next(lines.blocks())
    numeric = [
        name
        for index, name in enumerate(lines.names)
        if all(_is_number(row[index]) or row[index].strip().lower() in MISSING for row in sample[:20])
    ]
    if len(set(lines.names)) != len(lines.names):
        raise UnusableInput(f"{path} names a column twice; give every column its own name")
    members = []
    for key, columns in wide_sets(numeric).items():
        shape = len(lines), len(columns)
        rows = partial(_open, lines, path if key is None else f"{path}:{key}", columns)
        members.append(Member(key, shape, "float64", rows))
    if not members:
        names = ", ".join(lines.names[:8])
        raise UnusableInput(
            f"{path} has fewer than two numeric columns ({names}); give each dimension a column"
        )
    return Contents(path, "table", tuple(members), partial(columns_beside, lines))


def _open(lines: Lines, name: str, columns: list[str], part: int | None) -> RowSource:
    where = [lines.names.index(column) for column in columns]
    return SpooledRows(
        name, (len(lines), len(columns)), np.dtype(np.float64), partial(_numbers, lines, where)
    )


def _numbers(lines: Lines, where: list[int]) -> Iterator[np.ndarray]:
    for start, records in lines.blocks():
        try:
            yield np.array([[cells[index] for index in where] for cells in records], dtype=np.float64)
        except ValueError:
            yield np.array([_slowly(lines, where, start + i, cells) for i, cells in enumerate(records)])


def _slowly(lines: Lines, where: list[int], row: int, cells: list[str]) -> list[float]:
    values = []
    for index in where:
        cell = cells[index].strip()
        if cell.lower() in MISSING:
            values.append(np.nan)
        elif _is_number(cell):
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
    if chosen:
        for _, records in lines.blocks():
            for field, index in chosen.items():
                columns[field].extend(cells[index] for cells in records)
    return Sidecar(**columns)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _records(text: mmap.mmap) -> tuple[np.ndarray, np.ndarray]:
    """Where the records that are not blank start and stop: newlines outside quotes end them."""
    ends, open_quotes = [], 0
    for start in range(0, len(text), CHUNK):
        chunk = np.frombuffer(text[start : start + CHUNK], np.uint8)
        newline = np.flatnonzero(chunk == 10)
        quote = np.flatnonzero(chunk == 34)
        inside = (np.searchsorted(quote, newline) + open_quotes) % 2 == 1
        ends.append(newline[~inside] + start + 1)
        open_quotes += len(quote)
    stops = np.concatenate(ends)
    if not len(stops) or stops[-1] < len(text):
        stops = np.append(stops, len(text))
    starts = np.concatenate(([0], stops[:-1]))
    # A blank line has its newline, and a carriage return at most.
    short = np.flatnonzero(stops - starts <= 2)
    blank = [index for index in short if not text[int(starts[index]) : int(stops[index])].strip()]
    return np.delete(starts, blank), np.delete(stops, blank)
