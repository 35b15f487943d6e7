"""From a path to rows: which reader a file needs, `path:key`, and files or folders that hold both sets."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from realign_core.load.batches import RowSource
from realign_core.load.members import Contents, Sidecar, pick, pick_both
from realign_core.validation import UnusableInput

Role = Literal["target", "source"] | None

READERS = {
    ".npy": "npy",
    ".npz": "npz",
}


@dataclass(frozen=True)
class Opened:
    """Rows with the name they go by in messages and what stands beside them."""

    rows: RowSource
    name: str
    sidecar: Sidecar = field(default_factory=Sidecar)


def split_key(path: str | os.PathLike) -> tuple[str, str | None]:
    """`("file.npz", "key")` of `file.npz:key`; the longest part before a colon that exists is the file."""
    text = os.fspath(path)
    head, key = text, None
    while not os.path.exists(head):
        head, colon, _ = head.rpartition(":")
        if not colon or not head:
            raise UnusableInput(f"{text} does not exist; check the path")
        key = text[len(head) + 1 :]
    return head, key


def contents_of(path: str, *, trusted: bool = True) -> Contents:
    """What one file holds. Raises UnusableInput for a file that cannot be read as its suffix says."""
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        known = ", ".join(READERS)
        raise UnusableInput(f"{path} has the suffix {suffix or '(none)'!r}; readable are {known} and folders")
    try:
        if os.path.getsize(path) == 0:
            raise UnusableInput(f"{path} is empty; write it again")
        reader = importlib.import_module(f"realign_core.load.{READERS[suffix]}")
        return reader.contents(path)
    except PermissionError as error:
        raise UnusableInput(f"{path} may not be read: permission denied") from error
    except OSError as error:
        raise UnusableInput(f"{path} cannot be read: {error.strerror or error}") from error


def open_rows(path: str | os.PathLike, *, role: Role = None, trusted: bool = True) -> RowSource:
    """The rows of a file or folder, `(n, d)`, read on demand.

    `role` chooses the half of a file that holds both sets; `trusted=False` (browser uploads) refuses
    pickles. Raises UnusableInput when the file cannot be used or has no obvious array for the role.
    """
    return open_one(path, role=role, trusted=trusted).rows


def open_one(path: str | os.PathLike, *, role: Role, trusted: bool = True) -> Opened:
    """As `open_rows`, with the name and the columns beside the rows."""
    file, key = split_key(path)
    found = contents_of(file, trusted=trusted)
    member, part = pick(found, role, key)
    return Opened(member.rows(part), os.fspath(path), found.sidecar())


def open_both(path: str | os.PathLike, *, trusted: bool = True) -> tuple[Opened, Opened] | None:
    """Target and source out of one file or folder that obviously holds both, else None."""
    file, key = split_key(path)
    found = contents_of(file, trusted=trusted)
    both = pick_both(found, key)
    if both is None:
        return None
    sidecar = found.sidecar()
    first, second = (Opened(member.rows(part), os.fspath(path), sidecar) for member, part in both)
    return first, second
