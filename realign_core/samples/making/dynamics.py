"""The snapshots that are shipped: some of a run's, fewer rows of each, in half precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from realign_core.training.snapshots import (
    NAME,
    open_snapshots,
    read_snapshot,
    snapshot_name,
    write_record,
    write_snapshot,
)

CLOSE = 1e-3
"""Largest rounding of an array, against its own length, at which it is kept in half precision."""


def ship_training(run: Path, out: Path, *, count: int, rows: int) -> tuple[int, ...]:
    """Write about `count` snapshots and the record into `out`; returns their steps.

    Other snapshots that lie there are removed. The scalars of a snapshot stay those of the whole probe.
    """
    folder = open_snapshots(run)
    out.mkdir(parents=True, exist_ok=True)
    for path in out.iterdir():
        if NAME.fullmatch(path.name):
            path.unlink()
    steps = chosen_steps(folder.steps, count)
    of = 0
    for step in steps:
        snapshot = read_snapshot(run / snapshot_name(step))
        of = len(snapshot.image_embeddings)
        write_snapshot(
            out,
            replace(
                snapshot,
                image_embeddings=small(snapshot.image_embeddings[:rows]),
                text_embeddings=small(snapshot.text_embeddings[:rows]),
                image_grads=None if snapshot.image_grads is None else small(snapshot.image_grads),
                text_grads=None if snapshot.text_grads is None else small(snapshot.text_grads),
            ),
        )
    note = (
        f"The snapshots beside this record are {len(steps)} of the run's {len(folder)}, and hold the first "
        f"{min(rows, of)} of its {of} probe pairs; loss and retrieval are those of the run."
    )
    shipped = {"steps": list(steps), "probe_rows": min(rows, of), "note": note}
    write_record(out, {**folder.record, "shipped": shipped})
    return steps


def chosen_steps(steps: tuple[int, ...], count: int) -> tuple[int, ...]:
    """At most `count` of the steps: the first and the last, between them in about equal ratios."""
    if len(steps) <= count:
        return steps
    first, later = steps[0], np.array(steps[1:])
    left = list(later)
    chosen = {first}
    for wanted in np.geomspace(later[0], later[-1], count - 1)[::-1]:
        # From the last step down, so that the close early ones give way where they fall together.
        nearest = min(left, key=lambda step: abs(step - wanted))
        chosen.add(int(nearest))
        left.remove(nearest)
    return tuple(sorted(chosen))


def small(array: np.ndarray) -> np.ndarray:
    """The array in half precision, unless that would round it by more than `CLOSE` of its length."""
    half = array.astype(np.float16)
    error = np.linalg.norm(half.astype(np.float64) - array)
    return half if error <= CLOSE * np.linalg.norm(array.astype(np.float64)) else array.astype(np.float32)
