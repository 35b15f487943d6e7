"""Where the records of a delimited text file lie, found in one pass that parses nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from realign_core.validation import UnusableInput

CHUNK = 1 << 24
NEWLINE, RETURN, QUOTE = b'\n\r"'
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, eq=False)
class Records:
    """Bytes `starts[i]:stops[i]`, int64 (n,), hold record i, its line end included; blank lines are left out.

    `plain`: quotes stand around whole cells or nowhere, so that all readers of such text agree on it.
    """

    starts: np.ndarray
    stops: np.ndarray
    plain: bool

    def __len__(self) -> int:
        return len(self.starts)

    def below(self, header: int) -> Records:
        """The records without the first `header`."""
        return Records(self.starts[header:], self.stops[header:], self.plain)

    def blocks(self, size: int) -> Iterator[tuple[int, int]]:
        """Ranges of records that hold `size` bytes at most, or are one record."""
        start = 0
        while start < len(self):
            stop = int(np.searchsorted(self.stops, self.starts[start] + size, side="right"))
            yield start, max(stop, start + 1)
            start = max(stop, start + 1)


def find_records(path: str, delimiter: str) -> Records:
    """The records of a file: newlines outside quotes end them. Raises UnusableInput for an open quote."""
    with open(path, "rb") as file:
        first = len(BYTE_ORDER_MARK) * (file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK)
        file.seek(first)
        stops, plain = _by_parity(file, ord(delimiter))
        if not plain:
            file.seek(first)
            stops = _by_reading(path, file, delimiter)
        stops += first
        starts = np.concatenate(([first], stops[:-1]))
        # A blank line has its newline, and a carriage return at most.
        blank = []
        for index in np.flatnonzero(stops - starts <= 2):
            file.seek(int(starts[index]))
            if not file.read(int(stops[index] - starts[index])).strip():
                blank.append(index)
    return Records(np.delete(starts, blank), np.delete(stops, blank), plain)


def _by_parity(file: BinaryIO, delimiter: int) -> tuple[np.ndarray, bool]:
    """Ends of the records, and whether quotes stand around whole cells: only then are the ends right."""
    ends, quotes, position, last = [], 0, 0, NEWLINE
    while data := file.read(CHUNK):
        chunk = np.frombuffer(data, np.uint8)
        newline, quote = np.flatnonzero(chunk == NEWLINE), np.flatnonzero(chunk == QUOTE)
        inside = (np.searchsorted(quote, newline) + quotes) % 2 == 1
        ends.append(newline[~inside] + position + 1)
        opening, closing = quote[quotes % 2 :: 2], quote[1 - quotes % 2 :: 2]
        before = np.where(opening > 0, chunk[opening - 1], last)
        after = chunk[closing[closing < len(chunk) - 1] + 1]
        if last == QUOTE and quotes % 2 == 0:
            after = np.append(after, chunk[0])
        # A quote next to another is one that belongs to the text of its cell.
        plain = np.isin(before, (delimiter, NEWLINE, QUOTE)).all()
        if not plain or not np.isin(after, (delimiter, NEWLINE, RETURN, QUOTE)).all():
            return np.empty(0, np.int64), False
        quotes += len(quote)
        position += len(data)
        last = int(chunk[-1])
    stops = np.concatenate([*ends, np.empty(0, np.int64)])
    if not len(stops) or stops[-1] < position:
        stops = np.append(stops, position)
    return stops, quotes % 2 == 0


def _by_reading(path: str, file: BinaryIO, delimiter: str) -> np.ndarray:
    """Ends of the records, found by the reader that parses them later: slower, right for any quotes."""
    position = 0

    def lines() -> Iterator[str]:
        nonlocal position
        for line in file:
            position += len(line)
            yield line.decode("latin-1")
        # A record of its own, unless a quote is open still.
        yield ""

    stops: list[int] = []
    before, number, is_open = 0, 0, False
    reader = csv.reader(lines(), delimiter=delimiter)
    try:
        for cells in reader:
            stops.append(position)
            before, number, is_open = number, reader.line_num, bool(cells)
    except csv.Error as error:
        raise unreadable(path, f"line {number + 1}", error) from error
    if is_open:
        raise UnusableInput(f"{path}: line {before + 1} opens a quote that never closes; close it")
    return np.array(stops[:-1], np.int64)


def unreadable(path: str, where: str, error: csv.Error) -> UnusableInput:
    """The error for text that is no table."""
    return UnusableInput(f"{path}: {where} cannot be read ({error}); mend its quotes and line ends")
