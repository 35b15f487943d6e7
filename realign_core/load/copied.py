"""Files behind a URL that cannot be read in parts: copied once to a temporary file of this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import numpy as np

from realign_core.load.batches import RowSource
from realign_core.load.faults import reading
from realign_core.load.members import Contents, Member
from realign_core.load.places import shown, suffix_of
from realign_core.load.remote import Remote
from realign_core.validation import UnusableInput

Result = TypeVar("Result")
_LOCK = threading.Lock()


class Copy:
    """A temporary copy of the file at `url`, there for as long as this object is."""

    def __init__(self, url: str):
        remote = Remote(url)
        self.url = url
        self.size = remote.info().get("size") or 0
        place = tempfile.gettempdir()
        free = shutil.disk_usage(place).free
        if self.size > free:
            raise UnusableInput(
                f"{remote.name} has {self.size >> 20} MB to copy and {place} has {free >> 20} MB free; "
                "set TMPDIR to a larger disk, or store the rows as .npy, which is read in place"
            )
        folder = tempfile.mkdtemp(prefix="gapscope-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = os.path.join(folder, f"copy{suffix_of(url)}")
        remote.copy_to(self.path)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors inside the block name the URL, not the copy."""
        try:
            yield
        except UnusableInput as error:
            raise UnusableInput(str(error).replace(self.path, shown(self.url))) from error


_copies: weakref.WeakValueDictionary[tuple[str, str], Copy] = weakref.WeakValueDictionary()


def copy_of(url: str) -> Copy:
    """The copy of a file as it is now; one that a reader still holds serves again."""
    remote = Remote(url)
    with reading(shown(url)), _LOCK:
        key = url, str(sorted((name, str(value)) for name, value in remote.info().items()))
        found = _copies.get(key)
        if found is None:
            found = _copies[key] = Copy(url)
        return found


class CopiedRows:
    """Rows of a copy, which stays while they do."""

    def __init__(self, rows: RowSource, copy: Copy):
        self.rows, self.copy = rows, copy
        self.shape, self.dtype = rows.shape, rows.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        with self.copy.named():
            return self.rows.read(start, stop)

    def take(self, indices: np.ndarray) -> np.ndarray:
        with self.copy.named():
            return self.rows.take(indices)


def copied_contents(url: str, read: Callable[[str], Contents], why: str) -> Contents:
    """What the file at `url` holds, by a reader of local files; a note says that and `why` it was copied."""
    copy = copy_of(url)

    def holding(call: Callable[[], Result]) -> Callable[[], Result]:
        def held() -> Result:
            with copy.named():
                return call()

        return held

    def member(found: Member) -> Member:
        def rows(part: int | None) -> RowSource:
            with copy.named():
                return CopiedRows(found.rows(part), copy)

        return replace(found, rows=rows)

    with copy.named():
        found = read(copy.path)
    name = shown(url)
    note = f"{name} was copied to a temporary file ({copy.size:,} bytes): {why}."
    return replace(
        found,
        path=name,
        members=tuple(map(member, found.members)),
        sidecar=holding(found.sidecar),
        provenance=holding(found.provenance),
        note=note,
    )
