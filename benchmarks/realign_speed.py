"""ReAlign `fit` + `transform` against plain copies and against a straightforward NumPy version."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.timing import alternate, show
from realign_core.alignment import ReAlign

ROWS, DIM, CHUNK = 30_000, 1280, 10_000
COPIES = 2.5
AT_MOST_COPIES, AT_LEAST_SLOW, LARGEST_DIFFERENCE = 4.0, 20.0, 1e-6


def four_passes(source: np.ndarray, target: np.ndarray, dtype: type[np.floating] = np.float64) -> np.ndarray:
    """ReAlign as one would write it down: each pass normalises its chunks again and computes in `dtype`."""

    def chunks(rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(rows), CHUNK):
            block = rows[start : start + CHUNK].astype(dtype)
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


def run(repeats: int = 7) -> dict[str, float | bool]:
    """Best times in seconds, taken in turns, their ratios, and the largest difference of the results."""
    generator = np.random.default_rng(0)
    spectrum = np.arange(1, DIM + 1, dtype=np.float32) ** -0.5
    source, target = (
        generator.standard_normal((ROWS, DIM), dtype=np.float32) * spectrum + offset
        for offset in generator.standard_normal((2, 1, DIM), dtype=np.float32) * 0.1
    )

    def ours() -> np.ndarray:
        return ReAlign().fit(source=source, target=target).transform(source)

    difference = float(np.abs(ours() - four_passes(source, target)).max())
    works = {"copy": source.copy, "realign": ours, "numpy": lambda: four_passes(source, target)}
    best = alternate(works, repeats)
    over_copies = best["realign"] / (COPIES * best["copy"])
    faster = best["numpy"] / best["realign"]
    show(
        [
            ("one plain copy", f"{best['copy']:.3f} s"),
            ("ReAlign fit + transform", f"{best['realign']:.3f} s"),
            ("NumPy, four passes", f"{best['numpy']:.2f} s"),
            (f"ReAlign over {COPIES} copies", f"{over_copies:.2f} (at most {AT_MOST_COPIES:g})"),
            ("NumPy over ReAlign", f"{faster:.1f} (at least {AT_LEAST_SLOW:g})"),
            ("largest difference", f"{difference:.1e} (at most {LARGEST_DIFFERENCE:g})"),
        ]
    )
    within = over_copies <= AT_MOST_COPIES and faster >= AT_LEAST_SLOW and difference <= LARGEST_DIFFERENCE
    return {**best, "over_copies": over_copies, "faster": faster, "difference": difference, "within": within}
