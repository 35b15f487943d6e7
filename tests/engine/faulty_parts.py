"""Parts of a pass that meet a fault in the worker which sums them."""

from __future__ import annotations

import os
import signal
from typing import Any

from realign_core.moments import Moments, moments_of_block
from realign_core.validation import UnusableInput


def once(marker: str) -> bool:
    """Whether this is the first time that anybody asks; tells all processes apart by a file."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def killed_once(first_row: int, block: Any, *, marker: str, at: int, **options: Any) -> Moments:
    """The moments of a block; the worker that first meets row `at` is killed."""
    if first_row <= at < first_row + len(block) and once(marker):
        os.kill(os.getpid(), signal.SIGKILL)
    return moments_of_block(first_row, block, **options)


def unread_once(first_row: int, block: Any, *, marker: str, **options: Any) -> Moments:
    """The moments of a block; the first of all fails like a disk that is away for a moment."""
    if once(marker):
        raise UnusableInput("it cannot be read: stale handle") from OSError("stale handle")
    return moments_of_block(first_row, block, **options)


def refused(first_row: int, block: Any, *, marker: str) -> Moments:
    """Refuses rows from 1000 on, and counts how often it is asked."""
    with open(marker, "a") as file:
        file.write("x")
    if first_row >= 1000:
        raise UnusableInput(f"row {first_row} is of no use; drop it")
    raise UnusableInput("row 0 is of no use; drop it")
