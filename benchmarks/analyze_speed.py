"""`compare` with three methods against its own matrix products, executed bare into preallocated outputs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

import realign_core as rc
from benchmarks.timing import show
from realign_core.diagnostics.neighbours import KEY_BLOCK, QUERY_BLOCK
from realign_core.linalg import eigenvalues_descending, gram

ROWS, DIM = 10_000, 768
METHODS = ("realign", "c3", "rotation")
AT_MOST = 2.0


def synthetic_pair(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs with a shared part, a decaying spectrum and a gap, float32."""
    generator = np.random.default_rng(0)
    spectrum = np.arange(1, dim + 1, dtype=np.float32) ** -0.5
    shared, *noise = (generator.standard_normal((n, dim), dtype=np.float32) * spectrum for _ in range(3))
    centres = generator.standard_normal((2, dim), dtype=np.float32) * 0.1
    return shared + 0.5 * noise[0] + centres[0], shared + 0.5 * noise[1] + centres[1]


def clocked(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Best elapsed seconds and best processor seconds of `work`."""
    elapsed, processor = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        elapsed.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return min(elapsed), min(processor)


def product_counts(methods: int) -> dict[str, float]:
    """How often `compare` of pairs, halved for the held-out scores, forms each kind of product.

    `cosines`: n x d times d x n. `scatters`: one triangle of d x n times n x d in float64; `crosses`: the
    same of two sets, whole. Parts of n count as fractions; what the methods multiply themselves and the few
    rows settled in float64 are not counted.
    """
    half = 0.5
    cosines = {
        "both sets with themselves": 2 * (1 + half**2),
        "each method with itself and both ways with the target": methods * 3 * (1 + half**2),
        "the reference": 3 * half**2,
        "the untouched source both ways with the target": 2 * half**2,
    }
    scatters = {
        "diagnosis: target, source, differences": 3,
        "judged target rows": 1 + half,
        "each mapped set and its differences": methods * 2 * (1 + half),
        "groups left out: target, mapped, differences, mapped directions": methods * 4 * half,
        "directions of the source and of each mapped set": (1 + methods) * half,
        "source directions, groups left out": half,
        "reference, projection of both sets, picture of the source": 4 * half,
    }
    crosses = {"source with each mapped set, and groups left out": methods * 2 * half}
    kinds = {"cosines": cosines, "scatters": scatters, "crosses": crosses}
    return {kind: sum(counted.values()) for kind, counted in kinds.items()}


def eigenproblem_counts(methods: int) -> dict[str, int]:
    """How many d x d eigenproblems, with values alone and with vectors.

    Alone: residual, each mapped set twice and without each of 20 groups, reference, picture of both sets.
    With vectors: frame, both sets, projection, axes of the drift picture.
    """
    return {"values": 1 + methods * (2 + 20) + 1 + 2, "vectors": 1 + 2 + 1 + 1}


def run(repeats: int = 3) -> dict:
    """Seconds of `compare` and of its products and eigenproblems, elapsed and processor time, and ratios."""
    x, y = synthetic_pair(ROWS, DIM)
    data = rc.EmbeddingPair.from_arrays(x, y)
    rows = torch.from_numpy(x)
    wide = rows.double()
    tile = torch.empty(QUERY_BLOCK, ROWS)
    scatter = torch.empty(DIM, DIM, dtype=torch.float64)

    def cosines() -> None:
        for start in range(0, ROWS, QUERY_BLOCK):
            block = rows[start : start + QUERY_BLOCK]
            for column in range(0, ROWS, KEY_BLOCK):
                keys = rows[column : column + KEY_BLOCK]
                out = tile[: len(block), column : column + KEY_BLOCK]
                torch.mm(block, keys.mT, out=out)

    covariance = wide.mT @ wide / ROWS
    bare = {
        "cosines": cosines,
        "scatters": lambda: gram(wide),
        "crosses": lambda: torch.mm(wide.mT, wide, out=scatter),
        "values": lambda: eigenvalues_descending(covariance),
        "vectors": lambda: torch.linalg.eigh(covariance),
    }
    counts = {**product_counts(len(METHODS)), **eigenproblem_counts(len(METHODS))}
    clocked(cosines, 1)
    # What is loaded on first use is not part of the work.
    rc.compare(rc.EmbeddingPair.from_arrays(x[:200, :8], y[:200, :8]), methods=METHODS)
    single = {name: clocked(work, repeats) for name, work in bare.items()}
    total = clocked(lambda: rc.compare(data, methods=METHODS), max(1, repeats // 2))
    again = {name: clocked(work, repeats) for name, work in bare.items()}
    result: dict = {}
    for place, clock in enumerate(("elapsed", "processor")):
        spent = {name: counts[name] * min(single[name][place], again[name][place]) for name in bare}
        products = spent["cosines"] + spent["scatters"] + spent["crosses"]
        eigenproblems = spent["values"] + spent["vectors"]
        result[clock] = {
            "compare": total[place],
            "products": products,
            "eigenproblems": eigenproblems,
            "over_products": total[place] / products,
            "over_products_and_eigenproblems": total[place] / (products + eigenproblems),
        }
    labels = {
        "compare": f"compare of {', '.join(METHODS)}, {ROWS} x {DIM}",
        "products": "its matrix products, bare",
        "eigenproblems": "its eigenproblems, bare",
        "over_products": f"compare / products (at most {AT_MOST:g})",
        "over_products_and_eigenproblems": "compare / (products + eigenproblems)",
    }
    elapsed, processor = result["elapsed"], result["processor"]
    rows_shown = [(text, f"{elapsed[key]:7.2f}   {processor[key]:7.2f}") for key, text in labels.items()]
    show([("seconds and ratios", "elapsed   processor"), *rows_shown])
    return {**result, "within": elapsed["over_products"] <= AT_MOST}
