"""What geometry the two modalities share ([A, sec. 3.1]; methods, section 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.diagnostics.shape import effective_rank, power_law
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.linalg import condition_number, eigh_descending, numerical_rank
from realign_core.moments import Moments

OVERLAP_RANKS = (1, 4, 16, 64, 128, 256, 512)


@dataclass(frozen=True)
class Shared:
    """Figures that compare `S_x` and `S_y`; dimensionless. None where a spectrum is too short or zero."""

    spectral_correlation: float | None
    subspace_overlap: dict[str, float | None]
    subspace_overlap_baseline: dict[str, float | None]
    covariance_discrepancy: float | None
    effective_rank_target: float | None
    effective_rank_source: float | None
    alpha_target: float | None
    alpha_source: float | None
    kappa_target: float | None
    kappa_source: float | None


def measure_shared(statistics: PairStatistics) -> Shared:
    """Spectral correlation, subspace overlap against q/d, discrepancy, and each side's spectrum."""
    values_x, vectors_x = _spectrum(statistics.target)
    values_y, vectors_y = _spectrum(statistics.source)
    within = min(numerical_rank(values_x), numerical_rank(values_y))
    dim = statistics.dim
    return Shared(
        spectral_correlation=spectral_correlation(values_x, values_y),
        subspace_overlap={
            str(q): subspace_overlap(vectors_x, vectors_y, q) if q <= within else None for q in OVERLAP_RANKS
        },
        subspace_overlap_baseline={str(q): q / dim if q <= dim else None for q in OVERLAP_RANKS},
        covariance_discrepancy=None
        if statistics.target.is_constant
        else covariance_discrepancy(statistics.target.covariance, statistics.source.covariance),
        effective_rank_target=effective_rank(values_x),
        effective_rank_source=effective_rank(values_y),
        alpha_target=power_law(values_x)[0],
        alpha_source=power_law(values_y)[0],
        kappa_target=condition_number(values_x),
        kappa_source=condition_number(values_y),
    )


def _spectrum(moments: Moments) -> tuple[Tensor, Tensor]:
    """Eigenvalues and vectors of a covariance; no eigenvalue where the set is constant but for rounding."""
    values, vectors = eigh_descending(moments.covariance)
    return (torch.zeros_like(values) if moments.is_constant else values), vectors


def spectral_correlation(values_x: Tensor, values_y: Tensor) -> float | None:
    """Pearson correlation of log eigenvalues over the ranks inside both numerical ranks.

    It correlates two sorted lists, so any two spectra score high: pure noise against images gives 0.99.
    """
    ranks = min(numerical_rank(values_x), numerical_rank(values_y))
    if ranks < 3:
        return None
    logs = torch.stack([values_x[:ranks].log(), values_y[:ranks].log()]).cpu().numpy()
    if np.ptp(logs, axis=1).min() < 1e-12:
        return None
    return float(np.corrcoef(logs)[0, 1])


def subspace_overlap(vectors_x: Tensor, vectors_y: Tensor, q: int) -> float:
    """`O_q = ||U_x^q' U_y^q||_F^2 / q`, 1 for equal leading subspaces and q/d for unrelated ones."""
    return float((vectors_x[:, :q].mT @ vectors_y[:, :q]).square().sum()) / q


def covariance_discrepancy(reference: Tensor, other: Tensor) -> float | None:
    """`||S_x - S||_F / ||S_x||_F`; None where the reference is zero."""
    scale = float(reference.trace())
    if scale <= 0:
        return None
    # Divided first: squares of very large or small entries leave float64.
    size = float(torch.linalg.matrix_norm(reference / scale))
    return float(torch.linalg.matrix_norm((reference - other) / scale)) / size
