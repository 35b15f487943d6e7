"""A pass over rows as a sum of parts, one a block, that can be interrupted and shared out.

What a pass gathers is a `State`: parts of disjoint rows merge into that of all of them. With a `Keeper` in
the context the sum so far is written down now and then, and the next run goes on after the last block in it;
with an `Engine` stretches of rows are summed elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from realign_core.load.batches import BLOCK_ROWS, Batches, iterate
from realign_core.load.keeper import current_keeper

Arrays = dict[str, np.ndarray]


class State(Protocol):
    """What parts of a pass add up to."""

    def merge(self, other: Self) -> Self:
        """That of both sets of rows together."""

    def arrays(self) -> Arrays:
        """All of it as arrays by name."""

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Undoes `arrays`."""


S = TypeVar("S", bound=State)
Part = Callable[..., S]
"""`part(first_row, *blocks)` of one block of each set."""


class Engine(Protocol):
    """Who sums a pass elsewhere; `block_rows` are the rows of a block."""

    def total(self, name: str, sets: Sequence[Batches], part: Part[S], form: type[S], block_rows: int) -> S:
        """The merged parts of all rows."""


_engine: ContextVar[Engine | None] = ContextVar("engine", default=None)


@contextmanager
def summed_by(engine: Engine | None) -> Iterator[None]:
    """Within this context passes over files are summed by `engine`."""
    token = _engine.set(engine)
    try:
        yield
    finally:
        _engine.reset(token)


class Memory:
    """Sums that are known already, for passes of one name over the same sets, which it keeps hold of.

    `spared` adds up the seconds that known sums once took.
    """

    def __init__(self) -> None:
        self.spared = 0.0
        self._known: dict[tuple[Any, ...], tuple[Any, float, Sequence[Any]]] = {}

    def get(self, name: str, sets: Sequence[Any], make: Callable[[], S | None]) -> S | None:
        """The sum, made where it is not known."""
        key = (name, *map(id, sets))
        if key in self._known:
            found, seconds, _ = self._known[key]
            self.spared += seconds
            return found
        started = time.perf_counter()
        found = make()
        self._known[key] = found, time.perf_counter() - started, sets
        return found


_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembered_in(memory: Memory) -> Iterator[None]:
    """Within this context sums that may be `shared` are remembered."""
    token = _memory.set(memory)
    try:
        yield
    finally:
        _memory.reset(token)


def total(
    name: str,
    sets: Sequence[Any],
    part: Part[S],
    form: type[S],
    *,
    where: Any = None,
    block_rows: int | None = None,
    shared: bool = False,
) -> S | None:
    """The merged parts of all blocks of one set of rows, or of several read side by side; None for no rows.

    `sets` are arrays, tensors, `Batches` or re-iterables of blocks; blocks are merged in order, so that a
    pass that was interrupted ends with the same digits as one that was not. `where` is the device of what
    `part` gives, onto which a sum that was kept comes back; None for the CPU. `shared` says that `name` tells
    all that `part` depends on, so that a `Memory` may serve. Raises `ValueError` for sets that end at
    different blocks.
    """
    memory = _memory.get() if shared else None
    if memory is None:
        return _total(name, sets, part, form, where, block_rows or BLOCK_ROWS)
    return memory.get(name, sets, lambda: _total(name, sets, part, form, where, block_rows or BLOCK_ROWS))


def _total(
    name: str, sets: Sequence[Any], part: Part[S], form: type[S], where: Any, block_rows: int
) -> S | None:
    engine, keeper = _engine.get(), current_keeper()
    name = name if keeper is None else keeper.numbered(name)
    known = None if keeper is None else keeper.known(name)
    if known is not None and known.done:
        return moved(form.from_arrays(known.arrays), where)
    if engine is not None and all(isinstance(rows, Batches) and len(rows) for rows in sets):
        found = moved(engine.total(name, sets, part, form, block_rows), where)
        if keeper is not None:
            keeper.keep(name, len(sets[0]), found.arrays(), done=True)
        return found
    start, sum_so_far = 0, None
    if known is not None:
        start, sum_so_far = known.rows, moved(form.from_arrays(known.arrays), where)
    row = start
    for row, found in parts_of(sets, part, start, block_rows):
        sum_so_far = found if sum_so_far is None else sum_so_far.merge(found)
        if keeper is not None and keeper.due():
            keeper.keep(name, row, sum_so_far.arrays(), done=False)
    if keeper is not None and sum_so_far is not None:
        keeper.keep(name, row, sum_so_far.arrays(), done=True)
    return sum_so_far


def parts_of(
    sets: Sequence[Any], part: Part[S], start: int, block_rows: int, before: int = 0
) -> Iterator[tuple[int, S]]:
    """The part of each block from row `start` on, with the row that the block ends before.

    `before` counts the rows of the whole that lie before these sets, which are a stretch of it then.
    """
    row = start
    for blocks in zip(*(iterate(rows, block_rows, start) for rows in sets), strict=True):
        if len(blocks[0]):
            found = part(before + row, *blocks)
            row += len(blocks[0])
            yield row, found


def moved(state: Any, where: Any) -> Any:
    """A state, or what is in one, with its tensors on a device; as it is for None."""
    if where is None:
        return state
    if is_dataclass(state) and not isinstance(state, type):
        return replace(
            state, **{each.name: moved(getattr(state, each.name), where) for each in fields(state)}
        )
    if isinstance(state, dict):
        return {key: moved(value, where) for key, value in state.items()}
    return state.to(where) if hasattr(state, "to") else state


def prefixed(prefix: str, state: State | None) -> Arrays:
    """The arrays of a state inside another; none for None."""
    return {} if state is None else {f"{prefix}.{key}": value for key, value in state.arrays().items()}


def inside(prefix: str, arrays: Arrays, form: type[S]) -> S | None:
    """Undoes `prefixed`."""
    found = {key[len(prefix) + 1 :]: value for key, value in arrays.items() if key.startswith(f"{prefix}.")}
    return form.from_arrays(found) if found else None
