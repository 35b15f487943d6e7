"""Rates of every pass of `analyze` and `align`, in one process and on a local Ray cluster of two workers.

From the rates of the cluster follows what larger sets take on one node like this machine, in proportion to
the rows: passes read all rows and do the same work for each, and what else is read is bounded. That is an
extrapolation, and assumes that the files can be read as fast as here.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.streaming import write_pair
from benchmarks.timing import show

ROWS = 150_000
DIM = 768
WORKERS = 2
SIZES = (10**6, 10**7, 10**8, 10**9)


@dataclass(frozen=True)
class Pass:
    """One pass over rows: how many sets it read, and the time it took."""

    name: str
    rows: int
    size: int
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.started


class Timed:
    """An engine that notes the passes which another, or this process, sums."""

    def __init__(self, inner: Any = None):
        self.inner = inner
        self.passes: list[Pass] = []

    def total(self, name: str, sets: Any, part: Any, form: Any, block_rows: int) -> Any:
        from realign_core.load.passes import summed_by, total

        def work() -> Any:
            if self.inner is not None:
                return self.inner.total(name, sets, part, form, block_rows)
            with summed_by(None):
                return total(name, sets, part, form, block_rows=block_rows)

        return self.note(name, sets, work)

    def note(self, name: str, sets: Any, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        found = work()
        size = sum(len(rows) * rows.shape[1] * 2 for rows in sets)
        self.passes.append(Pass(name, len(sets[0]), size, started, time.perf_counter()))
        return found


def run(rows: int = ROWS, dim: int = DIM) -> dict[str, Any]:
    """Rates of the passes, one process and cluster, and the sizing table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pair(folder, rows, dim)
        alone = measured(folder, Timed(), "alone")
        with cluster() as engine:
            shared = measured(folder, Timed(engine), "shared")
    table = {label: [sized(shared[label], rows, size) for size in SIZES] for label in ("analyze", "align")}
    for label, passes in shared.items():
        show(rate_lines(label, alone[label], passes))
    show(
        (
            f"{label}, {entry['rows']:.0e} rows",
            f"{entry['gigabytes']:,.0f} GB read, {entry['hours']:,.2f} h on a node of {WORKERS} cores",
        )
        for label, entries in table.items()
        for entry in entries
    )
    return {"rows": rows, "dim": dim, "workers": WORKERS, "table": table}


def measured(folder: Path, timed: Timed, name: str) -> dict[str, list[Pass]]:
    """The passes of `analyze --methods realign` and of `align`, with the mapping of all rows."""
    from realign_core.alignment import ReAlign
    from realign_core.alignment.output import write_mapped
    from realign_core.comparison import compare
    from realign_core.load import load_pair, load_sets
    from realign_core.load.passes import summed_by

    found = {}
    paths = str(folder / "target.npy"), str(folder / "source.npy")
    with summed_by(timed):
        pair = load_pair(*paths, paired="yes")
        compare(pair, ["realign"], device="cpu", bootstrap=2, score_rows=500)
        found["analyze"], timed.passes = timed.passes, []
        target, source = (found.rows for found in load_sets(*paths))
        method = ReAlign().fit(source=source, target=target)
        out = folder / name
        out.mkdir()
        if timed.inner is None:
            timed.note("map and write", [source], lambda: write_mapped(out / "mapped.npy", method, source))
        else:
            from realign_core.engine.writer import write_shards

            timed.note("map and write", [source], lambda: write_shards(method, source, str(out)))
        found["align"] = timed.passes
    return found


@contextmanager
def cluster() -> Iterator[Any]:
    """An engine on a warm local cluster."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
    import logging
    import sys

    import ray
    import ray.data

    from realign_core.engine.ray_engine import RayEngine

    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    ray.init(
        address="local",
        num_cpus=WORKERS,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )

    @ray.remote
    def warm() -> None:
        import realign_core.alignment
        import realign_core.comparison  # noqa: F401

        time.sleep(1)

    try:
        ray.get([warm.remote() for _ in range(WORKERS)])
        # The first data set of a session starts what all others use.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        ray.data.from_items([0]).map(lambda row: row).take_all()
        yield RayEngine()
    finally:
        ray.shutdown()


def sized(passes: list[Pass], rows: int, wanted: int) -> dict[str, float]:
    """What `wanted` rows take, in proportion to the passes over `rows`."""
    share = wanted / rows
    return {
        "rows": wanted,
        "gigabytes": sum(entry.size for entry in passes) * share / 1e9,
        "hours": busy(passes) * share / 3600,
    }


def busy(passes: list[Pass]) -> float:
    """Seconds in which a pass ran: both sets are scanned at once, and that time counts once."""
    total, until = 0.0, 0.0
    for entry in sorted(passes, key=lambda entry: entry.started):
        total += max(0.0, entry.ended - max(entry.started, until))
        until = max(until, entry.ended)
    return total


def rate_lines(label: str, alone: list[Pass], shared: list[Pass]) -> Iterator[tuple[str, str]]:
    """A line a pass: rows and bytes a second."""
    for one, other in zip(alone, shared, strict=True):
        rates = [
            f"{entry.rows / entry.seconds:,.0f} rows/s, {entry.size / entry.seconds / 1e6:,.0f} MB/s"
            for entry in (one, other)
        ]
        yield f"{label}, {one.name}", f"{rates[0]} alone; {rates[1]} with {WORKERS} workers"
