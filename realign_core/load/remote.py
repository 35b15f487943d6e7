"""Files behind a URL through fsspec: what is there, and ranges of bytes, each with errors in one sentence."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from realign_core.load.faults import short_line
from realign_core.load.places import HEADER_BYTES, join, protocol_of, remembered, shown, suffix_of
from realign_core.validation import UnusableInput

# How the stores' own packages say that they were not let in; they share no exception.
_DENIED = ("credential", "forbidden", "unauthorized", "access denied")
# Modules that go by another name than the package that brings them.
_PACKAGES = {"smbclient": "smbprotocol", "git": "GitPython"}


class Remote:
    """A file or folder that a URL names.

    The file system is looked up anew each time: fsspec keeps one a thread, and those without an event loop of
    their own must not be shared between threads.
    """

    def __init__(self, url: str):
        self.url = url
        self.name = shown(url)
        self.fs, self.path = _file_system(url)

    def exists(self) -> bool:
        """Whether anything is there. Raises UnusableInput where the place cannot be asked."""
        try:
            self.info()
        except FileMissing:
            return False
        return True

    def info(self) -> dict[str, Any]:
        """What the store says of the file: `type`, `size` and more."""
        known = remembered()
        found = known.get(self.url)
        if found is None:
            with remotely(self.url):
                found = known[self.url] = self.fs.info(self.path)
        return found

    def is_folder(self) -> bool:
        """Whether this is a folder; a web address without a suffix is taken for a listing of one."""
        if self._is_web:
            return not suffix_of(self.url)
        return self.info()["type"] == "directory"

    def size(self) -> int:
        """Bytes of the file."""
        size = self.info().get("size")
        if not isinstance(size, int):
            raise UnusableInput(f"{self.name} has no known size, as its server tells none; copy it here")
        return size

    def size_below(self) -> int:
        """Bytes of all files in the folder and those below."""
        with remotely(self.url):
            return int(self.fs.du(self.path))

    def names(self) -> list[str]:
        """The names in the folder, as the store lists it now."""
        with remotely(self.url):
            self.fs.invalidate_cache(self.path)
            entries = self.fs.ls(self.path, detail=True)
        found: dict[str, dict[str, Any]] = {}
        for entry in entries:
            name = str(entry["name"]).rstrip("/").rpartition("/")[2]
            # Some stores list the folder itself among what it holds.
            if name and str(entry["name"]).rstrip("/") != self.path.rstrip("/"):
                found[name] = entry
        if not self._is_web:
            remembered().update({join(self.url, name): entry for name, entry in found.items()})
        return list(found)

    def has_ranges(self) -> bool:
        """Whether parts of the file can be fetched; a web server is tried, once for all files of a folder."""
        size = self.info().get("size")
        if not isinstance(size, int):
            return False
        if not self._is_web or size < 2:
            return True
        known = remembered()
        key = f"{self.path.rpartition('/')[0]}\0ranges"
        if key not in known:
            known[key] = {"partial": self._gives_second_byte(size)}
        return known[key]["partial"]

    def read(self, start: int, stop: int) -> bytes:
        """Bytes `start:stop`, all of them."""
        return self.read_ranges([(start, stop)])[0]

    def head(self) -> bytes:
        """The first bytes of the file, which are looked at more than once."""
        known = remembered()
        key = f"{self.url}\0head"
        if key not in known:
            known[key] = {"bytes": self.read(0, min(self.size(), HEADER_BYTES))}
        return known[key]["bytes"]

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of several ranges, fetched at once where the file system can do that."""
        with remotely(self.url):
            if self.fs.async_impl:
                starts, stops = ([pair[index] for pair in ranges] for index in (0, 1))
                found = self.fs.cat_ranges([self.path] * len(ranges), starts, stops, on_error="raise")
            else:
                found = [self._read_one(start, stop) for start, stop in ranges]
        for (start, stop), data in zip(ranges, found, strict=True):
            if len(data) != stop - start:
                raise UnusableInput(
                    f"{self.name} gave {len(data)} of the {stop - start} bytes from byte {start} on: "
                    "it is cut short, or was replaced while it was read; check it and try again"
                )
        return found

    def copy_to(self, path: str) -> None:
        """Copy the whole file to a path of this machine."""
        with remotely(self.url):
            self.fs.get_file(self.path, path)
        size = self.info().get("size")
        if isinstance(size, int) and os.path.getsize(path) != size:
            raise UnusableInput(f"{self.name} gave {os.path.getsize(path)} of its {size} bytes; try again")

    @property
    def _is_web(self) -> bool:
        return protocol_of(self.url) in ("http", "https")

    def _gives_second_byte(self, size: int) -> bool:
        # Most servers that have no ranges do not say so, and would send the whole file for each.
        with remotely(self.url):
            try:
                with self.fs.open(self.path, "rb", size=size, cache_type="none") as file:
                    file.seek(1)
                    return len(file.read(1)) == 1
            except ValueError:
                return False

    def _read_one(self, start: int, stop: int) -> bytes:
        from fsspec.spec import AbstractFileSystem

        if type(self.fs).cat_file is not AbstractFileSystem.cat_file:
            return self.fs.cat_file(self.path, start=start, end=stop)
        # fsspec's general way reads ahead of what is asked for, and would fetch many bytes twice.
        with self.fs.open(self.path, "rb", cache_type="none") as file:
            file.seek(start)
            return file.read(stop - start)


