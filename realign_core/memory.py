"""When freed memory goes back to the system, where the C library is glibc; elsewhere nothing happens."""

from __future__ import annotations

import ctypes
import os
from typing import Any

LARGEST_KEPT = 2**25
"""Bytes; the largest threshold for memory of its own that every glibc takes."""
KEPT_FREE = 2**27
"""Bytes free at the end of the heap that stay there: the buffers of a pass over blocks of rows."""
# Of malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def give_back() -> None:
    """Hand freed memory to the system: glibc keeps it otherwise, in an arena for each thread.

    What is kept there cannot serve the other arenas, so that the peak of a process grows with every thread
    that once worked on rows.
    """
    trim = _of_c_library("malloc_trim")
    if trim is not None:
        trim(0)


def keep_blocks() -> None:
    """Keep freed blocks of up to `LARGEST_KEPT` for the next ones, in a process that works on rows alone.

    By default glibc maps each block of rows afresh, and its pages, each zeroed when it is first touched, are
    a tenth of the time of a pass.
    """
    option = _of_c_library("mallopt")
    if option is not None and option(M_MMAP_THRESHOLD, LARGEST_KEPT):
        option(M_TRIM_THRESHOLD, KEPT_FREE)


def _of_c_library(name: str) -> Any:
    # Another C library may have a `mallopt` too, with other options, but no `malloc_trim`.
    library = ctypes.CDLL(None) if os.name == "posix" else None
    return getattr(library, name, None) if hasattr(library, "malloc_trim") else None
