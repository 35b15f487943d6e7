"""95 % intervals of held-out scores, conditional on the fitted map (methods, section 5).

Means over rows are bootstrapped, with groups of captions resampled whole; what depends on pairs of rows or
on a covariance gets a delete-a-group jackknife. Every method sees the same resamples, so that differences
between methods can be taken resample by resample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.jackknife import Jackknife
from realign_core.comparison.scoring import MapScores
from realign_core.diagnostics.unit_noise import has_units, unit_sums
from realign_core.moments import Moments

NORMAL_975 = 1.96


@dataclass(frozen=True)
class Replicates:
    """Values of a score on resamples: `"bootstrap"` `(B,)` or `"jackknife"` `(G,)` leave-one-out values."""

    kind: str
    values: np.ndarray

    def interval(self, point: float) -> tuple[float, float]:
        """95 % interval: percentiles of a bootstrap, or the point +- 1.96 jackknife standard errors."""
        if self.kind == "bootstrap":
            low, high = np.percentile(self.values, [2.5, 97.5])
            return float(low), float(high)
        count = len(self.values)
        spread = np.sqrt((count - 1) / count * ((self.values - self.values.mean()) ** 2).sum())
        return point - NORMAL_975 * float(spread), point + NORMAL_975 * float(spread)

    def minus(self, other: Replicates) -> Replicates:
        """Replicates of the difference of two methods on the same resamples."""
        return Replicates(self.kind, self.values - other.values)


class Resampling:
    """The seeded resamples and jackknife groups of one evaluation set."""

    def __init__(self, evaluation: Evaluation, *, bootstrap: int, seed: int):
        self.evaluation = evaluation
        generator = np.random.default_rng(seed)
        unit = evaluation.unit
        if unit is not None:
            self.target_unit = self.source_unit = unit
            self.source_weights = self.target_weights = _weights(unit, bootstrap, generator)
        else:
            self.target_unit, self.source_unit = (
                np.arange(n) for n in (evaluation.n_target, evaluation.n_source)
            )
            self.target_weights = _weights(self.target_unit, bootstrap, generator)
            self.source_weights = _weights(self.source_unit, bootstrap, generator)
        self.jackknife = Jackknife(evaluation, self.target_unit, self.source_unit, generator)

    def replicates(self, scores: MapScores) -> dict[str, Replicates]:
        """Replicates of every score that has a value and an interval."""
        found = self.bootstrap(scores)
        for name, values in self.jackknife.values(scores).items():
            if scores.values[name] is not None and np.isfinite(values).all():
                found[name] = Replicates("jackknife", values)
        return found

    def bootstrap(self, scores: MapScores) -> dict[str, Replicates]:
        """Replicates of the means over rows and of the gap."""
        found = {}
        for rows, weights in (
            (scores.source_rows, self.source_weights),
            (scores.target_rows, self.target_weights),
        ):
            for name, values in _weighted_means(rows, weights).items():
                found[name] = Replicates("bootstrap", values)
        if "mixing_source" in found:
            n_x, n_z = self.evaluation.n_target, self.evaluation.n_source
            both = n_z * found["mixing_source"].values + n_x * found["mixing_target"].values
            found["mixing"] = Replicates("bootstrap", both / (n_x + n_z))
        found["centroid_gap"] = Replicates("bootstrap", self.gap_replicates(scores))
        return found

    def gap_replicates(self, scores: MapScores) -> np.ndarray:
        """`sqrt(max(0, g_b^2 - 2 v))`: the resampled gap with both layers of sampling noise taken out."""
        evaluation, mapped = self.evaluation, scores.mapped
        wx, wz = (w.to(mapped.device) for w in (self.target_weights, self.source_weights))
        if scores.difference is not None:
            difference = evaluation.x - mapped
            shift = wx @ difference / wx.sum(1, keepdim=True)
            variance = mean_variance(difference, scores.difference, self.target_unit)
        else:
            shift = wx @ evaluation.x / wx.sum(1, keepdim=True) - wz @ mapped / wz.sum(1, keepdim=True)
            variance = (
                evaluation.target_moments.trace / evaluation.n_target
                + scores.moments.trace / evaluation.n_source
            )
        return (shift.square().sum(1) - 2 * variance).clamp_min(0).sqrt().cpu().numpy()


def mean_variance(rows: Tensor, moments: Moments, unit: np.ndarray) -> float:
    """Total variance of the mean of `rows` `(n, d)` when whole units are drawn.

    `sum_u ||sum of row - mean over unit u||^2 / n^2`, which is `tr Cov / n` where each row is its own unit.
    """
    if not has_units(unit):
        return moments.trace / moments.n
    sums = unit_sums(rows - moments.mean, unit, int(unit.max()) + 1)
    return float(torch.linalg.vector_norm(sums)) ** 2 / moments.n**2


def _weights(unit: np.ndarray, bootstrap: int, generator: np.random.Generator) -> Tensor:
    """Times `(B, n)` that each row is drawn when whole units are resampled."""
    units = int(unit.max()) + 1
    counts = generator.multinomial(units, np.full(units, 1 / units), size=bootstrap)
    return torch.from_numpy(counts[:, unit].astype(np.float64))


def _weighted_means(rows: dict[str, Tensor], weights: Tensor) -> dict[str, np.ndarray]:
    if not rows:
        return {}
    stacked = torch.stack([values.cpu() for values in rows.values()], dim=1)
    # Rows for which a score does not exist, as those without a label, count neither above nor below.
    known = (~stacked.isnan()).to(torch.float64)
    means = (weights @ stacked.nan_to_num() / (weights @ known)).numpy()
    found = {name: means[:, column] for column, name in enumerate(rows)}
    return {name: values for name, values in found.items() if np.isfinite(values).all()}
