"""One frozen linear projection for pictures: fitted on target and untouched source, never per method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import eigh_descending
from realign_core.load.strata import Strata, in_words, sample_both
from realign_core.moments import Moments

SHOWN_ROWS = 5_000


@dataclass(frozen=True)
class Projection:
    """Principal axes `(d, 3)` of target and source pooled, with the share of variance of each axis.

    `target_rows` and `source_rows` are the judged rows that pictures show: all, or a seeded sample, `chosen`
    by these strata.
    """

    centre: Tensor
    axes: Tensor
    shares: tuple[float, ...]
    target_rows: np.ndarray
    source_rows: np.ndarray
    chosen: str

    @classmethod
    def fit(
        cls, target: Tensor, source: Tensor, *, strata: Sequence[Strata], paired: bool, seed: int
    ) -> Projection:
        """Principal axes of the pooled rows; pairs are shown together. `strata` are those of the rows."""
        pooled = Moments.of(target).merge(Moments.of(source))
        values, vectors = eigh_descending(pooled.covariance)
        width = min(3, vectors.shape[1])
        total = values.sum()
        shares = (values[:width] / (total if total > 0 else 1)).tolist()
        everything = np.arange(len(target)), np.arange(len(source))
        shown = sample_both(strata, everything, SHOWN_ROWS, seed, paired=paired)
        return cls(pooled.mean, vectors[:, :width], tuple(shares), *shown, in_words(strata))

    def points(self, rows: Tensor, shown: np.ndarray) -> np.ndarray:
        """Coordinates `(len(shown), 3)` float32 of the shown rows."""
        chosen = rows[torch.from_numpy(shown).to(rows.device)]
        return (chosen @ self.axes - self.centre @ self.axes).to(torch.float32).cpu().numpy()
