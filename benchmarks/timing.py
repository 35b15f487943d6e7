"""What the benchmarks share: repeated timing and a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any


def best_seconds(work: Callable[[], Any], repeats: int = 5) -> float:
    """Shortest of several runs: what the work takes when nothing else runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def alternate(works: dict[str, Callable[[], Any]], repeats: int = 5) -> dict[str, float]:
    """Shortest run of each, taken in turns, so that a busy moment strikes all alike."""
    return {name: min(times) for name, times in in_turns(works, repeats).items()}


def in_turns(works: dict[str, Callable[[], Any]], repeats: int = 5) -> dict[str, list[float]]:
    """Seconds of every run of each, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            times[name].append(best_seconds(work, 1))
    return times


def show(rows: Iterable[tuple[str, str]]) -> None:
    """Two aligned columns."""
    rows = list(rows)
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        print(f"  {label:<{width}}  {value}")
