"""A place in long loops where whoever started the work may stop it, by raising.

What to call is kept per thread, so that two who share prepared rows do not stop each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


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
