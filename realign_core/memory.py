"""Memory that was let go of, back to the system."""

from __future__ import annotations

import ctypes
import os


def give_back() -> None:
    """Hand freed memory to the system: glibc keeps it otherwise, in an arena for each thread.

    What is kept there cannot serve the other arenas, so that the peak of a process grows with every thread
    that once worked on rows. Does nothing where the C library is another.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
