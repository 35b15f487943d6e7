"""How anisotropic the paired residual is ([A, sec. 3.2, app. A]; methods, section 2)."""

from __future__ import annotations

from dataclasses import dataclass

from realign_core.diagnostics.shape import participation_ratio
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.linalg import eigenvalues_descending


@dataclass(frozen=True)
class Residual:
    """Figures of `S_r = Cov(x - y)`; distances on the unit sphere. All None without pairs or residual."""

    anisotropy: float | None
    effective_dimension_ratio: float | None
    ratio_energy: float | None
    ratio_distance: float | None
    mean_distance: float | None
    centred_distance: float | None
    eigenvalues: list[float] | None


def anisotropy(largest: float, trace: float, dim: int) -> float:
    """`A = lambda_max / (tr S / d)`; 1 for isotropic."""
    return largest * dim / trace


def measure_residual(statistics: PairStatistics) -> Residual:
    """Anisotropy, effective dimension and the share of the residual in the distance between pairs."""
    difference = statistics.difference
    if difference is None:
        return Residual(*[None] * 7)
    values = eigenvalues_descending(difference.covariance)
    trace = difference.trace
    if statistics.no_residual:
        distances = statistics.mean_distance, statistics.centred_distance
        return Residual(None, None, None, None, *distances, values.tolist())
    bias = float(statistics.gap @ statistics.gap)
    effective = participation_ratio(values)
    distance, centred = statistics.mean_distance, statistics.centred_distance
    assert effective is not None, "there is a residual"
    assert distance is not None, "there are pairs"
    assert centred is not None, "there are pairs"
    return Residual(
        anisotropy=anisotropy(float(values[0]), trace, statistics.dim),
        effective_dimension_ratio=effective / statistics.dim,
        ratio_energy=trace / (bias + trace),
        ratio_distance=centred / distance,
        mean_distance=distance,
        centred_distance=centred,
        eigenvalues=values.tolist(),
    )
