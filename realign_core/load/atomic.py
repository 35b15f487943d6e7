"""Files that appear whole or not at all: written beside the target, then renamed."""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

from realign_core.load.places import refuse_url
from realign_core.validation import UnusableInput

PARTIAL = re.compile(r"\.(.+)\.[0-9a-f]{12}\.part")


@contextmanager
def atomic_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` when the block ends well, and vanishes otherwise.

    A path that is there and is no ordinary file (a pipe, `/dev/stdout`) is written to directly.
    """
    final = os.path.realpath(path)
    if _is_special(final):
        with open(final, "wb") as file:
            yield file
        return
    folder, name = os.path.split(final)
    partial = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(6)}.part")
    try:
        with open(partial, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, final)
    except BaseException:
        # An interruption must leave nothing behind either.
        if os.path.exists(partial):
            os.unlink(partial)
        raise
    _sync_folder(folder)


def partial_of(name: str) -> str | None:
    """The file that a partial one of this name was to become, its name cut to 100; None for another file."""
    match = PARTIAL.fullmatch(name)
    return match[1] if match else None


def clear_partial(folder: str | os.PathLike, names: Iterable[str]) -> None:
    """Remove what killed runs left half-written of the files with these names."""
    cut = {name[:100] for name in names}
    for name in os.listdir(folder):
        if partial_of(name) in cut:
            with suppress(OSError):
                os.unlink(os.path.join(folder, name))


def atomic_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Write `data` whole or not at all; UnusableInput where the path cannot be written."""
    try:
        with atomic_file(path) as file:
            file.write(data)
    except OSError as error:
        raise unwritable(path, error) from error


def atomic_text(path: str | os.PathLike, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    atomic_bytes(path, text.encode("utf-8"))


def unwritable(path: str | os.PathLike, error: OSError) -> UnusableInput:
    """The error for an output that failed: the disk is full, the folder is gone."""
    return UnusableInput(
        f"{os.fspath(path)} cannot be written: {error.strerror or error}; choose another place"
    )


def check_path(path: str | os.PathLike, suffixes: Sequence[str] | None) -> None:
    """Raise UnusableInput unless a file of one of `suffixes` (None: any) can be written at `path`."""
    text = os.fspath(path)
    if not text or "\0" in text:
        raise UnusableInput(f"{text!r} is no path; name an output file")
    refuse_url(text)
    if os.path.isdir(text):
        raise UnusableInput(f"{text} is a folder; name a file in it")
    suffix = os.path.splitext(text)[1].lower()
    if suffixes is not None and suffix not in suffixes:
        known = ", ".join(suffixes)
        raise UnusableInput(f"{text} has the suffix {suffix or '(none)'!r}; writable are {known}")
    final = os.path.realpath(text)
    folder = os.path.dirname(final)
    if not os.path.isdir(folder):
        raise UnusableInput(f"{text} cannot be written: there is no folder {folder}; make it first")
    if _is_special(final):
        if not os.access(final, os.W_OK):
            raise UnusableInput(f"{text} cannot be written: permission denied; choose another place")
        return
    # Access rights do not tell of read-only and network file systems; making a file does. One without a
    # name cannot be left behind by an interruption.
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(text, error) from error


def _is_special(path: str) -> bool:
    return os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)


def _sync_folder(folder: str) -> None:
    # The rename itself outlives a crash only once the folder is on disk; Windows cannot open folders.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
