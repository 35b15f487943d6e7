"""An fsspec file system in memory that counts the bytes it gives and fails when told to."""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem


class CountingFileSystem(MemoryFileSystem):
    """`counted://`: answers ranges itself, as most stores do."""

    protocol = "counted"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    given: ClassVar[Counter] = Counter()
    asked: ClassVar[Counter] = Counter()
    failure: ClassVar[Exception | None] = None
    short: ClassVar[int] = 0
    lock = threading.Lock()

    def info(self, path, **options):
        self._fail()
        with self.lock:
            self.asked["info"] += 1
        return super().info(path, **options)

    def cat_file(self, path, start=None, end=None, **options):
        self._fail()
        data = super().cat_file(path, start=start, end=end)
        return self.count(path, data)

    def get_file(self, rpath, lpath, **options):
        self._fail()
        data = super().cat_file(rpath)
        with open(lpath, "wb") as file:
            file.write(self.count(rpath, data))

    @classmethod
    def count(cls, path, data):
        data = data[: len(data) - cls.short]
        with cls.lock:
            cls.given[path.rpartition("/")[2]] += len(data)
            cls.asked["read"] += 1
        return data

    @classmethod
    def _fail(cls):
        if cls.failure is not None:
            raise cls.failure

    @classmethod
    def clear(cls):
        cls.store.clear()
        cls.pseudo_dirs[:] = [""]
        cls.forget()

    @classmethod
    def forget(cls):
        cls.given.clear()
        cls.asked.clear()
        cls.failure, cls.short = None, 0


class BufferedFileSystem(CountingFileSystem):
    """`buffered://`: offers files alone, which fsspec reads ahead in unless it is asked not to."""

    protocol = "buffered"

    # The general way over `open`, which readers must not take for one that answers ranges.
    cat_file = AbstractFileSystem.cat_file

    def _open(self, path, mode="rb", **options):
        if mode != "rb":
            return super()._open(path, mode, **options)
        return _CountedFile(self, path, mode, **options)


class _CountedFile(AbstractBufferedFile):
    def _fetch_range(self, start, end):
        data = self.fs.store[self.path].getvalue()[start:end]
        return CountingFileSystem.count(self.path, data)


def upload(path, url):
    """Copy a file or folder to a URL; what that took is not counted."""
    fs, to = fsspec.core.url_to_fs(url)
    for at, _, names in os.walk(path) if os.path.isdir(path) else [(os.path.dirname(path), (), [path.name])]:
        for name in names:
            file = os.path.join(at, name)
            place = to if file == str(path) else f"{to}/{os.path.relpath(file, path)}"
            with open(file, "rb") as data:
                fs.pipe_file(place, data.read())
    CountingFileSystem.forget()
    return url
