"""Sums passes over rows on a Ray cluster: stretches as tasks, their states merged in a tree of tasks.

Rows travel as recipes and are read where they are summed; the driver receives one state. A task whose
worker died is repeated elsewhere, and what it had gathered is lost with it, so no row counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import ray
from ray.exceptions import RayError, RayTaskError

from realign_core.checkpoint import checkpoint, tell
from realign_core.engine.plan import STRETCH_BYTES, planned
from realign_core.engine.work import RETRIES, Unread, merge_states, sum_stretch
from realign_core.load.batches import Batches
from realign_core.load.filed import cut, files_of
from realign_core.load.keeper import kept_by
from realign_core.load.passes import Part, State, summed_by, total
from realign_core.validation import UnusableInput

S = TypeVar("S", bound=State)

BRANCHES = 8
"""So many states does a merging task take."""


class RayEngine:
    """Sums rows of files on the cluster that this process has joined.

    Rows in memory stay here and are summed here, which `tell` says. `stretch_bytes` is the least size of a
    stretch of rows that is sent as one task.
    """

    def __init__(self, *, stretch_bytes: int = STRETCH_BYTES):
        self.stretch_bytes = stretch_bytes

    def total(self, name: str, sets: Sequence[Batches], part: Part[S], form: type[S], block_rows: int) -> S:
        """The merged parts of all rows. Raises `UnusableInput` as the same sum on one machine would."""
        if any(files_of(rows.source) is None for rows in sets):
            tell(f"{name}: rows in memory are summed on this machine")
            with summed_by(None), kept_by(None):
                return cast(S, total(name, sets, part, form, block_rows=block_rows))
        if len({len(rows) for rows in sets}) > 1:
            raise ValueError(f"{name}: the sets have {[len(rows) for rows in sets]} rows; they must be equal")
        step = min(block_rows, *(rows.block_rows for rows in sets))
        stretches = planned(sets, step, self.stretch_bytes)
        # What a part holds may be as long as the sets, so it is sent once and not with every task.
        shared = ray.put(part)
        states, outcomes = [], []
        for start, stop in stretches:
            there = [cut(rows, start, stop) for rows in sets]
            state, outcome = sum_stretch.remote(shared, there, start, step)
            states.append(state)
            outcomes.append(outcome)
        while len(states) > 1:
            states = [
                merge_states.remote(*states[first : first + BRANCHES])
                for first in range(0, len(states), BRANCHES)
            ]
        await_all(name, outcomes, stretches)
        return cast(S, fetched(name, states[0]))


def await_all(name: str, outcomes: Sequence[Any], stretches: Sequence[tuple[int, int]]) -> None:
    """Wait for all stretches in order, saying how far they are.

    Raises `UnusableInput` with the sentence of the first stretch that has one. What is still to come then, as
    after an interruption, goes on until the process leaves the cluster, which the command line does at once.
    """
    # Nothing is cancelled: where the reply of a cancelled task is on the way, by force or not, Ray 2.60 finds
    # no such task and ends this whole process.
    for outcome, (_, stop) in zip(outcomes, stretches, strict=True):
        sentence = fetched(name, outcome)
        if sentence is not None:
            raise UnusableInput(sentence)
        if len(outcomes) > 1:
            tell(f"{name}: {stop} of {stretches[-1][1]} rows")


def fetched(name: str, reference: Any) -> Any:
    """What a task gives, once it is there; whoever started the work may stop it meanwhile."""
    try:
        while not ray.wait([reference], timeout=0.5)[0]:
            checkpoint()
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, Unread):
            raise UnusableInput(str(error.cause)) from None
        raise RuntimeError(f"{name}: a worker failed: {type(error.cause).__name__}: {error.cause}") from error
    except RayError as error:
        raise UnusableInput(
            f"{name}: workers died {RETRIES + 1} times on the same rows ({type(error).__name__}), as they do "
            "where memory runs out; give them more, or run fewer on a machine (ray start --num-cpus)"
        ) from error
