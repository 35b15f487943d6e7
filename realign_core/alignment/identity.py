"""No alignment: where every comparison starts."""

from __future__ import annotations

import torch

from realign_core.alignment.affine_map import AffineMap
from realign_core.alignment.base import Aligner
from realign_core.alignment.rows import Mapper
from realign_core.alignment.statistics import MeanTrace
from realign_core.moments import Moments


class Identity(Aligner):
    """`y`, scaled to unit length. Learns means alone, for the record."""

    name = "identity"
    fits_mean = False

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        pass

    def _mapper(self) -> Mapper:
        return AffineMap(1.0, torch.zeros_like(self.mean_source_), normalize=self.normalize)
