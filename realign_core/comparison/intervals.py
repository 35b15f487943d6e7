"""95 % intervals of held-out scores, conditional on the fitted map (methods, section 5).

Means over rows are bootstrapped, with groups of captions resampled whole; what depends on pairs of rows or
on a covariance gets a delete-a-group jackknife. Every method sees the same resamples, so that differences
between methods can be taken resample by resample.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.scoring import MapScores, residual_anisotropy, second_moment
from realign_core.diagnostics.angular import BINS, RowPairs, correlation, jensen_shannon
from realign_core.diagnostics.shape import power_law
from realign_core.diagnostics.shared import covariance_discrepancy
from realign_core.linalg import ZERO_TRACE, eigenvalues_descending
from realign_core.moments import Moments

JACKKNIFE_GROUPS = 20
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
        if evaluation.paired:
            _, unit = np.unique(evaluation.groups.cpu().numpy(), return_inverse=True)
            self.source_weights = self.target_weights = _weights(unit, bootstrap, generator)
            self.source_label = self.target_label = _labels(unit, generator)
        else:
            units = [np.arange(n) for n in (evaluation.n_target, evaluation.n_source)]
            self.target_weights, self.source_weights = (_weights(u, bootstrap, generator) for u in units)
            self.target_label, self.source_label = (_labels(u, generator) for u in units)
        self.count = int(min(self.target_label.max(), self.source_label.max())) + 1

    def replicates(self, scores: MapScores) -> dict[str, Replicates]:
        """Replicates of every score that has a value and an interval."""
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
        found["centroid_gap"] = Replicates("bootstrap", self._gaps(scores))
        for name, values in self._jackknife(scores).items():
            if scores.values[name] is not None and np.isfinite(values).all():
                found[name] = Replicates("jackknife", values)
        return found

    def _gaps(self, scores: MapScores) -> np.ndarray:
        """`sqrt(max(0, g_b^2 - 2 v))`: the resampled gap with both layers of sampling noise taken out."""
        evaluation, mapped = self.evaluation, scores.mapped
        wx, wz = (w.to(mapped.device) for w in (self.target_weights, self.source_weights))
        if evaluation.paired:
            difference = evaluation.x - mapped
            shift = wx @ difference / wx.sum(1, keepdim=True)
            variance = Moments.of(difference).trace / evaluation.n_target
        else:
            shift = wx @ evaluation.x / wx.sum(1, keepdim=True) - wz @ mapped / wz.sum(1, keepdim=True)
            variance = (
                evaluation.target_moments.trace / evaluation.n_target
                + Moments.of(mapped).trace / evaluation.n_source
            )
        return (shift.square().sum(1) - 2 * variance).clamp_min(0).sqrt().cpu().numpy()

    def _jackknife(self, scores: MapScores) -> dict[str, np.ndarray]:
        found = self._jackknife_pairs(scores)
        kinds: dict[str, list[float | None]] = {"covariance_discrepancy": [], "alpha": []}
        if self.evaluation.paired:
            kinds["anisotropy"] = []
        for group in range(self.count):
            x = self.evaluation.x[torch.from_numpy(self.target_label != group).to(self.evaluation.x.device)]
            z = scores.mapped[torch.from_numpy(self.source_label != group).to(scores.mapped.device)]
            target, mapped = Moments.of(x).covariance, Moments.of(z).covariance
            kinds["covariance_discrepancy"].append(covariance_discrepancy(target, mapped))
            varies = float(mapped.trace()) > ZERO_TRACE
            kinds["alpha"].append(power_law(eigenvalues_descending(mapped))[0] if varies else None)
            if self.evaluation.paired:
                kinds["anisotropy"].append(residual_anisotropy(second_moment(x - z)))
        for name, values in kinds.items():
            found[name] = np.array([np.nan if value is None else value for value in values])
        return found

    def _jackknife_pairs(self, scores: MapScores) -> dict[str, np.ndarray]:
        """Leave-one-group-out psi and cosine_js, from sums over pairs of groups."""
        a, b = self.evaluation.source_cosines.double(), scores.cosines.double()
        known = self._before_sums
        sums = torch.stack(
            [
                known[0],
                known[1],
                self._by_source(b),
                known[2],
                self._by_source(b * b),
                self._by_source(a * b),
            ],
            dim=-1,
        )
        psi = correlation(sums.sum((0, 1)) - _touching(sums))
        mapped = self._histograms(self._source_code, scores.bins)
        target = self._target_histograms
        js = jensen_shannon(target.sum((0, 1)) - _touching(target), mapped.sum((0, 1)) - _touching(mapped))
        return {"psi": psi.numpy(), "cosine_js": js.numpy()}

    @cached_property
    def _source_code(self) -> Tensor:
        return self._code(self.evaluation.source_pairs, self.source_label)

    @cached_property
    def _before_sums(self) -> tuple[Tensor, Tensor, Tensor]:
        a = self.evaluation.source_cosines.double()
        return self._by_source(torch.ones_like(a)), self._by_source(a), self._by_source(a * a)

    @cached_property
    def _target_histograms(self) -> Tensor:
        code = self._code(self.evaluation.target_pairs, self.target_label)
        return self._histograms(code, self.evaluation.target_bins)

    def _code(self, pairs: RowPairs, label: np.ndarray) -> Tensor:
        """Which pair of groups each pair of rows belongs to."""
        group = torch.from_numpy(label)
        return group[pairs.i] * self.count + group[pairs.j]

    def _by_source(self, values: Tensor) -> Tensor:
        size = self.count * self.count
        return torch.bincount(self._source_code, weights=values, minlength=size).view(self.count, self.count)

    def _histograms(self, code: Tensor, bins: Tensor) -> Tensor:
        size = self.count * self.count * BINS
        return torch.bincount(code * BINS + bins, minlength=size).view(self.count, self.count, BINS).double()


def _touching(sums: Tensor) -> Tensor:
    """Sums `(G, ...)` over the pairs with at least one row in each group, from sums `(G, G, ...)`."""
    diagonal = torch.diagonal(sums, dim1=0, dim2=1).movedim(-1, 0)
    return sums.sum(0) + sums.sum(1) - diagonal


def _weights(unit: np.ndarray, bootstrap: int, generator: np.random.Generator) -> Tensor:
    """Times `(B, n)` that each row is drawn when whole units are resampled."""
    units = int(unit.max()) + 1
    counts = generator.multinomial(units, np.full(units, 1 / units), size=bootstrap)
    return torch.from_numpy(counts[:, unit].astype(np.float64))


def _labels(unit: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Jackknife group of each row: units dealt at random into at most 20 groups of near equal size."""
    units = int(unit.max()) + 1
    groups = min(JACKKNIFE_GROUPS, units)
    place = generator.permutation(units)
    return (place * groups // units)[unit]


def _weighted_means(rows: dict[str, Tensor], weights: Tensor) -> dict[str, np.ndarray]:
    if not rows:
        return {}
    stacked = torch.stack([values.cpu() for values in rows.values()], dim=1)
    means = (weights @ stacked / weights.sum(1, keepdim=True)).numpy()
    return {name: means[:, column] for column, name in enumerate(rows)}
