"""One set on its way into a pair: the rows that are wanted, and what reading them once has shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event

import numpy as np

from realign_core.checkpoint import checked_by, checkpoint
from realign_core.load.batches import Batches
from realign_core.load.opening import Opened
from realign_core.load.scan import REASONS, Scan, scan
from realign_core.validation import UnusableInput

Scanner = Callable[..., Scan]
_scanner: ContextVar[Scanner] = ContextVar("scanner", default=scan)


@contextmanager
def scanned_by(scanner: Scanner) -> Iterator[None]:
    """Within this context sets are scanned by `scanner`, which takes and gives what `scan` does."""
    token = _scanner.set(scanner)
    try:
        yield
    finally:
        _scanner.reset(token)


@dataclass(frozen=True, eq=False)
class Side:
    """`wanted` are row indices in the file (None: all of them), `scan` has an entry for each."""

    opened: Opened
    wanted: np.ndarray | None
    scan: Scan

    @classmethod
    def read(cls, opened: Opened, wanted: np.ndarray | None, *, normalize: bool = True) -> Side:
        """Scan the wanted rows, in one pass."""
        scanner = _scanner.get()
        return cls(opened, wanted, scanner(Batches(opened.rows, keep=wanted), normalize=normalize))

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
    both: tuple[Opened, Opened], wanted: Sequence[np.ndarray | None], *, normalize: bool
) -> tuple[Side, Side]:
    """Scan both sets at once; an interruption here stops the threads at their next block."""
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise CancelledError

    scanner = _scanner.get()

    def read(opened: Opened, rows: np.ndarray | None) -> Side:
        # A thread begins in a context of its own.
        with checked_by(check), scanned_by(scanner):
            return Side.read(opened, rows, normalize=normalize)

    with ThreadPoolExecutor(len(both)) as pool:
        scans = [pool.submit(read, *side) for side in zip(both, wanted, strict=True)]
        try:
            while wait(scans, timeout=0.1).not_done:
                checkpoint()
        except BaseException:
            stop.set()
            raise
        first, second = (found.result() for found in scans)
        return first, second
