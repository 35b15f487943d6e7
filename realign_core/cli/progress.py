"""Progress on standard error: one line that is rewritten on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
import time


class Progress:
    """Call with the name of each stage; `close` ends the last line. Callable as a progress callback."""

    def __init__(self, total: int | None = None):
        self.total = total
        self.count = 0
        self.start = time.perf_counter()
        self.live = sys.stderr.isatty()

    def __call__(self, stage: str) -> None:
        self.count += 1
        of = f"/{self.total}" if self.total else ""
        line = f"[{self.count}{of}, {time.perf_counter() - self.start:.0f} s] {stage}"
        if self.live:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave a clean line behind."""
        if self.live and self.count:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
