"""The gap, its sampling floor, and its split into four parts ([R, sec. 3.1]; methods, section 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from scipy.special import gammaincinv
from torch import Tensor

from realign_core.diagnostics.statistics import PairStatistics
from realign_core.frame import FixedFrame

if TYPE_CHECKING:
    from realign_core.load import EmbeddingPair


@dataclass(frozen=True)
class Gap:
    """Distance of the centroids and what sampling noise alone would give; lengths on the unit sphere."""

    centroid_distance: float
    sampling_floor: float
    sampling_floor_95: float
    mean_norm_target: float
    mean_norm_source: float
    trace_target: float
    trace_source: float


@dataclass(frozen=True)
class Decomposition:
    """The parts of `mean ||x - y||^2 = pmb^2 + cob^2 + tr S_U + tr S_V`.

    `pmb_norm` is `||P_U m||` (principal modality bias), `cob_norm` is `||P_V m||` (constant orthogonal
    bias); the residual energies are `tr S_U` and `tr S_V`, `energy_coverage` their share in U. What needs
    pairs is None without them.
    """

    total_energy: float | None
    pmb_norm: float
    cob_norm: float
    u_residual_energy: float | None
    v_residual_energy: float | None
    energy_coverage: float | None


def sampling_floor(covariance: Tensor) -> tuple[float, float]:
    """RMS length of a zero-mean Gaussian vector of this covariance, and its 95 % quantile.

    `floor^2 = tr C`; `floor_95 = floor sqrt(chi2_{nu, 0.95} / nu)` with the Welch-Satterthwaite degrees of
    freedom `nu = tr(C)^2 / tr(C^2)`.
    """
    trace = float(covariance.trace())
    if trace <= 0:
        return 0.0, 0.0
    nu = 1 / float((covariance / trace).square().sum())
    floor = math.sqrt(trace)
    return floor, floor * math.sqrt(_chi2_quantile(0.95, nu) / nu)


def _chi2_quantile(share: float, nu: float) -> float:
    # That of scipy.stats, which takes a second to import.
    return 2 * float(gammaincinv(nu / 2, share))


def measure_gap(statistics: PairStatistics) -> Gap:
    """The raw gap `||mu_x - mu_y||` and its sampling floor (methods, section 1)."""
    x, y = statistics.target, statistics.source
    floor, floor_95 = sampling_floor(statistics.noise)
    return Gap(
        centroid_distance=float(torch.linalg.vector_norm(statistics.gap)),
        sampling_floor=floor,
        sampling_floor_95=floor_95,
        mean_norm_target=float(torch.linalg.vector_norm(x.mean)),
        mean_norm_source=float(torch.linalg.vector_norm(y.mean)),
        trace_target=x.trace,
        trace_source=y.trace,
    )


def split_gap(statistics: PairStatistics, frame: FixedFrame) -> Decomposition:
    """Cut the gap along a frame; everything follows from the moments of the differences."""
    beta, gamma = frame.project(statistics.gap)
    v_empty = frame.rank == frame.dim
    pmb = float(torch.linalg.vector_norm(beta))
    cob = 0.0 if v_empty else float(torch.linalg.vector_norm(gamma))
    found = statistics.in_basis(frame.basis)
    if statistics.difference is None or found is None:
        return Decomposition(None, pmb, cob, None, None, None)
    spread = found.residual.diagonal()
    in_u, in_v = float(spread[: frame.rank].sum()), float(spread[frame.rank :].sum())
    trace = statistics.difference.trace
    return Decomposition(
        total_energy=float(statistics.gap @ statistics.gap) + trace,
        pmb_norm=pmb,
        cob_norm=cob,
        u_residual_energy=in_u,
        v_residual_energy=in_v,
        energy_coverage=None if statistics.no_residual else in_u / trace,
    )


def decompose(data: EmbeddingPair, frame: FixedFrame) -> Decomposition:
    """Cut the gap between the sets of `data` along `frame`. Unpaired data has biases but no residuals."""
    statistics = PairStatistics.collect(
        data.target, data.source, paired=data.paired, normalize=data.normalize, groups=data.groups
    )
    return split_gap(statistics, frame)
