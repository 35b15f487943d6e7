"""Delete-a-group values of the scores of pairs of rows and of covariances (methods, section 5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from realign_core.checkpoint import checkpoint
from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.scoring import MapScores, residual_anisotropy
from realign_core.diagnostics.angular import BINS, PIECE, PairCosines, RowPairs, correlation, jensen_shannon
from realign_core.diagnostics.cross_moments import CrossMoments, all_pair_sums
from realign_core.diagnostics.shape import power_law
from realign_core.diagnostics.shared import covariance_discrepancy
from realign_core.linalg import gram, spectra_descending
from realign_core.moments import Moments

GROUPS = 20


class Jackknife:
    """Leave-one-out values over at most 20 seeded groups of near equal size.

    `target_unit` and `source_unit` `(n,)` number what must stay together from 0 on.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        target_unit: np.ndarray,
        source_unit: np.ndarray,
        generator: np.random.Generator,
    ):
        self.evaluation = evaluation
        self.count = min(GROUPS, int(target_unit.max()) + 1, int(source_unit.max()) + 1)
        self.target_label = _labels(target_unit, self.count, generator)
        # Both sides of a pair leave together.
        paired = target_unit is source_unit
        self.source_label = self.target_label if paired else _labels(source_unit, self.count, generator)

    def values(self, scores: MapScores) -> dict[str, np.ndarray]:
        """Leave-one-out values `(G,)` by score; NaN where one does not exist. Empty for a single group."""
        if self.count < 2:
            return {}
        found = self._of_pairs(scores) | self._of_covariances(scores)
        if scores.difference is not None:
            x, z = self.evaluation.x, scores.mapped
            parts = (x[rows] - z[rows] for rows in self._target_members)
            left = leave_one_out(scores.difference, parts)
            found["anisotropy"] = [residual_anisotropy(part, self.evaluation.scale) for part in left]
        return {name: np.array(values, dtype=np.float64) for name, values in found.items()}

    def _of_covariances(self, scores: MapScores) -> dict[str, list[float | None]]:
        evaluation = self.evaluation
        x, z = evaluation.x, scores.mapped
        target = leave_one_out(evaluation.target_moments, (x[rows] for rows in self._target_members))
        mapped = leave_one_out(scores.moments, (z[rows] for rows in self._source_members))
        apart: list[float | None] = []
        constant: list[bool] = []

        def covariances() -> Iterator[Tensor]:
            for x, z in zip(target, mapped, strict=True):
                apart.append(None if x.is_constant else covariance_discrepancy(x.covariance, z.covariance))
                constant.append(z.is_constant)
                yield z.covariance

        matrices: Iterable[Tensor] = covariances()
        if evaluation.n_source < evaluation.x.shape[1]:
            # The inner products of fewer rows than dimensions have the same eigenvalues.
            deque(matrices, maxlen=0)
            matrices = self._inner_products(scores)
        spectra = spectra_descending(matrices)
        alpha = [power_law(spectrum)[0] for spectrum in spectra]
        alpha = [None if none else value for none, value in zip(constant, alpha, strict=True)]
        return {"covariance_discrepancy": apart, "alpha": alpha}

    def _inner_products(self, scores: MapScores) -> Iterator[Tensor]:
        """Centred inner products of the mapped rows without each group, `(n', n')` over their count."""
        rows = scores.mapped - scores.moments.mean
        products = gram(rows.mT)
        for group in range(self.count):
            left = torch.from_numpy(np.flatnonzero(self.source_label != group)).to(rows.device)
            part = products[left][:, left]
            centred = part - part.mean(0) - part.mean(1, keepdim=True) + part.mean()
            yield centred / len(left)

    def _of_pairs(self, scores: MapScores) -> dict[str, np.ndarray]:
        """psi from sums, cosine_js from histograms over the pairs that are left."""
        directions, within, across, cosines = scores.directions, scores.within, scores.across, scores.cosines
        assert cosines is not None, "the scores are complete"
        if directions is None or within is None or across is None:
            sums = self._sampled_sums(cosines)
        else:
            sums = self._every_sums(directions, within, across)
        mapped = self._histograms(self._source_code, cosines.bins)
        return {
            "psi": correlation(sums).numpy(),
            "cosine_js": jensen_shannon(_left(self._target_histograms), _left(mapped)).numpy(),
        }

    def _every_sums(self, z: Tensor, within: CrossMoments, across: CrossMoments) -> Tensor:
        """Sums `(G, 6)` over every pair of the rows left, from their moments."""
        y = self.evaluation.source_set.exact
        found = []
        for rows, before in zip(self._source_members, self._source_products, strict=True):
            part_y, part_z = y[rows], z[rows]
            after = within.without(CrossMoments.of(part_z, part_z)).product
            left = across.without(CrossMoments.of(part_y, part_z))
            found.append(all_pair_sums(before, after, left))
        return torch.stack(found)

    def _sampled_sums(self, cosines: PairCosines) -> Tensor:
        """Sums `(G, 6)` over the sampled pairs of the rows left."""
        before_and_after = self.evaluation.source_cosines.values, cosines.values
        values = [part for part in before_and_after if part is not None]
        means = [part.mean(dtype=torch.float64) for part in values]
        size = self.count**2
        sums = torch.zeros((6, size), dtype=torch.float64)
        pieces = zip(*(part.split(PIECE) for part in (self._source_code, *values)), strict=True)
        for code, *parts in pieces:
            a, b = (part.double() - mean for part, mean in zip(parts, means, strict=True))
            for total, weights in zip(sums, (None, a, b, a * a, b * b, a * b), strict=True):
                total += torch.bincount(code, weights=weights, minlength=size)
        return _left(sums.T.view(self.count, self.count, 6))

    @cached_property
    def _target_members(self) -> list[Tensor]:
        return members(self.target_label, self.count, self.evaluation.x.device)

    @cached_property
    def _source_members(self) -> list[Tensor]:
        return members(self.source_label, self.count, self.evaluation.y.device)

    @cached_property
    def _source_products(self) -> list[float]:
        """`CrossMoments.product` of the source directions without each group."""
        y, within = self.evaluation.source_set.exact, self.evaluation.source_within
        parts = (y[rows] for rows in self._source_members)
        return [within.without(CrossMoments.of(part, part)).product for part in parts]

    @cached_property
    def _source_code(self) -> Tensor:
        return self._code(self.evaluation.source_pairs, self.source_label)

    @cached_property
    def _target_histograms(self) -> Tensor:
        evaluation = self.evaluation
        alike = evaluation.target_pairs is evaluation.source_pairs and self.target_label is self.source_label
        code = self._source_code if alike else self._code(evaluation.target_pairs, self.target_label)
        return self._histograms(code, evaluation.target_cosines.bins)

    def _code(self, pairs: RowPairs, label: np.ndarray) -> Tensor:
        """Which pair of groups each pair of rows belongs to, int32."""
        group = torch.from_numpy(label.astype(np.int32))
        code = torch.empty(len(pairs), dtype=torch.int32)
        for i, j, out in zip(pairs.i.split(PIECE), pairs.j.split(PIECE), code.split(PIECE), strict=True):
            torch.add(group[j], group[i], alpha=self.count, out=out)
        return code

    def _histograms(self, code: Tensor, bins: Tensor) -> Tensor:
        """Histograms `(G, G, bins)` of cosines given by their bins."""
        size = self.count**2 * BINS
        total = torch.zeros(size, dtype=torch.int64)
        for part, places in zip(code.split(PIECE), bins.split(PIECE)):
            total += torch.bincount(part * BINS + places, minlength=size)
        return total.view(self.count, self.count, BINS).double()


def leave_one_out(total: Moments, parts: Iterable[Tensor]) -> Iterator[Moments]:
    """Moments of the rows, whose moments are `total`, that are left without each part `(m, d)` in turn."""
    for part in parts:
        checkpoint()
        yield total.without(Moments.of(part))


def members(label: np.ndarray, count: int, device: torch.device) -> list[Tensor]:
    """Numbers of the rows of each labelled group."""
    return [torch.from_numpy(np.flatnonzero(label == group)).to(device) for group in range(count)]


def _left(sums: Tensor) -> Tensor:
    """Sums `(G, ...)` over the pairs without a row in each group, from sums `(G, G, ...)`."""
    diagonal = torch.diagonal(sums, dim1=0, dim2=1).movedim(-1, 0)
    return sums.sum((0, 1)) - (sums.sum(0) + sums.sum(1) - diagonal)


def _labels(unit: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Jackknife group of each row: units dealt at random into `count` groups of near equal size."""
    units = int(unit.max()) + 1
    place = generator.permutation(units)
    return (place * count // units)[unit]
