"""Ours against scikit-learn, FAISS, POT and NumPy on the same rows: time, memory and error against float64.

Times are medians of runs in turns after a warm-up, in this process; who takes longer than `SLOW` seconds in
the warm-up is timed by that alone, and marked. Memory is the peak that one run adds,
its result included, to a process of its own that holds the float32 rows and has imported all it needs.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contests import CONTESTS, WARM_ROWS, Errors, K, unit_pair
from benchmarks.streaming import watch
from benchmarks.timing import in_turns, show

ROWS, NEIGHBOUR_ROWS, DIM = 50_000, 20_000, 512
OURS = "ours"
AT_MOST = 1.05
SLOW = 5.0


def run(
    rows: int = ROWS,
    neighbour_rows: int = NEIGHBOUR_ROWS,
    dim: int = DIM,
    repeats: int = 3,
    *,
    with_memory: bool = True,
) -> dict[str, Any]:
    """`table[contest][contestant]` with `seconds`, `extra_mb` and `errors`, and whether the bounds hold.

    Bounds: ours errs at most as much as each contestant that computes in float32; its neighbours take at
    most `AT_MOST` of the fastest that errs no more. Other times are recorded without a bound: where the
    others compute in float32 and ours in float64, they may well be faster.
    """
    table = {}
    for contest in CONTESTS:
        n = neighbour_rows if contest == "neighbours" else rows
        table[contest] = compared(contest, *unit_pair(n, dim), repeats, with_memory=with_memory)
        print(f"  {contest}, {n:,} x {dim}" + (f", k = {K}" if contest == "neighbours" else ""))
        show((f"  {name}", described(entry)) for name, entry in table[contest].items())
    accurate = {contest: errs_least(contest, entries) for contest, entries in table.items()}
    ratio = over_fastest(table["neighbours"])
    show(
        [
            *(
                (f"{contest}: ours errs no more than float32", str(held))
                for contest, held in accurate.items()
            ),
            (
                f"neighbours: ours over the fastest that errs no more (at most {AT_MOST})",
                "none errs as little" if ratio is None else f"{ratio:.2f}",
            ),
        ]
    )
    within = all(accurate.values()) and (ratio is None or ratio <= AT_MOST)
    return {"table": table, "accurate": accurate, "ratio": ratio, "within": within}


def compared(
    contest: str, source: np.ndarray, target: np.ndarray, repeats: int, *, with_memory: bool
) -> dict[str, dict[str, Any]]:
    """Seconds, memory and errors of each contestant."""
    given = (source, target) if CONTESTS[contest].paired else (target,)
    works: dict[str, Callable[[], Any]] = {
        name: partial(work, *given) for name, work in CONTESTS[contest].works.items()
    }
    judge = CONTESTS[contest].judge(*given)
    errors: dict[str, Errors] = {}
    first: dict[str, float] = {}
    # The run that is judged is the warm-up; a few rows first, so that it does not pay for imports.
    for name, work in works.items():
        CONTESTS[contest].works[name](*(part[:WARM_ROWS] for part in given))
        start = time.perf_counter()
        found = work()
        first[name] = time.perf_counter() - start
        errors[name] = judge(found)
        del found
    del judge
    quick = {name: work for name, work in works.items() if first[name] <= SLOW}
    times = {name: [seconds] for name, seconds in first.items()} | in_turns(quick, repeats)
    memory = extra_memory(contest, source, target) if with_memory else {}
    return {
        name: {
            "seconds": statistics.median(times[name]),
            "once": name not in quick,
            "extra_mb": memory.get(name),
            "errors": errors[name],
        }
        for name in works
    }


def extra_memory(
    contest: str, source: np.ndarray, target: np.ndarray, names: tuple[str, ...] = ()
) -> dict[str, float]:
    """Peak in MB that each contestant adds, of all where none is named."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.save(folder / "source.npy", source)
        np.save(folder / "target.npy", target)
        for name in names or tuple(CONTESTS[contest].works):
            watch([sys.executable, "-m", "benchmarks.contests", contest, name, "memory.json"], folder)
            found[name] = json.loads((folder / "memory.json").read_text())["mb"]
    return found


def errs_least(contest: str, entries: dict[str, dict[str, Any]]) -> bool:
    """Whether ours errs at most as much as each contestant that computes in float32, in every measure."""
    return all(
        error <= entries[name]["errors"][measure]
        for measure, error in entries[OURS]["errors"].items()
        for name in CONTESTS[contest].single
    )


def over_fastest(entries: dict[str, dict[str, Any]]) -> float | None:
    """Time of ours over that of the fastest alternative that errs no more; None where each errs more."""
    own = entries[OURS]
    rivals = [
        entry["seconds"]
        for name, entry in entries.items()
        if name != OURS and all(entry["errors"][measure] <= error for measure, error in own["errors"].items())
    ]
    return own["seconds"] / min(rivals) if rivals else None


def described(entry: dict[str, Any]) -> str:
    """One line of the table."""
    memory = "" if entry["extra_mb"] is None else f"{entry['extra_mb']:6.0f} MB  "
    errors = ", ".join(f"{measure} {error:.1e}" for measure, error in entry["errors"].items())
    once = " (one run)" if entry["once"] else ""
    return f"{entry['seconds']:7.3f} s  {memory}{errors}{once}"
