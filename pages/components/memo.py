"""A bounded store of results."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from realign_core.checkpoint import checkpoint

LOOK_SECONDS = 0.05


class Memo:
    """A bounded, thread-safe store of results by key; the least recently used goes first.

    Who asks for what another thread is making waits for it, and makes it if that one fails or is stopped.
    """

    def __init__(self, limit: int):
        self._values: OrderedDict[Any, Any] = OrderedDict()
        self._making: dict[Any, threading.Event] = {}
        self._limit = limit
        self._lock = threading.Lock()

    def __contains__(self, key: Any) -> bool:
        with self._lock:
            return key in self._values

    def known(self, key: Any) -> Any:
        """The value of `key` where it is known, else None."""
        with self._lock:
            return self._values.get(key)

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """The value of `key`, by `make()` where it is not known; what that raises is not kept."""
        mine = threading.Event()
        while True:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
                made = self._making.setdefault(key, mine)
            if made is mine:
                break
            while not made.wait(LOOK_SECONDS):
                checkpoint()
        try:
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._limit:
                    self._values.popitem(last=False)
            return value
        finally:
            with self._lock:
                del self._making[key]
            mine.set()
