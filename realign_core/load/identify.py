"""Ids on both sides: which row of the source goes with which row of the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realign_core.load.opening import Opened
from realign_core.validation import UnusableInput


@dataclass(frozen=True, eq=False)
class IdMatch:
    """`order` puts the source rows in the target's order (None: they are); `possible` is False where the ids
    rule pairs out; `notes` are sentences for the report."""

    order: np.ndarray | None = None
    possible: bool = True
    notes: tuple[str, ...] = ()


def match_ids(target: Opened, source: Opened, paired: str) -> IdMatch:
    """Compare the two sides' ids, where both have them.

    Ids that are permutations of each other give the order; ids that differ otherwise are refused under
    `paired="yes"` and rule pairs out under `"auto"`.
    """
    if paired == "no" or target.sidecar.ids is None or source.sidecar.ids is None:
        return IdMatch()
    if target.sidecar is source.sidecar:
        return IdMatch()
    first, second = (np.asarray([str(value) for value in side.sidecar.ids]) for side in (target, source))
    if np.array_equal(first, second):
        return IdMatch()
    ranks = np.argsort(first, kind="stable"), np.argsort(second, kind="stable")
    if len(first) == len(second) and np.array_equal(first[ranks[0]], second[ranks[1]]):
        if len(np.unique(first)) == len(first):
            order = np.empty(len(first), np.int64)
            order[ranks[0]] = ranks[1]
            note = "The two files list the same ids in another order; rows were matched by id."
            return IdMatch(order, True, (note,))
        fault = "list the same ids in another order, but ids repeat, so rows cannot be matched by id"
    else:
        shared = len(np.intersect1d(first, second))
        fault = f"have different ids ({shared} of {len(first)} in {target.name} occur in {source.name})"
    if paired == "yes":
        raise UnusableInput(
            f"{target.name} and {source.name} {fault}; give rows with the same ids, or use paired=no"
        )
    return IdMatch(None, False, (f"The two files {fault}; they are treated as unpaired.",))
