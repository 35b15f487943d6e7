"""What workers do: sum a stretch of rows, scan one, and merge what others have summed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import reduce
from typing import Any

import ray

from realign_core.load.batches import Batches
from realign_core.load.passes import parts_of
from realign_core.validation import UnusableInput

RETRIES = 3
"""So often is a task repeated whose worker died or could not read."""


class Unread(OSError):
    """A file could not be read just now: the task is repeated. If that fails, this sentence is the user's."""


def answered(work: Callable[[], Any]) -> tuple[Any, str | None]:
    """What `work` gives, or the sentence of its `UnusableInput`: that is an answer, and not to be retried.

    Raises `Unread` where the system failed to read, which another try or another worker may do.
    """
    try:
        return work(), None
    except UnusableInput as error:
        if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, PermissionError):
            raise Unread(str(error)) from None
        return None, str(error)


def insistent(work: Callable[[], Any]) -> tuple[Any, str | None]:
    """As `answered`, but a failed read is tried again here, and in the end its sentence is the answer."""
    for _ in range(RETRIES):
        with suppress(Unread):
            return answered(work)
    try:
        return answered(work)
    except Unread as error:
        return None, str(error)


def _task(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    return ray.remote(max_retries=RETRIES, retry_exceptions=[OSError], **options)


@_task(num_returns=2, scheduling_strategy="SPREAD")
def sum_stretch(
    part: Callable[..., Any], sets: Sequence[Batches], first_row: int, step: int
) -> tuple[Any, str | None]:
    """The merged parts of the blocks of a stretch that begins at `first_row`, and what is unusable."""

    def work() -> Any:
        states = (state for _, state in parts_of(sets, part, 0, step, before=first_row))
        return reduce(lambda first, second: first.merge(second), states)

    return answered(work)


@_task()
def merge_states(*states: Any) -> Any:
    """The states of neighbouring stretches merged in order; None where one of them has none."""
    if any(state is None for state in states):
        return None
    return reduce(lambda first, second: first.merge(second), states)
