"""Where a file lies: a path of this machine, or a URL that fsspec reads; the readers ask here, not `os`.

fsspec is imported only once a URL is given. `file://` URLs become paths.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from realign_core.validation import UnusableInput

if TYPE_CHECKING:
    from realign_core.load.remote import Remote

# Two letters at least, so that a Windows drive is none, and no dot, so that `file.npz:key` is none.
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+-]+::)*([A-Za-z][A-Za-z0-9+-]+)://")
_QUERIED = ("http", "https")
HEADER_BYTES = 4096
_memory: ContextVar[dict[str, dict[str, Any]] | None] = ContextVar("remote answers", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Inside, what a store has said of a file is not asked again, as each answer takes a journey."""
    if _memory.get() is not None:
        yield
        return
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def remembered() -> dict[str, dict[str, Any]]:
    """What stores have said, by URL; a fresh one where nothing is to be remembered."""
    known = _memory.get()
    return {} if known is None else known


def protocol_of(text: str) -> str | None:
    """`"s3"` of `s3://bucket/x.npy`; None for a path."""
    match = _URL.match(text)
    return match[1].lower() if match else None


def is_url(path: str | os.PathLike) -> bool:
    """Whether this is a URL; `sample:scenes`, `file.npz:key` and `C:\\rows.npy` are not."""
    return protocol_of(os.fspath(path)) is not None


def localised(text: str) -> str:
    """The path that a `file://` URL names, with the key after it if there is one; any other text as it is."""
    for start in ("file://localhost/", "file://", "local://"):
        if text.lower().startswith(start):
            rest = text[len(start) :]
            path = f"/{rest}" if start.endswith("localhost/") else rest
            # `file:///C:/rows.npy` names a drive.
            return path[1:] if re.match(r"/[A-Za-z]:[\\/]", path) and os.name == "nt" else path
    return text


def shown(path: str | os.PathLike) -> str:
    """The name for reports: a web address loses its query, and any URL its password, which may be secrets."""
    text = os.fspath(path)
    protocol = protocol_of(text)
    if protocol is None:
        return text
    text = re.sub(r"(://)[^/@]*:[^/@]*@", r"\1", text, count=1)
    return re.sub(r"[?#].*", "", text) if protocol in _QUERIED else text


def suffix_of(path: str) -> str:
    """The suffix in small letters, of a web address without its query."""
    name = shown(path)
    # What follows the slashes is a host, whose dots say nothing of a format, but in memory a name.
    if protocol_of(path) in _QUERIED:
        name = name.partition("://")[2].partition("/")[2]
    return Path(name).suffix.lower()


def exists(path: str) -> bool:
    """Whether a file or folder is there. Raises UnusableInput where a URL's place cannot be asked."""
    return _remote(path).exists() if is_url(path) else os.path.exists(path)


def is_folder(path: str) -> bool:
    """Whether a folder is there."""
    return _remote(path).is_folder() if is_url(path) else os.path.isdir(path)


def names_in(folder: str) -> list[str]:
    """The names of what lies in a folder."""
    return _remote(folder).names() if is_url(folder) else os.listdir(folder)


def join(folder: str, name: str) -> str:
    """The path or URL of what goes by `name` in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_url(folder) else os.path.join(folder, name)


def size_of(path: str) -> int:
    """Bytes of a file."""
    return _remote(path).size() if is_url(path) else os.path.getsize(path)


def told_of(url: str) -> dict[str, Any]:
    """What a store says of the file behind a URL."""
    return _remote(url).info()


def size_below(folder: str) -> int:
    """Bytes of all files in a folder and the folders below; a link that leads nowhere has none."""
    if is_url(folder):
        return _remote(folder).size_below()
    files = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
    return sum(os.path.getsize(file) for file in files if os.path.exists(file))


def open_binary(path: str) -> IO[bytes]:
    """The bytes of a file; of a URL, those that are read are fetched, and a header in one go."""
    if not is_url(path):
        return open(path, "rb")
    from realign_core.load.remote import RangeFile

    return cast(IO[bytes], io.BufferedReader(RangeFile(path), HEADER_BYTES))


def refuse_url(path: str | os.PathLike, what: str = "outputs are") -> None:
    """Raise UnusableInput where a path to write to is a URL."""
    if is_url(path):
        raise UnusableInput(
            f"{shown(path)} is a URL, and {what} written to this machine's disk alone; "
            "name a path here and copy the result there afterwards"
        )


def _remote(url: str) -> Remote:
    from realign_core.load.remote import Remote

    return Remote(url)
