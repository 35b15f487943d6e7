"""Two sources against one target: which uses more directions, and which lies nearer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from realign_core.diagnostics.diagnosis import Diagnosis
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.validation import UnusableInput

NORMAL_95 = 1.96
SAME_TARGET = 1e-9
"""How far means and covariances of unit rows may differ where only the order of summation does."""


@dataclass(frozen=True)
class Spread:
    """Effective rank (None for a constant set) and total variance."""

    effective_rank: float | None
    trace: float


@dataclass(frozen=True)
class SourceSpread(Spread):
    """The same with the distance to the target's mean, its sampling floor and that floor's 95 % bound."""

    gap: float
    sampling_floor: float
    sampling_floor_95: float


@dataclass(frozen=True)
class TwoSources:
    """Figures of one target and two sources.

    `gap_noise_95` bounds what sampling noise makes of the difference of the two gaps 95 times in 100,
    however the two depend on each other: `1.96 (se_1 + se_2)`, `se^2 = u' C u`, `u` the gap's direction and
    `C` its covariance over samples of this size.
    """

    target: Spread
    first: SourceSpread
    second: SourceSpread
    gap_noise_95: float

    @property
    def gap_difference(self) -> float:
        """First less second."""
        return self.first.gap - self.second.gap

    @property
    def gaps_differ(self) -> bool:
        """Whether the sample tells the two gaps apart."""
        return abs(self.gap_difference) > self.gap_noise_95


def compare_sources(first: Diagnosis, second: Diagnosis) -> TwoSources:
    """Set two diagnoses side by side; UnusableInput where their targets are not the same rows."""
    x, other = first.statistics.target, second.statistics.target
    alike = x.n == other.n and x.mean.shape == other.mean.shape
    if not alike or not (
        torch.allclose(x.mean, other.mean, rtol=0, atol=SAME_TARGET)
        and torch.allclose(x.covariance, other.covariance, rtol=0, atol=SAME_TARGET)
    ):
        raise UnusableInput(
            f"the second source was measured against other target rows ({other.n} of dimension "
            f"{len(other.mean)}, here {x.n} of {len(x.mean)}); give as many usable rows, in the same order"
        )
    return TwoSources(
        target=Spread(first.shared.effective_rank_target, first.gap.trace_target),
        first=_spread(first),
        second=_spread(second),
        gap_noise_95=NORMAL_95 * (_length_noise(first.statistics) + _length_noise(second.statistics)),
    )


def _spread(diagnosis: Diagnosis) -> SourceSpread:
    gap = diagnosis.gap
    return SourceSpread(
        effective_rank=diagnosis.shared.effective_rank_source,
        trace=gap.trace_source,
        gap=gap.centroid_distance,
        sampling_floor=gap.sampling_floor,
        sampling_floor_95=gap.sampling_floor_95,
    )


def _length_noise(statistics: PairStatistics) -> float:
    """Standard error of the gap's length, to first order; of the whole vector where there is no direction."""
    gap, noise = statistics.gap, statistics.noise
    square = float(gap @ gap)
    variance = float(gap @ noise @ gap) / square if square > 0 else float(noise.trace())
    return math.sqrt(max(variance, 0.0))
