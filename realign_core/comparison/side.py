"""One side of a comparison: the rows to fit on and to judge on, and the scores of a map there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor, from_numpy

from realign_core.alignment import Traits
from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.intervals import Replicates
from realign_core.comparison.scoring import COLLAPSED_BELOW, FloorWeights


@dataclass(frozen=True)
class Side:
    """Rows to fit on and rows to judge on; `judged` are the numbers of the latter in both sets."""

    fit_target: Any
    fit_source: Any
    evaluation: Evaluation
    judged: tuple[np.ndarray, np.ndarray]
    n_fit: tuple[int, int]
    in_sample: bool

    def floor(self, traits: Traits) -> FloorWeights | None:
        """Weights of the sampling floor; none in-sample for a fitted mean, whose gap is made small."""
        fitted = 1 / self.n_fit[0], 1 / self.n_fit[1]
        if self.in_sample:
            # The gap is that of all rows, also where other scores rest on a sample of them.
            return None if traits.fits_mean else FloorWeights(*fitted)
        judged = 1 / self.evaluation.n_target, 1 / self.evaluation.n_source
        if not traits.fits_mean:
            return FloorWeights(*judged)
        return FloorWeights(judged[0] + fitted[0], judged[1] + fitted[1])


@dataclass(frozen=True)
class SideScores:
    """Scores of one map on one side, with 95 % intervals and replicates where the side is held out."""

    values: dict[str, float | None]
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    replicates: dict[str, Replicates] = field(default_factory=dict)

    @property
    def collapsed(self) -> bool:
        """Whether the mapped rows have shrunk to under a fifth of the target's variance."""
        ratio = self.values.get("trace_ratio")
        return ratio is not None and ratio < COLLAPSED_BELOW


def some_rows(rows: Any, indices: np.ndarray) -> Any:
    """The rows with these numbers: of a tensor in this order, of a file in its own."""
    if isinstance(rows, Tensor):
        return rows[from_numpy(indices).to(rows.device)]
    return rows.subset(np.sort(indices))
