"""The probe set on its way through training, seen in one plane that never moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import eigh_descending
from realign_core.moments import Moments
from realign_core.training.snapshots import Snapshot

SHOWN_PAIRS = 400


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
    """Two principal axes `(d, 2)` of one snapshot's images and texts together, and the pairs to be shown.

    `rows` are at most `SHOWN_PAIRS` seeded ones. A set of one dimension has a flat second axis.
    """

    centre: Tensor
    axes: Tensor
    rows: np.ndarray

    @classmethod
    def fit(cls, snapshot: Snapshot, *, seed: int = 0) -> Plane:
        """The plane of this snapshot, usually the last."""
        image, text = _unit_rows(snapshot)
        pooled = Moments.of(image).merge(Moments.of(text))
        vectors = eigh_descending(pooled.covariance)[1][:, :2]
        axes = torch.zeros(len(pooled.mean), 2, dtype=torch.float64)
        axes[:, : vectors.shape[1]] = vectors
        return cls(pooled.mean, axes, _seeded(len(image), seed))

    def place(self, snapshot: Snapshot) -> PathStep:
        """Where the chosen pairs of a snapshot lie; its other rows count towards means and shares."""
        rows = image, text = _unit_rows(snapshot)
        moments = [Moments.of(side) for side in rows]
        covariance = moments[0].merge(moments[1]).covariance
        apart = moments[0].mean - moments[1].mean
        whole, length = float(covariance.trace()), float(apart @ apart)
        chosen = torch.from_numpy(self.rows)
        return PathStep(
            snapshot.step,
            self._points(image[chosen]),
            self._points(text[chosen]),
            self._points(moments[0].mean),
            self._points(moments[1].mean),
            float((self.axes.mT @ covariance @ self.axes).trace()) / whole if whole > 0 else None,
            float((apart @ self.axes).square().sum()) / length if length > 0 else None,
        )

    def _points(self, rows: Tensor) -> np.ndarray:
        return ((rows - self.centre) @ self.axes).to(torch.float32).numpy()


def _unit_rows(snapshot: Snapshot) -> tuple[Tensor, Tensor]:
    image, text = (
        torch.nn.functional.normalize(torch.from_numpy(rows).to(torch.float64), dim=1)
        for rows in (snapshot.image_embeddings, snapshot.text_embeddings)
    )
    return image, text


def _seeded(n: int, seed: int) -> np.ndarray:
    if n <= SHOWN_PAIRS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, SHOWN_PAIRS, replace=False))
