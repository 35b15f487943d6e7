"""Phantom drift: how projecting to the sphere moves a centroid ([R, thm B.14]; methods, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from realign_core.diagnostics.statistics import PairStatistics

SMALLEST_MEAN = 1e-12
STAGES = ("original", "anchor", "trace", "projected", "centroid", "final")


@dataclass(frozen=True)
class StageDrift:
    """`E[normalize(z)] - normalize(mu)` of one stage, measured and predicted to second order.

    Lengths on the unit sphere; `radial` is signed along `mu / ||mu||`; `direction_cosine` is between the
    measured and the predicted drift, None where either is zero.
    """

    measured: float
    radial: float
    tangential: float
    predicted: float
    predicted_tangential: float
    direction_cosine: float | None


@dataclass(frozen=True)
class Drift:
    """Drift after the anchor and after anchor and trace, and the secondary shift ReAlign then removes.

    `stages` is the centroid gap `||mean z - mu_x||` after each step of ReAlign.
    """

    anchor: StageDrift | None
    anchor_trace: StageDrift | None
    centroid_shift: float | None
    stages: dict[str, float | None]


def predicted_drift(mean: Tensor, covariance: Tensor) -> Tensor:
    """Second-order drift `(-S a - a tr(S)/2 + 3/2 a (a' S a)) / rho^2`, `(d,)`, for `tr S << rho^2`."""
    rho = torch.linalg.vector_norm(mean)
    a = mean / rho
    image = covariance @ a
    return (-image - a * covariance.trace() / 2 + 1.5 * a * (a @ image)) / rho**2


def measure_drift(statistics: PairStatistics) -> Drift:
    """Drift of both stages; None where the target mean vanishes or the rows were not normalised."""
    mean, stages = statistics.target.mean, statistics.stages
    if not stages or float(torch.linalg.vector_norm(mean)) < SMALLEST_MEAN:
        return Drift(None, None, None, dict.fromkeys(STAGES))
    covariance = statistics.source.covariance
    anchor = traced = None
    if "anchor_projected" in stages:
        anchor = _stage(mean, stages["anchor_projected"], covariance)
    if "projected" in stages and statistics.trace_scale is not None:
        traced = _stage(mean, stages["projected"], statistics.trace_scale**2 * covariance)
    gaps = {
        name: float(torch.linalg.vector_norm(stages[name] - mean)) if name in stages else None
        for name in STAGES
    }
    return Drift(
        anchor=anchor,
        anchor_trace=traced,
        centroid_shift=gaps["projected"],
        stages=gaps,
    )


def _stage(mean: Tensor, projected_mean: Tensor, covariance: Tensor) -> StageDrift:
    a = mean / torch.linalg.vector_norm(mean)
    measured = projected_mean - a
    predicted = predicted_drift(mean, covariance)
    sizes = [float(torch.linalg.vector_norm(part)) for part in (measured, predicted)]
    # Below rounding a direction means nothing.
    cosine = float(measured @ predicted) / (sizes[0] * sizes[1]) if min(sizes) > SMALLEST_MEAN else None
    return StageDrift(
        measured=sizes[0],
        radial=float(a @ measured),
        tangential=float(torch.linalg.vector_norm(measured - a * (a @ measured))),
        predicted=sizes[1],
        predicted_tangential=float(torch.linalg.vector_norm(predicted - a * (a @ predicted))),
        direction_cosine=cosine,
    )
