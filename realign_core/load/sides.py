"""One set on its way into a pair: the rows that are wanted, and what reading them once has shown."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from threading import Event

import numpy as np

from realign_core.checkpoint import checked_by, checkpoint, count, counted_by
from realign_core.load.batches import Batches
from realign_core.load.digests import labels_of_rows
from realign_core.load.opening import Opened
from realign_core.load.scan import REASONS, Scan, scan
from realign_core.validation import UnusableInput

ROLES = ("target", "source")


@dataclass(frozen=True, eq=False)
class Side:
    """`wanted` are row indices in the file (None: all of them), `scan` has an entry for each."""

    opened: Opened
    wanted: np.ndarray | None
    scan: Scan

    @classmethod
    def read(
        cls,
        opened: Opened,
        wanted: np.ndarray | None,
        *,
        role: str,
        normalize: bool = True,
        sketches: bool = True,
    ) -> Side:
        """Scan the wanted rows, in one pass; `role` is the set's name among the passes that are kept."""
        rows = Batches(opened.rows, keep=wanted)
        return cls(opened, wanted, scan(rows, normalize=normalize, name=role, sketches=sketches))

    @property
    def good(self) -> np.ndarray:
        return self.scan.fault == 0

    def at(self, keep: np.ndarray) -> np.ndarray:
        """Row indices in the file of the wanted rows where `keep`."""
        index = np.flatnonzero(keep)
        return index if self.wanted is None else self.wanted[index]

    def batches(self, keep: np.ndarray) -> Batches:
        """The wanted rows where `keep`, to be read on demand."""
        if self.wanted is None and keep.all():
            return Batches(self.opened.rows)
        return Batches(self.opened.rows, keep=self.at(keep))

    def labels(self, keep: np.ndarray, name: str) -> tuple[np.ndarray, int]:
        """For each of the wanted rows where `keep` the number of the first that equals it; how many differ.

        `name` is that of the set among the passes that are kept.
        """
        return labels_of_rows(self.batches(keep), self.scan.sketch[keep], name=name)

    def reasons(self) -> dict[str, int]:
        """How many rows are unusable, by reason."""
        counts = {name: int((self.scan.fault == code).sum()) for code, name in REASONS.items()}
        return {name: count for name, count in counts.items() if count}

    def first_fault(self) -> tuple[int, str]:
        """Row in the file and reason of the first unusable row."""
        index = int(np.argmax(self.scan.fault != 0))
        row = index if self.wanted is None else int(self.wanted[index])
        return row, REASONS[int(self.scan.fault[index])]

    def require(self, keep: np.ndarray) -> None:
        """Raise UnusableInput when fewer than two rows are kept."""
        count = int(keep.sum())
        if count >= 2:
            return
        left = "no usable rows" if count == 0 else "one usable row"
        why = ", ".join(f"{number} {name}" for name, number in self.reasons().items())
        where = f" (first: row {self.first_fault()[0]})" if why else ""
        raise UnusableInput(
            f"{self.opened.name} has {left} of {len(keep)}{': ' + why + where if why else ''}; "
            "at least 2 finite rows other than zero are needed"
        )


def read_sides(
    both: tuple[Opened, Opened],
    wanted: Sequence[np.ndarray | None],
    *,
    normalize: bool,
    sketches: bool = True,
) -> tuple[Side, Side]:
    """Scan both sets at once; an interruption here stops the threads at their next block.

    Rows of both together are counted for who listens to this thread.
    """
    stop = Event()
    done = [0, 0]
    of = sum(opened.rows.shape[0] if rows is None else len(rows) for opened, rows in zip(both, wanted))

    def check() -> None:
        if stop.is_set():
            raise CancelledError

    def read(number: int, role: str) -> Side:
        def note(rows: int, _: int) -> None:
            done[number] = rows

        with checked_by(check), counted_by(note):
            return Side.read(both[number], wanted[number], role=role, normalize=normalize, sketches=sketches)

    with ThreadPoolExecutor(len(both)) as pool:
        # A thread starts without the context of who starts it, in which engine and keeper stand.
        scans = [
            pool.submit(copy_context().run, partial(read, number, role)) for number, role in enumerate(ROLES)
        ]
        try:
            while wait(scans, timeout=0.1).not_done:
                checkpoint()
                count(sum(done), of)
        except BaseException:
            stop.set()
            raise
        first, second = (found.result() for found in scans)
        return first, second
