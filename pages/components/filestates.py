"""Whether files on the server are still those that were opened."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from realign_core.load.opening import split_key
from realign_core.validation import UnusableInput

State = tuple[int, int] | None


@dataclass(frozen=True)
class FileStates:
    """Size in bytes and time of the last change (ns) of each file, by path."""

    states: tuple[tuple[str, State], ...]

    @classmethod
    def of(cls, paths: Iterable[str]) -> FileStates:
        """The states of these files (a key of an array may follow), and of all files below these folders."""
        files: list[str] = []
        for path in paths:
            try:
                head, _ = split_key(path)
            except UnusableInput:
                # Who reads it says what is wrong with it.
                continue
            if os.path.isdir(head):
                files += sorted(
                    os.path.join(place, name) for place, _, names in os.walk(head) for name in names
                )
            else:
                files.append(head)
        return cls(tuple((file, _state(file)) for file in files))

    @property
    def changed(self) -> str | None:
        """A sentence about the first file that is no longer as it was; None where all are."""
        for path, then in self.states:
            now = _state(path)
            if now == then:
                continue
            if now is None:
                return f"{path} is no longer there, though it was when it was opened."
            if then is not None and now[0] < then[0]:
                return f"{path} became shorter since it was opened."
            return f"{path} was written again since it was opened."
        return None

    def check(self) -> None:
        """Raise `UnusableInput` where a file has changed: what is read now belongs to other rows."""
        changed = self.changed
        if changed:
            raise UnusableInput(f"{changed} Nothing new is computed from it until it is read again.")


def _state(path: str) -> State:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
