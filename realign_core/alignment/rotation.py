"""Rotate the source's mean direction onto the target's, then centre exactly (methods, section 4a)."""

from __future__ import annotations

import warnings
from functools import reduce
from typing import Any, ClassVar

import torch
from torch import Tensor

from realign_core.alignment.affine import AffineAligner
from realign_core.alignment.newton import STALLED, CentroidNewton, Evaluation
from realign_core.alignment.shrinkage import shrunk
from realign_core.alignment.statistics import (
    AlignmentWarning,
    MeanTrace,
    PassState,
    check_source_varies,
    unit_pieces,
    warn_constant_target,
    with_covariance,
)
from realign_core.linalg import monge_map
from realign_core.moments import Moments
from realign_core.validation import check_fraction

OPPOSITE = 1e-14
"""Unit vectors whose sum is this short are opposite up to rounding, and no plane is distinguished."""

NO_DIRECTION = 1e-12
"""A mean this short beside the rows is what rounding leaves of zero."""


class Rotation(AffineAligner):
    """`normalize(M y + b)`, `M = A R`, R the minimal rotation of `mu_y/||mu_y||` onto `mu_x/||mu_x||`.

    `A = I`, or for `bures = t > 0` `A = (1 - t) s I + t Monge(OAS S_Ry, OAS S_x)`, `s = sqrt(T_x/T_Ry)`.
    b makes the in-sample centroid mu_x, to about 1e-13, and with it the trace. Learns `rotation_` R,
    `matrix_` M, `bias_` b and `centroid_gap_`, what is left. `fit` raises `UnusableInput` where
    `T_y = 0` (no b exists), and warns where `T_x = 0` (the map is constant) or the gap stays open.
    """

    name = "rotation"
    # The centroid is to land on the mean to the last digits.
    exact_means = True
    pass_form: ClassVar[type[PassState]] = Evaluation

    def __init__(self, *, bures: float = 0.0, normalize: bool = True):
        super().__init__(normalize=normalize)
        self.bures = bures

    @property
    def needs_covariance(self) -> bool:
        return self.bures != 0

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        check_fraction("bures", self.bures, low_open=False)
        check_source_varies(source, self.name)
        constant = warn_constant_target(target, self.name)
        self.rotation_ = minimal_rotation(mean_beyond_rounding(source), mean_beyond_rounding(target))
        matrix = self.rotation_
        if self.bures:
            parts = with_covariance(source), with_covariance(target)
            matrix = mixed_transport(*parts, self.rotation_, self.bures) @ self.rotation_
        if constant:
            matrix = torch.zeros_like(self.rotation_)
        self._set_map(matrix, target.mean - matrix @ source.mean)
        self._newton: CentroidNewton | None = None
        if constant or not self.normalize:
            self.centroid_gap_ = 0.0
        else:
            self._newton = self._solver()

    def _solver(self) -> CentroidNewton:
        if self.bures:
            return CentroidNewton(self.mean_target_, self.bias_)
        # Lengths do not change under R, so b can be sought where the rows lie, without forming R y.
        return CentroidNewton(self.rotation_.mT @ self.mean_target_, self.rotation_.mT @ self.bias_)

    def _wants_pass(self) -> bool:
        return not hasattr(self, "centroid_gap_")

    def _pass_part(self, first_row: int, block: Tensor) -> Evaluation:
        newton = self._newton
        assert newton is not None, "a pass is wanted"
        units = unit_pieces(block, normalize=True, first_row=first_row)
        turned = (unit @ self.matrix_.mT.to(unit.device) if self.bures else unit for unit in units)
        return reduce(Evaluation.merge, map(newton.evaluate, turned))

    def _end_pass(self, found: Any) -> None:
        assert self._newton is not None, "a pass is wanted"
        self._newton.end_pass(found)
        if not self._newton.done:
            return
        self.bias_ = self._newton.bias if self.bures else self.rotation_ @ self._newton.bias
        self.centroid_gap_ = self._newton.gap
        if self.centroid_gap_ > STALLED:
            warnings.warn(
                f"rotation: after {self._newton.passes} passes the centroid is still "
                f"{self.centroid_gap_:.2g} off; a few rows dominate the set, so more rows are needed",
                AlignmentWarning,
                stacklevel=2,
            )


def mean_beyond_rounding(rows: MeanTrace | Moments) -> Tensor:
    """The mean, or zero where it is rounding beside the rows' lengths and so points nowhere."""
    square = float(rows.mean @ rows.mean)
    return rows.mean if square > NO_DIRECTION**2 * (rows.trace + square) else torch.zeros_like(rows.mean)


def minimal_rotation(source: Tensor, target: Tensor) -> Tensor:
    """The rotation `(d, d)` of the direction of `source` onto that of `target` that leaves the rest alone.

    For unit p, q it is the reflection along p and then along their bisector m:
    `R = (I - 2 m m')(I - 2 p p')`, orthogonal to rounding however close to opposite p and q are. Where a
    direction is zero R = I; for opposite ones m is the axis that p leans on least, made orthogonal to p.
    """
    identity = torch.eye(len(source), dtype=source.dtype)
    lengths = torch.linalg.vector_norm(source), torch.linalg.vector_norm(target)
    if min(lengths) == 0:
        return identity
    p, q = source / lengths[0], target / lengths[1]
    bisector = p + q
    if torch.linalg.vector_norm(bisector) <= OPPOSITE:
        axis = identity[p.abs().argmin()]
        bisector = axis - (axis @ p) * p
    m = bisector / torch.linalg.vector_norm(bisector)
    return identity - 2 * torch.outer(m, m) - 2 * torch.outer(p, p) + 4 * (m @ p) * torch.outer(m, p)


def mixed_transport(source: Moments, target: Moments, rotation: Tensor, share: float) -> Tensor:
    """`A = (1 - t) s I + t Monge(OAS S_Ry, OAS S_x)`, `(d, d)`, for a Bures share t."""
    turned = rotation @ source.covariance @ rotation.mT
    scale = (target.trace / source.trace) ** 0.5
    monge = monge_map(shrunk(turned, source.n, "oas"), shrunk(target.covariance, target.n, "oas"))
    identity = torch.eye(len(source.mean), dtype=source.mean.dtype)
    return (1 - share) * scale * identity + share * monge
