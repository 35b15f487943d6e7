"""Condition numbers, angles and entropies of a spectrum (methods, section 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from realign_core.diagnostics.statistics import PairStatistics
from realign_core.frame import FixedFrame
from realign_core.linalg import (
    condition_number,
    effective_condition_number,
    eigenvalues_descending,
    eigh_descending,
    k99,
    numerical_rank,
)

ANGLES = 10


@dataclass(frozen=True)
class NullBand:
    """2.5 % and 97.5 % quantiles, in degrees, of the angle to a uniformly random direction."""

    low: float
    high: float


@dataclass(frozen=True)
class Shape:
    """Shape of the residual in U and V. Angles in degrees, spectra descending; None where undefined."""

    kappa_u: float | None
    kappa_v: float | None
    kappa_eff_u: float | None
    kappa_eff_v: float | None
    rank_u: int | None
    rank_v: int | None
    bias_noise_angle: float | None
    bias_noise_angles: list[float] | None
    bias_noise_shares: list[float] | None
    bias_noise_null: NullBand | None
    eigenvalues_u: list[float] | None
    eigenvalues_v: list[float] | None


def measure_shape(statistics: PairStatistics, frame: FixedFrame) -> Shape:
    """Shape of the residual covariance in each subspace, and the angle of the constant bias to its noise."""
    found, rank = statistics.in_basis(frame.basis), frame.rank
    if found is None:
        return Shape(*[None] * 12)
    block_u, block_v = found.residual[:rank, :rank], found.residual[rank:, rank:]
    values_u = eigenvalues_descending(block_u)
    values_v, vectors_v = eigh_descending(block_v)
    kappa_u, eff_u, rank_u = _conditions(statistics, values_u)
    kappa_v, eff_v, rank_v = _conditions(statistics, values_v)
    angles, shares, band = _bias_noise(statistics, frame, values_v, vectors_v)
    return Shape(
        kappa_u=kappa_u,
        kappa_v=kappa_v,
        kappa_eff_u=eff_u,
        kappa_eff_v=eff_v,
        rank_u=rank_u,
        rank_v=rank_v,
        bias_noise_angle=angles[0] if angles else None,
        bias_noise_angles=angles,
        bias_noise_shares=shares,
        bias_noise_null=band,
        eigenvalues_u=values_u.tolist(),
        eigenvalues_v=values_v.tolist(),
    )


def _conditions(statistics: PairStatistics, values: Tensor) -> tuple[float | None, float | None, int]:
    if statistics.is_rounding(float(values.sum())):
        return None, None, 0
    return condition_number(values), effective_condition_number(values), numerical_rank(values)


def _bias_noise(
    statistics: PairStatistics, frame: FixedFrame, values: Tensor, vectors: Tensor
) -> tuple[list[float] | None, list[float] | None, NullBand | None]:
    """Angles of gamma to the leading eigenvectors of S_V, its energy share in each, and the null band.

    Nothing is said where V has fewer than two dimensions, where there is no noise, or where gamma is no
    longer than the noise of a mean, `||gamma||^2 <= tr(S_V) / n`.
    """
    dim_v = frame.dim - frame.rank
    noise = float(values.sum())
    difference = statistics.difference
    if dim_v <= 1 or difference is None or statistics.is_rounding(noise):
        return None, None, None
    gamma = statistics.gap @ frame.v
    energy = float(gamma @ gamma)
    if energy <= noise / difference.n:
        return None, None, None
    leading = vectors[:, : min(ANGLES, numerical_rank(values))]
    shares = ((gamma @ leading) ** 2 / energy).clamp(max=1.0)
    angles = torch.rad2deg(torch.arccos(shares.sqrt()))
    return angles.tolist(), shares.tolist(), null_band(dim_v)


def null_band(dim: int) -> NullBand:
    """Angle of a uniform direction to a fixed axis in `dim` dimensions: `cos^2 ~ Beta(1/2, (dim - 1)/2)`."""
    squares = (betaincinv(0.5, (dim - 1) / 2, share) for share in (0.975, 0.025))
    low, high = (math.degrees(math.acos(math.sqrt(square))) for square in squares)
    return NullBand(low, high)


def effective_rank(values: Tensor) -> float | None:
    """`exp` of the Shannon entropy of the trace-normalised eigenvalues (Roy & Vetterli 2007)."""
    rank = numerical_rank(values)
    if rank == 0:
        return None
    share = values[:rank] / values[:rank].sum()
    return float(torch.exp(-(share * share.log()).sum()))


def participation_ratio(values: Tensor) -> float | None:
    """`tr(S)^2 / tr(S^2)` [A, app. A.4]; None for a zero spectrum."""
    total = values.sum()
    return 1 / float((values / total).square().sum()) if float(total) > 0 else None


def power_law(values: Tensor) -> tuple[float | None, float | None]:
    """Exponent alpha and R^2 of `eigenvalue ~ rank^-alpha`, least squares in logs over ranks 1..k99.

    Both None below three ranks; R^2 None for a flat spectrum, which leaves nothing to explain.
    """
    count = k99(values)
    if count < 3:
        return None, None
    log_rank = np.log(np.arange(1, count + 1))
    log_value = values[:count].log().cpu().numpy()
    slope, intercept = np.polyfit(log_rank, log_value, 1)
    spread = float(((log_value - log_value.mean()) ** 2).sum())
    if spread < 1e-20:
        return float(-slope), None
    error = float(((log_value - slope * log_rank - intercept) ** 2).sum())
    return float(-slope), 1 - error / spread