class RangeFile(io.RawIOBase):
    """A file behind a URL for libraries that want one: each read fetches exactly the bytes asked for."""

    def __init__(self, url: str):
        self.url = url
        self._size = Remote(url).size()
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def size(self) -> int:
        """Bytes of the file; pyarrow asks for it."""
        return self._size

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        stop = min(self._size, self._at + len(view))
        if stop <= self._at:
            return 0
        remote = Remote(self.url)
        in_head = stop <= HEADER_BYTES
        data = remote.head()[self._at : stop] if in_head else remote.read(self._at, stop)
        view[: len(data)] = data
        self._at = stop
        return len(data)


class FileMissing(UnusableInput):
    """There is nothing at a URL."""


@contextmanager
def remotely(url: str) -> Iterator[None]:
    """Raise UnusableInput for whatever a store, its package or the network raise inside the block."""
    try:
        yield
    except UnusableInput:
        raise
    except FileNotFoundError as error:
        # fsspec says of whatever a web server answers, and of one that does not, that the file is missing.
        cause = error.__cause__
        if not (cause is None or isinstance(cause, FileNotFoundError) or _status(cause) in (404, 410)):
            raise _refused(url, cause) from error
        raise FileMissing(f"{shown(url)} does not exist; check the URL") from error
    except ImportError as error:
        raise _lacking(url, error) from error
    except Exception as error:
        raise _refused(url, error) from error


def _status(error: BaseException) -> int | None:
    """What a web server answered with, as the package for it says."""
    return getattr(error, "status", None)


def _refused(url: str, error: BaseException) -> UnusableInput:
    name = shown(url)
    text = f"{type(error).__name__} {error}".lower()
    denied = isinstance(error, PermissionError) or _status(error) in (401, 403)
    if denied or any(word in text for word in _DENIED):
        return UnusableInput(
            f"{name} may not be read: {_told(error, url)}; give {protocol_of(url)}:// its credentials "
            "in the environment, as its package reads them"
        )
    return UnusableInput(f"{name} cannot be read: {_told(error, url)}; check the URL and the network")


def _file_system(url: str) -> tuple[Any, str]:
    protocol = protocol_of(url)
    if "::" in url.split("://", 1)[1]:
        raise UnusableInput(f"{shown(url)} names a file inside another; take it out and name that")
    with remotely(url):
        from fsspec.core import url_to_fs
        from fsspec.registry import known_implementations, registry

        first = url.split("://", 1)[0].split("::")
        unknown = next(
            (part for part in first if part.lower() not in {*known_implementations, *registry}), None
        )
        if unknown is not None:
            raise UnusableInput(
                f"{shown(url)}: {unknown}:// is no protocol that fsspec knows; "
                "known are s3, gs, abfs, hf, https, sftp and others, or give a path"
            )
        prefix, rest = url.split("://", 1)
        fs, path = url_to_fs(f"{prefix.lower()}://{rest}")
        assert protocol is not None
        return fs, path


def _lacking(url: str, error: ImportError) -> UnusableInput:
    cause = error
    while isinstance(cause.__cause__, ImportError):
        cause = cause.__cause__
    module = (cause.name or "").partition(".")[0]
    if not module:
        return UnusableInput(f"{shown(url)}: {short_line(str(error))}; install what it needs")
    package = _PACKAGES.get(module, module)
    return UnusableInput(
        f"{protocol_of(url)}:// needs the package {package}; install it to read {shown(url)}"
    )


def _told(error: BaseException, url: str) -> str:
    """The library's words in short, without the query of a signed address."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return short_line(str(error).replace(url, shown(url))) or type(error).__name__
