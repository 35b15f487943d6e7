"""What embedding-level gradients do in a fixed frame ([R, sec. 3.2, 3.3, app. C.3]; methods, section 7).

Everything follows from the gradients' second moments, `(d, d)`; the rows are read once and not kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.diagnostics.statistics import PairStatistics
from realign_core.frame import FixedFrame
from realign_core.linalg import eigenvalues_descending
from realign_core.moments import Moments

FEWEST_FOR_CORRELATION = 3
"""Below so many eigenvalues a correlation of spectra says nothing."""

FLAT = 1e-12
"""Values whose spread is at most this share of the largest are flat and correlate with nothing."""


@dataclass(frozen=True)
class GradientMoments:
    """Moments of the gradients `g` of one or both modalities; lengths in the gradients' own unit.

    `sides` holds those of each modality. `second` is the pooled second moment about zero `mean g g'`,
    `(d, d)`; `within` the pooled covariance, each modality about its own mean, `(d, d)`.
    """

    sides: Mapping[str, Moments]
    second: Tensor
    within: Tensor

    @classmethod
    def of(cls, sides: Mapping[str, Moments]) -> GradientMoments:
        """Pool the modalities that are there, each row counting once."""
        parts = list(sides.values())
        n = sum(part.n for part in parts)
        second = torch.stack([(part.n / n) * about_zero(part) for part in parts]).sum(dim=0)
        return cls(sides, second, torch.stack([part.scatter for part in parts]).sum(dim=0) / n)


def about_zero(moments: Moments) -> Tensor:
    """`mean g g'`, `(d, d)`."""
    return moments.second_moment_about(torch.zeros_like(moments.mean))


def leakage(second: Tensor, frame: FixedFrame) -> float | None:
    """`sqrt(mean ||P_V g||^2 / mean ||g||^2)` in 0..1 from `mean g g'`; None where every gradient is zero."""
    scale = float(second.trace())
    if scale <= 0:
        return None
    in_v = float(((second / scale) @ frame.v * frame.v).sum())
    return math.sqrt(min(max(in_v, 0.0), 1.0))


def remainder(second: Tensor, frame: FixedFrame, current: Tensor, coupling: Tensor) -> float | None:
    """`rho = sqrt(mean ||r||^2 / mean ||g||^2)` of what rotation and coupling leave of `P_V g`.

    `r = P_V g - P_V P_{U_t} g - L P_U g` [R, eq. 9], with `current` an orthonormal basis `(d, r)` of U_t and
    `coupling` the map L `(d - r, r)`. [R] asks for `||r|| <= rho ||g||` of each gradient; the root mean
    square is the counterpart for a leakage that is one, and with it thm C.3 holds by Minkowski's
    inequality whatever the gradients are. None where every gradient is zero.
    """
    scale = float(second.trace())
    if scale <= 0:
        return None
    left = frame.v.mT - (frame.v.mT @ current) @ current.mT - coupling @ frame.u.mT
    return math.sqrt(max(float((left @ (second / scale) * left).sum()), 0.0))


def sine_of_rotation(current: Tensor, frame: FixedFrame) -> float:
    """`sin theta_max(U_t, U) = ||P_V P_{U_t}||_2` for an orthonormal basis `(d, r)` of U_t; 0 without V."""
    if frame.rank == frame.dim:
        return 0.0
    return min(1.0, float(torch.linalg.matrix_norm(frame.v.mT @ current, ord=2)))


def spectral_locking(
    statistics: PairStatistics, gradients: GradientMoments, frame: FixedFrame
) -> tuple[float | None, float | None]:
    """Pearson correlations of S_U and the gradient covariance in U: of eigenvalues and of diagonals.

    The eigenvalues are two sorted lists, which correlate whatever they come from; the diagonals, in the
    frame's own basis, go direction by direction. None below three directions or for flat values.
    """
    found = statistics.in_basis(frame.basis)
    if found is None or frame.rank < FEWEST_FOR_CORRELATION:
        return None, None
    residual = found.residual[: frame.rank, : frame.rank]
    gradient = frame.u.mT @ gradients.within @ frame.u
    return (
        correlation(eigenvalues_descending(residual), eigenvalues_descending(gradient)),
        correlation(residual.diagonal(), gradient.diagonal()),
    )


def correlation(a: Tensor, b: Tensor) -> float | None:
    """Pearson correlation of two vectors; None where one of them is flat."""
    both = torch.stack([a, b]).cpu().numpy()
    size = np.abs(both).max(axis=1, keepdims=True)
    if size.min() <= 0 or (np.ptp(both / size, axis=1)).min() <= FLAT:
        return None
    # Divided first: squares of very small gradients leave float64.
    return float(np.corrcoef(both / size)[0, 1])
