"""What `alternatives` compares: seeded rows, who computes what from them, and float64 to measure against.

A contestant gets float32 rows and gives what float64 is compared with; ours comes first in each contest.
`python -m benchmarks.contests CONTEST CONTESTANT FILE` measures the memory of one in a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.realign_speed import four_passes
from benchmarks.streaming import memory_of
from realign_core.alignment import GaussianOT, ReAlign
from realign_core.diagnostics.neighbours import RowSet, nearest
from realign_core.linalg import eigh_descending
from realign_core.moments import Moments

# The alternatives are imported where they are used: a process that measures memory needs one of them.

K = 20
LEADING = 64
QUERIES = 4_000
SLICE = 10_000
WARM_ROWS = 1_024
TIED = 1e-12
POT_REG = 1e-8
"""POT's default, added to the diagonal of both covariances; the method has no setting for none."""

Errors = dict[str, float]


@dataclass(frozen=True)
class Contest:
    """Contestants by name, those of them that compute in float32, and what measures a result's errors.

    With `paired` a contestant is called with source and target rows, else with the target's alone; so is
    `judge`, which gives the function from a result to its errors by name, 0 for none.
    """

    works: dict[str, Callable[..., Any]]
    single: frozenset[str]
    judge: Callable[..., Callable[[Any], Errors]]
    paired: bool = True


