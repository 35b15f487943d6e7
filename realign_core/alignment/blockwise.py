"""Whitening and colouring in U and in V separately ([R, app. F] arXiv 2602.07026)."""

from __future__ import annotations

import torch
from torch import Tensor

from realign_core.alignment.affine import AffineAligner
from realign_core.alignment.shrinkage import Shrinkage, check_shrinkage, shrunk
from realign_core.alignment.statistics import (
    MeanTrace,
    check_source_varies,
    warn_constant_target,
    with_covariance,
)
from realign_core.frame import FixedFrame
from realign_core.linalg import spd_power
from realign_core.moments import Moments
from realign_core.validation import check_fraction


class Blockwise(AffineAligner):
    """`normalize(W (y - mu_y + mu_x))`, `W = S_b^(1/2) S_a^(-1/2)` in each block; then the centroid step.

    S_a and S_b are the source's and the target's shrunk covariances inside U or V of the fixed frame at
    `energy`; W acts on the uncentred anchored row [R, eq. 18]. `shrinkage` is `"oas"`, a share in 0..1,
    or None for the paper's own, which inverts on the range. Learns `matrix_` W and `frame_rank_`.
    """

    name = "blockwise"
    needs_covariance = True
    centroid_stage = True

    def __init__(self, *, shrinkage: Shrinkage = "oas", energy: float = 0.99, normalize: bool = True):
        super().__init__(normalize=normalize)
        self.shrinkage = shrinkage
        self.energy = energy

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        source, target = with_covariance(source), with_covariance(target)
        check_shrinkage(self.shrinkage)
        check_fraction("energy", self.energy)
        check_source_varies(source, self.name)
        if warn_constant_target(target, self.name):
            self.frame_rank_ = 0
            self._set_map(torch.zeros_like(source.scatter), target.mean.clone())
            return
        frame = FixedFrame.from_moments(source, target, energy=self.energy)
        self.frame_rank_ = frame.rank
        matrix = whitening_colouring(source, target, frame, self.shrinkage)
        self._set_map(matrix, matrix @ (target.mean - source.mean))


def whitening_colouring(
    source: Moments, target: Moments, frame: FixedFrame, shrinkage: Shrinkage = "oas"
) -> Tensor:
    """`W`, `(d, d)`: block diagonal in the frame, `W_b S_a W_b' = S_b` in each block."""
    total = torch.zeros_like(source.scatter)
    for basis, a, b in zip(
        (frame.u, frame.v), frame.blocks(source.covariance), frame.blocks(target.covariance), strict=True
    ):
        if basis.shape[1]:
            colour = spd_power(shrunk(b, target.n, shrinkage), 0.5)
            whiten = spd_power(shrunk(a, source.n, shrinkage), -0.5)
            total += basis @ colour @ whiten @ basis.mT
    return total
