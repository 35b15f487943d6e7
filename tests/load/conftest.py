"""Stores that are empty before and after a test."""

import pytest


@pytest.fixture
def stores():
    """`memory://`, `counted://` and `buffered://`."""
    import fsspec
    from counting import BufferedFileSystem, CountingFileSystem
    from fsspec.implementations.memory import MemoryFileSystem

    for kind in (CountingFileSystem, BufferedFileSystem):
        fsspec.register_implementation(kind.protocol, kind, clobber=True)
    yield
    CountingFileSystem.clear()
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
