"""The optimal transport map between Gaussians (Peyre & Cuturi 2019, remark 2.31)."""

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
from realign_core.linalg import monge_map
from realign_core.moments import Moments


class GaussianOT(AffineAligner):
    """`normalize(mu_x + A (y - mu_y))`, A the Monge map of the shrunk covariances; then the centroid step.

    Learns `matrix_` A. `shrinkage` is `"oas"`, None or a share in 0..1, for both covariances.
    """

    name = "gaussian_ot"
    needs_covariance = True
    centroid_stage = True

    def __init__(self, *, shrinkage: Shrinkage = "oas", normalize: bool = True):
        super().__init__(normalize=normalize)
        self.shrinkage = shrinkage

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        source, target = with_covariance(source), with_covariance(target)
        check_shrinkage(self.shrinkage)
        check_source_varies(source, self.name)
        if warn_constant_target(target, self.name):
            matrix = torch.zeros_like(source.scatter)
        else:
            matrix = transport_matrix(source, target, self.shrinkage)
        self._set_map(matrix, target.mean - matrix @ source.mean)


def transport_matrix(source: Moments, target: Moments, shrinkage: Shrinkage = "oas") -> Tensor:
    """The symmetric `(d, d)` A with `A S_y A = S_x` for the shrunk covariances."""
    return monge_map(
        shrunk(source.covariance, source.n, shrinkage), shrunk(target.covariance, target.n, shrinkage)
    )
