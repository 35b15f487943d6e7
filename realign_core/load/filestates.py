"""Whether files are still those that were opened, or that an earlier run read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from realign_core.load.opening import paths_of
from realign_core.load.places import is_url, shown, told_of
from realign_core.validation import UnusableInput

State = tuple[int | None, int | str | None] | None
# What stores call the time of the last change, or a tag of the contents.
STAMPS = ("mtime", "LastModified", "last_modified", "updated", "created", "ETag", "etag")


@dataclass(frozen=True)
class FileStates:
    """Size in bytes and time of the last change (ns) of each file, by path; None for one that is not there.

    Of a URL the time is what its store tells: a time, a tag of the contents, or nothing.
    """

    states: tuple[tuple[str, State], ...]

    @classmethod
    def of(cls, paths: Iterable[str]) -> FileStates:
        """The states of the files that rows at these paths are read from."""
        files: list[str] = []
        for path in paths:
            # Who reads it says what is wrong with it.
            with suppress(UnusableInput):
                files += paths_of(path)
        return cls.of_files(files)

    @classmethod
    def of_files(cls, files: Iterable[str]) -> FileStates:
        """The states of these very files."""
        return cls(tuple((_name_of(file), _state(file)) for file in files))

    @property
    def described(self) -> list[tuple[str, State]]:
        """The states for a record of them: URLs lose what may be secret or differs from day to day."""
        return [(shown(path), state) for path, state in self.states]

    @property
    def changed(self) -> str | None:
        """A sentence about the first file that is no longer as it was; None where all are."""
        for path, then in self.states:
            now = _state(path)
            if now == then:
                continue
            if now is None:
                return f"{path} is no longer there, though it was when it was opened."
            if then is not None and (now[0] or 0) < (then[0] or 0):
                return f"{path} became shorter since it was opened."
            return f"{path} was written again since it was opened."
        return None

    def check(self) -> None:
        """Raise `UnusableInput` where a file has changed: what is read now belongs to other rows."""
        changed = self.changed
        if changed:
            raise UnusableInput(f"{changed} Nothing new is computed from it until it is read again.")


def _name_of(path: str) -> str:
    return path if is_url(path) else os.path.abspath(path)


def _state(path: str) -> State:
    try:
        if not is_url(path):
            found = os.stat(path)
            return found.st_size, found.st_mtime_ns
        told = told_of(path)
    except (OSError, UnusableInput):
        return None
    stamp = next((str(told[name]) for name in STAMPS if told.get(name)), None)
    return told.get("size"), stamp