def unit_pair(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Source and target rows `(n, dim)`: float32 of length 1, each with a falling spectrum in a basis of its
    own, under means that lie apart."""
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.standard_normal((dim, dim)))[0].astype(np.float32)
    sets = []
    for power, turn in ((0.4, basis), (0.5, None)):
        spread = np.arange(1, dim + 1, dtype=np.float32) ** np.float32(-power)
        rows = generator.standard_normal((n, dim), dtype=np.float32) * spread
        offset = generator.standard_normal(dim, dtype=np.float32)
        rows = rows if turn is None else rows @ turn
        rows += offset * (np.linalg.norm(spread) / (2 * np.linalg.norm(offset)))
        sets.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return sets[0], sets[1]


# Eigenvalues and eigenvectors of the population covariance: values descending, vectors in columns.


def our_spectrum(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    moments = Moments.from_batches(rows, normalize=False, device="cpu")
    values, vectors = eigh_descending(moments.covariance)
    return values.numpy(), vectors.numpy()


def float32_spectrum(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centred = rows - rows.mean(axis=0)
    return _descending(centred.T @ centred / np.float32(len(rows)))


def float64_spectrum(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # np.cov computes in float64 whatever it is given.
    return _descending(np.cov(rows, rowvar=False, bias=True))


def incremental_spectrum(rows: np.ndarray, components: int | None) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.decomposition import IncrementalPCA

    components = components and min(components, rows.shape[1] // 2)
    model = IncrementalPCA(n_components=components).fit(rows)
    return model.explained_variance_ * ((len(rows) - 1) / len(rows)), model.components_.T


def judge_spectrum(rows: np.ndarray) -> Callable[[Any], Errors]:
    """Largest relative error of the leading eigenvalues; sine of the largest angle of their subspace."""
    exact_values, exact_vectors = _descending(np.cov(rows.astype(np.float64), rowvar=False, bias=True))
    leading = min(LEADING, rows.shape[1] // 2)
    reference = exact_vectors[:, :leading]

    def errors(found: tuple[np.ndarray, np.ndarray]) -> Errors:
        values, vectors = (part[..., :leading].astype(np.float64) for part in found)
        # Vectors found in float32 are orthonormal to float32 only.
        vectors = np.linalg.qr(vectors)[0]
        outside = vectors - reference @ (reference.T @ vectors)
        return {
            "eigenvalues": float(np.abs(values / exact_values[:leading] - 1).max()),
            "subspace": float(np.linalg.norm(outside, 2)),
        }

    return errors


def _descending(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1], vectors[:, ::-1]


# Indices `(n, K)` of the nearest other rows by cosine.


def our_neighbours(rows: np.ndarray) -> np.ndarray:
    prepared = RowSet(torch.from_numpy(rows).double())
    return nearest(prepared, prepared, K, exclude_self=True).indices.numpy()


def faiss_neighbours(rows: np.ndarray) -> np.ndarray:
    import faiss

    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    # FAISS finds each row itself; one neighbour more makes up for it.
    found = index.search(rows, K + 1)[1]
    own = found == np.arange(len(rows))[:, None]
    own[:, -1] |= ~own.any(axis=1)
    return found[~own].reshape(len(rows), K)


def sklearn_neighbours(rows: np.ndarray, metric: str) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    model = NearestNeighbors(n_neighbors=K, algorithm="brute", metric=metric).fit(rows)
    return model.kneighbors(return_distance=False)


def judge_neighbours(rows: np.ndarray) -> Callable[[Any], Errors]:
    """Share of the neighbours of `QUERIES` seeded queries that float64 does not count among the nearest.

    A row whose cosine equals the k-th largest to `TIED` counts among them, whichever of the tied is found;
    a row found twice counts once, and the query itself never.
    """
    queries = np.sort(np.random.default_rng(1).permutation(len(rows))[:QUERIES])
    exact = rows.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    cosines = exact[queries] @ exact.T
    cosines[np.arange(len(queries)), queries] = -np.inf
    border = np.partition(cosines, -K, axis=1)[:, -K]

    def errors(found: np.ndarray) -> Errors:
        found = np.sort(found[queries], axis=1)
        right = np.take_along_axis(cosines, found, axis=1) >= border[:, None] - TIED
        right[:, 1:] &= found[:, 1:] != found[:, :-1]
        return {"missed": float(1 - right.mean())}

    return errors


# Source rows mapped by the transport map between Gaussians, without projection to the sphere.


def our_transport(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    aligner = GaussianOT(shrinkage=None, normalize=False)
    return aligner.fit(source=source, target=target).transform(source)


def pot_transport(source: np.ndarray, target: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    import ot

    source, target = source.astype(dtype, copy=False), target.astype(dtype, copy=False)
    transport = ot.da.LinearTransport(reg=POT_REG, bias=True).fit(Xs=source, Xt=target)
    return transport.transform(Xs=source)


def closed_transport(source: np.ndarray, target: np.ndarray, reg: float = 0.0) -> np.ndarray:
    """`mu_x + (y - mu_y) A`, float64, A in closed form (Peyre & Cuturi 2019, remark 2.31)."""
    source, target = source.astype(np.float64), target.astype(np.float64)
    s_y, s_x = (
        np.cov(rows, rowvar=False, bias=True) + reg * np.eye(rows.shape[1]) for rows in (source, target)
    )
    values, vectors = np.linalg.eigh(s_y)
    root, inverse = ((vectors * values**power) @ vectors.T for power in (0.5, -0.5))
    values, vectors = np.linalg.eigh(root @ s_x @ root)
    matrix = inverse @ (vectors * values**0.5) @ vectors.T @ inverse
    return target.mean(axis=0) + (source - source.mean(axis=0)) @ matrix


def judge_transport(source: np.ndarray, target: np.ndarray) -> Callable[[Any], Errors]:
    """Largest error of a mapped row, relative to its length, from the map without regularisation.

    Ours has none either (`shrinkage=None`); POT adds `POT_REG`, and its `fit` finds the inverse map as well.
    """
    exact = closed_transport(source, target)
    return lambda found: {"rows": largest_row_error(found, exact, relative=True)}


# Source rows mapped by ReAlign.


def our_realign(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return ReAlign().fit(source=source, target=target).transform(source)


def judge_realign(source: np.ndarray, target: np.ndarray) -> Callable[[Any], Errors]:
    """Largest error of a mapped row, of length 1."""
    exact = four_passes(source.astype(np.float64), target)
    return lambda found: {"rows": largest_row_error(found, exact)}


def largest_row_error(found: np.ndarray, exact: np.ndarray, *, relative: bool = False) -> float:
    """Largest length of a row of the difference; with `relative` over the length of the exact row."""
    largest = 0.0
    for start in range(0, len(exact), SLICE):
        part = exact[start : start + SLICE]
        errors = np.linalg.norm(found[start : start + SLICE] - part, axis=1)
        largest = max(largest, float((errors / (np.linalg.norm(part, axis=1) if relative else 1)).max()))
    return largest


CONTESTS = {
    "spectrum": Contest(
        {
            "ours": our_spectrum,
            "NumPy, float32": float32_spectrum,
            "np.cov, the reference": float64_spectrum,
            f"IncrementalPCA, {LEADING}": lambda rows: incremental_spectrum(rows, LEADING),
            "IncrementalPCA, all": lambda rows: incremental_spectrum(rows, None),
        },
        frozenset({"NumPy, float32", f"IncrementalPCA, {LEADING}", "IncrementalPCA, all"}),
        judge_spectrum,
        paired=False,
    ),
    "neighbours": Contest(
        {
            "ours": our_neighbours,
            "FAISS flat": faiss_neighbours,
            "scikit-learn, cosine": lambda rows: sklearn_neighbours(rows, "cosine"),
            "scikit-learn, euclidean": lambda rows: sklearn_neighbours(rows, "euclidean"),
        },
        frozenset({"FAISS flat", "scikit-learn, cosine", "scikit-learn, euclidean"}),
        judge_neighbours,
        paired=False,
    ),
    "transport": Contest(
        {
            "ours": our_transport,
            "POT, float32": lambda source, target: pot_transport(source, target, np.float32),
            "POT, float64": lambda source, target: pot_transport(source, target, np.float64),
        },
        frozenset({"POT, float32"}),
        judge_transport,
    ),
    "realign": Contest(
        {
            "ours": our_realign,
            "NumPy, float32": lambda source, target: four_passes(source, target, np.float32),
            "NumPy, float64": four_passes,
        },
        frozenset({"NumPy, float32"}),
        judge_realign,
    ),
}


def measure_memory(contest: str, contestant: str, result: Path) -> None:
    """Write the peak in MB that one run adds to a process that holds its rows and has run on a few of them.

    The rows lie in the current folder. The few have loaded what the contestant imports.
    """
    names = ("source.npy", "target.npy") if CONTESTS[contest].paired else ("target.npy",)
    rows = [np.load(name) for name in names]
    work = CONTESTS[contest].works[contestant]
    work(*(part[:WARM_ROWS] for part in rows))
    before = memory_of(os.getpid()).get("VmHWM", 0)
    kept = work(*rows)
    after = memory_of(os.getpid()).get("VmHWM", 0)
    del kept
    result.write_text(json.dumps({"mb": (after - before) / 1024}))


if __name__ == "__main__":
    measure_memory(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
