"""A place in long loops where whoever started the work may stop it, by raising, and hear how far it is.

What to call is kept per thread, so that two who share prepared rows do not stop each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)
_tell: ContextVar[Callable[[str], None] | None] = ContextVar("tell", default=None)
_count: ContextVar[Callable[[int, int], None] | None] = ContextVar("count", default=None)


@contextmanager
def checked_by(check: Callable[[], None]) -> Iterator[None]:
    """Within this context `checkpoint()` calls `check`, whose exception ends the work."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def checkpoint() -> None:
    """Called once a block by loops that take long; does nothing unless someone asked for it."""
    check = _check.get()
    if check is not None:
        check()


@contextmanager
def told_to(hear: Callable[[str], None]) -> Iterator[None]:
    """Within this context `tell(stage)` calls `hear`."""
    token = _tell.set(hear)
    try:
        yield
    finally:
        _tell.reset(token)


def tell(stage: str) -> None:
    """Called by work inside work that takes long; does nothing unless someone listens."""
    hear = _tell.get()
    if hear is not None:
        hear(stage)


@contextmanager
def counted_by(hear: Callable[[int, int], None]) -> Iterator[None]:
    """Within this context `count(done, of)` calls `hear`; who reads two sets in step is heard twice."""
    token = _count.set(hear)
    try:
        yield
    finally:
        _count.reset(token)


def count(done: int, of: int) -> None:
    """Called by a pass over rows: so many of all are behind it. Does nothing unless someone counts."""
    hear = _count.get()
    if hear is not None:
        hear(done, of)
