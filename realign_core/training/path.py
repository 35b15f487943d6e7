"""The probe set on its way through training, seen in one plane that never moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import eigh_descending
from realign_core.moments import Moments, as_tensor
from realign_core.training.snapshots import Snapshot

SHOWN_PAIRS = 400
PRINCIPAL = "a principal axis of the last snapshot"
LEAST_TURN = 1e-6
"""A gap, or the part of it that has turned away, shorter than this gives no axis."""


@dataclass(frozen=True)
class PathStep:
    """One snapshot in the plane: chosen pairs `(k, 2)` float32 and both means `(2,)`.

    `variance` and `gap` are the shares of the pooled variance and of the squared distance of the means that
    the plane holds; None where there is none.
    """

    step: int
    image: np.ndarray
    text: np.ndarray
    image_mean: np.ndarray
    text_mean: np.ndarray
    variance: float | None
    gap: float | None


@dataclass(frozen=True)
class Plane:
    """Two orthonormal axes `(d, 2)` with what they lie along, and at most `SHOWN_PAIRS` pairs to show.

    Coordinates count from `centre`, the mean of the last snapshot. In one dimension the second axis is flat.
    """

    centre: Tensor
    axes: Tensor
    names: tuple[str, str]
    rows: np.ndarray

    @classmethod
    def principal(cls, last: Snapshot, *, seed: int = 0) -> Plane:
        """The principal axes of the last snapshot, images and texts together: where its meaning spreads."""
        pooled, _ = _pooled(last)
        vectors = eigh_descending(pooled.covariance)[1]
        axes = torch.zeros(len(vectors), 2, dtype=torch.float64)
        axes[:, : vectors.shape[1]] = vectors[:, :2]
        return cls(pooled.mean, axes, (PRINCIPAL, PRINCIPAL), _seeded(len(last.image_embeddings), seed))

    @classmethod
    def of_gaps(cls, first: Snapshot, last: Snapshot, *, seed: int = 0) -> Plane:
        """Across, along the gap of the first snapshot; up, along that of the last as far as it turned away.

        Where there is no gap, or it did not turn, principal axes of the last snapshot take the place.
        """
        pooled, gap = _pooled(last)
        candidates = [
            ("the gap of the first snapshot", _pooled(first)[1]),
            ("the gap of the last snapshot", gap),
            *((PRINCIPAL, axis) for axis in eigh_descending(pooled.covariance)[1].mT),
        ]
        found: list[tuple[str, Tensor]] = []
        for name, vector in candidates:
            rest = vector - sum((vector @ axis) * axis for _, axis in found)
            if len(found) < 2 and float(rest.norm()) > LEAST_TURN:
                found.append((name, rest / rest.norm()))
        across, up = [*found, (PRINCIPAL, torch.zeros_like(gap))][:2]
        axes = torch.stack([across[1], up[1]], dim=1)
        return cls(pooled.mean, axes, (across[0], up[0]), _seeded(len(last.image_embeddings), seed))

    def place(self, snapshot: Snapshot) -> PathStep:
        """Where the chosen pairs of a snapshot lie; its other rows count towards means and shares."""
        image, text = _unit_rows(snapshot)
        means = image.mean(dim=0), text.mean(dim=0)
        pooled, apart = _pooled(snapshot)
        covariance = pooled.covariance
        whole, length = float(covariance.trace()), float(apart @ apart)
        chosen = torch.from_numpy(self.rows)
        return PathStep(
            snapshot.step,
            self._points(image[chosen]),
            self._points(text[chosen]),
            self._points(means[0]),
            self._points(means[1]),
            float((self.axes.mT @ covariance @ self.axes).trace()) / whole if whole > 0 else None,
            float((apart @ self.axes).square().sum()) / length if length > 0 else None,
        )

    def _points(self, rows: Tensor) -> np.ndarray:
        return ((rows - self.centre) @ self.axes).to(torch.float32).numpy()


def _pooled(snapshot: Snapshot) -> tuple[Moments, Tensor]:
    """Moments of images and texts together, and the difference of their means."""
    image, text = (Moments.of(rows) for rows in _unit_rows(snapshot))
    return image.merge(text), image.mean - text.mean


def _unit_rows(snapshot: Snapshot) -> tuple[Tensor, Tensor]:
    image, text = (
        torch.nn.functional.normalize(as_tensor(rows).to(torch.float64), dim=1)
        for rows in (snapshot.image_embeddings, snapshot.text_embeddings)
    )
    return image, text


def _seeded(n: int, seed: int) -> np.ndarray:
    if n <= SHOWN_PAIRS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, SHOWN_PAIRS, replace=False))
