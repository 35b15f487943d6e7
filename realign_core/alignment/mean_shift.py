"""The anchor step alone [R, table 2]."""

from __future__ import annotations

from realign_core.alignment.affine import AffineAligner
from realign_core.alignment.statistics import MeanTrace
from realign_core.moments import Moments


class MeanShift(AffineAligner):
    """`normalize(y - mu_y + mu_x)`."""

    name = "mean_shift"

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        self._set_map(1.0, target.mean - source.mean)
