"""Progress on standard error: one line that is rewritten on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

HELD_SECONDS = 10.0


def say(text: str, end: str = "\n") -> None:
    """Write to standard error. One that is full takes nothing, and neither stops the work nor fails it."""
    with suppress(OSError):
        print(text, end=end, file=sys.stderr, flush=True)


class Progress:
    """Call with the name of each stage; `close` ends the last line. Callable as a progress callback.

    Where standard error is no terminal, lines are held back for the first seconds: a short run, or one that
    is refused, says nothing but its result.
    """

    def __init__(self, total: int | None = None):
        self.total = total
        self.count = 0
        self.start = self.written = time.perf_counter()
        self.live = sys.stderr is not None and sys.stderr.isatty()
        self.held: list[str] = []

    def __call__(self, stage: str) -> None:
        self.count += 1
        self._write(stage)

    def within(self, detail: str) -> None:
        """Say how far the current stage is; rarely where standard error is no terminal."""
        if self.live or time.perf_counter() - self.written >= HELD_SECONDS:
            self._write(detail)

    def _write(self, text: str) -> None:
        of = f"/{self.total}" if self.total else ""
        seconds = time.perf_counter() - self.start
        line = f"[{self.count}{of}, {seconds:.0f} s] {text}"
        self.written = time.perf_counter()
        if self.live:
            say(f"\r\033[K{line}", end="")
            return
        self.held.append(line)
        if seconds >= HELD_SECONDS:
            say("\n".join(self.held))
            self.held.clear()

    def close(self) -> None:
        """Leave a clean line behind."""
        if self.live and self.count:
            say("\r\033[K", end="")
