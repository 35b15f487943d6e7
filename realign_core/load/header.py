"""Whether the first line of a table names its columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from realign_core.load.wide import ASIDE

MISSING = frozenset(("", "na", "n/a", "null", "none"))


def is_number(cell: str) -> bool:
    """Whether `float` takes the cell."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_value(cell: str) -> bool:
    """Whether the cell is a number or stands for a missing one."""
    return cell.strip().lower() in MISSING or is_number(cell)


def numeric_columns(width: int, rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns whose every cell is a value."""
    return [index for index in range(width) if all(is_value(row[index]) for row in rows)]


def has_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether `first` is a header above `rows`, the first few of the others.

    It is where it holds a word above numbers, or a name such as `caption`. Numbers above numbers are column
    numbers (pandas writes `0,1,2` above unnamed columns) where they count up or stand beside a word, and
    the rows below are no whole numbers.
    """
    alike = [row for row in rows if len(row) == len(first)]
    numeric = numeric_columns(len(first), alike) if alike else []
    if not numeric:
        return not all(map(is_value, first))
    if any(not is_value(first[index]) for index in numeric):
        return True
    if any(cell.strip() and cell.strip().lower() in ASIDE for cell in first):
        return True
    numbers = [first[index] for index in numeric if first[index].strip()]
    if not all(map(_is_whole, numbers)) or all(_is_whole(row[index]) for row in alike for index in numeric):
        return False
    counted = len(numbers) > 1 and all(int(b) - int(a) == 1 for a, b in pairwise(numbers))
    return counted or not all(map(is_value, first))


def _is_whole(cell: str) -> bool:
    return cell.strip().isdecimal()
