"""ReAlign `fit` + `transform` against plain copies and against a straightforward NumPy version.

`python benchmarks/realign_speed.py` prints a table; `run()` returns its figures.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROWS, DIM, CHUNK = 30_000, 1280, 10_000
COPIES = 2.5
AT_MOST_COPIES, AT_LEAST_SLOW = 4.0, 20.0


def four_passes(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """ReAlign as one would write it down: float64, each pass normalises its chunks again."""

    def chunks(rows: np.ndarray):
        for start in range(0, len(rows), CHUNK):
            block = rows[start : start + CHUNK].astype(np.float64)
            yield start, block / np.linalg.norm(block, axis=1, keepdims=True)

    def mean(rows: np.ndarray) -> np.ndarray:
        return sum(block.sum(axis=0) for _, block in chunks(rows)) / len(rows)

    def trace(rows: np.ndarray, centre: np.ndarray) -> float:
        return sum(((block - centre) ** 2).sum() for _, block in chunks(rows)) / len(rows)

    mean_source, mean_target = mean(source), mean(target)
    scale = (trace(target, mean_target) / trace(source, mean_source)) ** 0.5

    def projected(block: np.ndarray) -> np.ndarray:
        moved = mean_target + scale * (block - mean_source)
        return moved / np.linalg.norm(moved, axis=1, keepdims=True)

    centroid = sum(projected(block).sum(axis=0) for _, block in chunks(source)) / len(source)
    result = np.empty_like(source)
    for start, block in chunks(source):
        moved = projected(block) - centroid + mean_target
        result[start : start + CHUNK] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return result


def seconds(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Best and median time of `work`."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times), statistics.median(times)


def run(repeats: int = 7) -> dict[str, float]:
    """Times in seconds, ratios of the best times, and the largest difference between both results."""
    from realign_core.alignment import ReAlign

    generator = np.random.default_rng(0)
    spectrum = np.arange(1, DIM + 1, dtype=np.float32) ** -0.5
    source, target = (
        generator.standard_normal((ROWS, DIM), dtype=np.float32) * spectrum + offset
        for offset in generator.standard_normal((2, 1, DIM), dtype=np.float32) * 0.1
    )

    def ours() -> np.ndarray:
        return ReAlign().fit(source=source, target=target).transform(source)

    slow_result = four_passes(source, target)
    difference = float(np.abs(ours() - slow_result).max())
    del slow_result
    copy, copy_median = seconds(source.copy, repeats)
    fast, fast_median = seconds(ours, repeats)
    slow, slow_median = seconds(lambda: four_passes(source, target), max(2, repeats // 3))
    return {
        "copy_seconds": copy,
        "copy_median_seconds": copy_median,
        "realign_seconds": fast,
        "realign_median_seconds": fast_median,
        "numpy_seconds": slow,
        "numpy_median_seconds": slow_median,
        "over_copies": fast / (COPIES * copy),
        "over_copies_limit": AT_MOST_COPIES,
        "faster_than_numpy": slow / fast,
        "faster_than_numpy_limit": AT_LEAST_SLOW,
        "largest_difference": difference,
    }


def main() -> None:
    """Print the table."""
    result = run()
    print(f"ReAlign fit + transform, {ROWS} x {DIM} float32    best      median")
    for label, key in (("one copy", "copy"), ("ReAlign", "realign"), ("NumPy, four passes", "numpy")):
        print(f"{label:<40} {result[f'{key}_seconds']:9.4f} {result[f'{key}_median_seconds']:9.4f} s")
    print(f"ReAlign / {COPIES} copies: {result['over_copies']:.2f} (at most {AT_MOST_COPIES})")
    print(f"NumPy / ReAlign: {result['faster_than_numpy']:.1f} (at least {AT_LEAST_SLOW})")
    print(f"largest difference: {result['largest_difference']:.1e}")


if __name__ == "__main__":
    main()
