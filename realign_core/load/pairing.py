"""Whether row i of one set belongs to row i of the other: the evidence of methods.md section 0."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from realign_core.load.arrays import to_numpy
from realign_core.load.batches import Batches

EVIDENCE_ROWS = 3000
NEIGHBOURS = 10
REACH = 30
THRESHOLD = 4.0


@dataclass(frozen=True)
class PairingEvidence:
    """Mean cosine of own pairs and of all others, and the two statistics; None where one does not exist."""

    paired_cosine: float
    shuffled_cosine: float
    z: float | None
    t: float | None

    @property
    def convinces(self) -> bool:
        """Whether both statistics reach 4."""
        return self.z is not None and self.t is not None and min(self.z, self.t) >= THRESHOLD


def pairing_evidence(
    target: Batches, source: Batches, target_labels: np.ndarray, source_labels: np.ndarray, *, seed: int
) -> PairingEvidence:
    """Evidence from at most 3000 seeded rows of two sets of one length, at least 2.

    `Z` is the paired mean cosine over its exact standard deviation under permutation; `t` compares each own
    cosine with that of the nearest rows in file order that duplicate neither side (equal labels).
    """
    n = len(target)
    chosen = np.arange(n)
    if n > EVIDENCE_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(n, EVIDENCE_ROWS, replace=False))
    x, y = unit_rows(target.take(chosen)), unit_rows(source.take(chosen))
    own = np.einsum("ij,ij->i", x, y)
    m = len(chosen)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    shuffled = (m * m * (mean_x @ mean_y) - own.sum()) / (m * (m - 1))
    centred_x, centred_y = x - mean_x, y - mean_y
    excess = np.vdot(centred_x, centred_y) / m
    deviation = math.sqrt(max(0.0, _square_of_product(centred_x, centred_y)) / (m * m * (m - 1)))
    z = _ratio(excess, deviation)
    near = _nearest(chosen, target_labels, source_labels)
    return PairingEvidence(float(own.mean()), float(shuffled), z, _own_against_near(x, source, own, near))


def _square_of_product(a: np.ndarray, b: np.ndarray) -> float:
    """`||A B'||_F^2` of rows `(m, d)`, by the smaller of the two ways."""
    if a.shape[1] < len(a):
        return float(np.vdot(a.T @ a, b.T @ b))
    product = a @ b.T
    return float(np.vdot(product, product))


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """The rows in float64, each divided by its norm."""
    rows = to_numpy(rows).astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _nearest(chosen: np.ndarray, target_labels: np.ndarray, source_labels: np.ndarray) -> np.ndarray:
    """Indices (m, 10) of the nearest rows that are no duplicates, -1 where there are fewer."""
    n = len(target_labels)
    near = np.full((len(chosen), NEIGHBOURS), -1, np.int64)
    count = np.zeros(len(chosen), np.int64)
    for offset in (sign * distance for distance in range(1, REACH + 1) for sign in (-1, 1)):
        other = chosen + offset
        inside = (other >= 0) & (other < n) & (count < NEIGHBOURS)
        row, column = chosen[inside], other[inside]
        differs = target_labels[row] != target_labels[column]
        differs &= source_labels[row] != source_labels[column]
        hit = np.flatnonzero(inside)[differs]
        near[hit, count[hit]] = other[hit]
        count[hit] += 1
    return near


def _own_against_near(x: np.ndarray, source: Batches, own: np.ndarray, near: np.ndarray) -> float | None:
    differences = []
    for start in range(0, len(x), 256):
        indices = near[start : start + 256]
        needed, position = np.unique(indices[indices >= 0], return_inverse=True)
        if not len(needed):
            continue
        place = np.full(indices.shape, -1)
        place[indices >= 0] = position
        cosines = x[start : start + 256] @ unit_rows(source.take(needed)).T
        picked = np.where(place >= 0, np.take_along_axis(cosines, np.maximum(place, 0), axis=1), 0.0)
        have = (place >= 0).sum(axis=1)
        some = have > 0
        differences.append(own[start : start + 256][some] - picked[some].sum(axis=1) / have[some])
    joined = np.concatenate(differences) if differences else np.empty(0)
    if len(joined) < 2:
        return None
    return _ratio(joined.mean(), joined.std(ddof=1) / math.sqrt(len(joined)))


def _ratio(value: float, deviation: float) -> float | None:
    # A deviation that is rounding alone (all cosines equal) gives no evidence either way.
    return float(value / deviation) if deviation > 1e-13 else None
