"""A bounded store of results."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any
from weakref import ReferenceType, ref

from pages.components.memory import Weight, weigh
from realign_core.checkpoint import checkpoint

LOOK_SECONDS = 0.05


class Budget:
    """Bytes that several stores may hold together; past them the least recently used value of all goes.

    What several values share counts once, and what `apart` lists not at all. The value that came last stays,
    however large it is.
    """

    def __init__(self, limit: int, apart: Iterable[Any] = ()):
        self.limit = limit
        self.lock = threading.RLock()
        self._apart = tuple(apart)
        # Weakly: in a ring with its stores it would outlive the session until garbage is collected.
        self._weights: OrderedDict[tuple[ReferenceType[Memo], Any], Weight] = OrderedDict()

    def held_by(self, *memos: Memo) -> int:
        """Bytes that the values of these stores hold; of all stores where none is named."""
        with self.lock:
            self._weigh_growing()
            items = self._weights.items()
            return joint(weight for (memo, _), weight in items if not memos or memo() in memos)

    def weigh(self, value: Any) -> Weight:
        """What a value holds."""
        return weigh(value, apart=self._apart)

    def touch(self, memo: Memo, key: Any) -> None:
        """Note that a value was asked for."""
        self._weights.move_to_end((ref(memo), key))

    def drop(self, memo: Memo, key: Any) -> None:
        """Note that a value is gone."""
        self._weights.pop((ref(memo), key), None)

    def add(self, memo: Memo, key: Any, weight: Weight) -> None:
        """Note a new value, and let go of others until all are within the limit."""
        self._weights[ref(memo), key] = weight
        self._weights.move_to_end((ref(memo), key))
        self._weigh_growing()
        while len(self._weights) > 1 and joint(self._weights.values()) > self.limit:
            (other, oldest), _ = self._weights.popitem(last=False)
            store = other()
            if store is not None:
                store.forget(oldest)

    def _weigh_growing(self) -> None:
        for memo, key in self._weights:
            store = memo()
            if store is not None and store.growing:
                self._weights[memo, key] = self.weigh(store.known(key))


def joint(weights: Iterable[Weight]) -> int:
    """Bytes in memory of several weights, what they share counted once."""
    blocks: dict[int, int] = {}
    small = 0
    for weight in weights:
        small += weight.small
        blocks |= weight.blocks
    return small + sum(blocks.values())


class Memo:
    """A bounded, thread-safe store of results by key; the least recently used goes first.

    At most `limit` values, and with others of the same `budget` at most its bytes; `growing` says that
    values take up more later than when they are made. Who asks for what another thread is making waits for
    it, and makes it if that one fails or is stopped.
    """

    def __init__(self, limit: int, budget: Budget | None = None, *, growing: bool = False):
        self.growing = growing
        self._values: OrderedDict[Any, Any] = OrderedDict()
        self._making: dict[Any, threading.Event] = {}
        self._limit = limit
        self._budget = budget
        self._lock = threading.RLock() if budget is None else budget.lock

    def __contains__(self, key: Any) -> bool:
        with self._lock:
            return key in self._values

    def known(self, key: Any) -> Any:
        """The value of `key` where it is known, else None."""
        with self._lock:
            return self._values.get(key)

    def forget(self, key: Any) -> None:
        """Let go of the value of `key`."""
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Let go of every value."""
        with self._lock:
            if self._budget:
                for key in self._values:
                    self._budget.drop(self, key)
            self._values.clear()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """The value of `key`, by `make()` where it is not known; what that raises is not kept."""
        mine = threading.Event()
        while True:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    if self._budget:
                        self._budget.touch(self, key)
                    return self._values[key]
                made = self._making.setdefault(key, mine)
            if made is mine:
                break
            while not made.wait(LOOK_SECONDS):
                checkpoint()
        try:
            value = make()
            weight = self._budget.weigh(value) if self._budget else None
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._limit:
                    oldest, _ = self._values.popitem(last=False)
                    if self._budget:
                        self._budget.drop(self, oldest)
                if self._budget and weight:
                    self._budget.add(self, key, weight)
            return value
        finally:
            with self._lock:
                del self._making[key]
            mine.set()
