"""The sufficient statistics of a pair of sets: everything that the diagnostics read, from streamed passes.

The first pass gathers moments, the second what depends on the means, the third the mean of the aligned rows.
The diagnostics are functions of this object, so another energy threshold costs no further pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from realign_core.diagnostics.projecting import Projections
from realign_core.diagnostics.sums import PairMoments, Steps, Sums, mapped_sums, second_sums
from realign_core.diagnostics.unit_noise import has_units
from realign_core.linalg import ZERO_TRACE
from realign_core.load.passes import total
from realign_core.moments import Moments, statistics_device
from realign_core.validation import UnusableInput

Progress = Callable[[str], None]


def silent(_: str) -> None:
    """The progress callback of who wants none."""


@dataclass(frozen=True)
class ResidualInBasis:
    """Second moments of the differences in the coordinates of a frame, `(d, d)`: each cut is a slice of them.

    `residual` is their covariance; `fit` and `judge` are those of the two halves, both about the mean of the
    fitting half, None where there are no halves.
    """

    residual: Tensor
    fit: Tensor | None
    judge: Tensor | None


@dataclass(frozen=True)
class PairStatistics:
    """Moments of target, source and, for pairs, of the differences `D = x - y`.

    `halves` are the moments of D on two seeded halves of the pairs; `mean_distance` is `mean ||D||` and
    `centred_distance` `mean ||D - m||`. `stages` holds the mean of the source rows after each step of
    ReAlign, `(d,)` each; a stage that does not exist is missing. `unit_scatter` is that of the differences
    summed over units (`unit_noise`), where captions share an image.
    """

    target: Moments
    source: Moments
    difference: Moments | None
    halves: tuple[Moments, Moments] | None
    mean_distance: float | None
    centred_distance: float | None
    stages: dict[str, Tensor]
    trace_scale: float | None
    normalize: bool
    unit_scatter: Tensor | None = None

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.target.mean.shape[0]

    @property
    def gap(self) -> Tensor:
        """`m = mu_x - mu_y`, `(d,)`; for pairs the mean of the differences, which is exact where x = y."""
        return self.target.mean - self.source.mean if self.difference is None else self.difference.mean

    @property
    def no_residual(self) -> bool:
        """Whether all differences are equal: their variance is rounding beside the rows' mean squares."""
        return self.difference is not None and self.is_rounding(self.difference.trace)

    @property
    def noise(self) -> Tensor:
        """Covariance of the gap `m` over samples of this size, `(d, d)`."""
        if self.difference is None:
            return self.target.covariance / self.target.n + self.source.covariance / self.source.n
        if self.unit_scatter is not None:
            return self.unit_scatter / self.difference.n**2
        return self.difference.covariance / self.difference.n

    def is_rounding(self, variance: float) -> bool:
        """Whether a variance of the differences is rounding beside the rows' mean squares."""
        return variance <= ZERO_TRACE * (self.target.mean_square + self.source.mean_square)

    def in_basis(self, basis: Tensor) -> ResidualInBasis | None:
        """The residual in a frame's basis `(d, d)`, kept for the frame's other cuts; None without pairs."""
        if self.difference is None:
            return None
        kept: tuple[Tensor, ResidualInBasis] | None = self.__dict__.get("_in_basis")
        if kept is None or kept[0] is not basis:
            fit, judge = self.halves or (None, None)
            kept = (
                basis,
                ResidualInBasis(
                    basis.mT @ self.difference.covariance @ basis,
                    basis.mT @ fit.covariance @ basis if fit else None,
                    basis.mT @ judge.second_moment_about(fit.mean) @ basis if fit and judge else None,
                ),
            )
            self.__dict__["_in_basis"] = kept
        return kept[1]

    @classmethod
    def collect(
        cls,
        target: Any,
        source: Any,
        *,
        paired: bool,
        normalize: bool = True,
        groups: np.ndarray | None = None,
        seed: int = 0,
        device: str = "auto",
        progress: Progress = silent,
    ) -> PairStatistics:
        """Read both sets (arrays, tensors or re-iterables of blocks) and gather the statistics.

        `groups` `(n,)` numbers pairs that share a caption or an image. Raises `UnusableInput` for fewer
        than 2 rows or, if `paired`, for sets of different length.
        """

        where = statistics_device(target, device)
        read: dict[str, Any] = {"normalize": normalize, "where": where}
        progress("moments")
        difference: Moments | None = None
        halves: tuple[Moments, Moments] | None = None
        mean_distance: float | None = None
        if paired:
            pairs = partial(PairMoments.of, first_half=_half_mask(_count(target), seed), **read)
            first = total("moments of pairs", (target, source), pairs, PairMoments, where=where)
            if first is None:
                raise UnusableInput("the sets have no rows; at least 2 pairs are needed")
            x, y = first.target, first.source
            difference, halves = _joined(first)
            mean_distance = first.distance / difference.n
        else:
            x, y = (
                Moments.from_batches(rows, normalize=normalize, device=device) for rows in (target, source)
            )
        for name, moments in (("target", x), ("source", y)):
            if moments.n < 2:
                raise UnusableInput(f"the {name} set has {moments.n} usable row; at least 2 are needed")

        progress("distances and drift")
        steps = Steps(x.mean, y.mean, None if y.is_constant else math.sqrt(x.trace / y.trace))
        maps = _maps(steps) if normalize else {}
        second: Sums | None = None
        if difference is not None:
            parts = partial(second_sums, maps=maps, mean=difference.mean, units=_units(groups), **read)
            second = total("distances and drift", (target, source), parts, Sums, where=where)
        elif maps:
            second = total(
                "drift", (source,), partial(mapped_sums, maps=maps, **read), Sums, where=read["where"]
            )
        stages: dict[str, Tensor] = {}
        centred: float | None = None
        scatter: Tensor | None = None
        if maps and second is not None:
            stages = _stage_means(source, second, steps, y.n, read)
        if difference is not None and second is not None:
            centred = float(second.sums["deviation"]) / difference.n
            scatter = None if second.units is None else second.units.scatter
        return cls(x, y, difference, halves, mean_distance, centred, stages, steps.scale, normalize, scatter)


def _count(rows: Any) -> int:
    """How many rows an array, a `Batches` or a list of blocks has."""
    return len(rows) if hasattr(rows, "shape") else sum(block.shape[0] for block in rows)


def _half_mask(n: int, seed: int) -> np.ndarray:
    """True on a seeded half of n rows."""
    mask = np.zeros(n, dtype=bool)
    mask[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    return mask


def _units(groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Number and size of each pair's unit, None where each pair is its own."""
    return (groups, np.bincount(groups)[groups]) if groups is not None and has_units(groups) else None


def _joined(first: PairMoments) -> tuple[Moments, tuple[Moments, Moments] | None]:
    """Moments of all differences, and of their halves where both have rows."""
    if first.fit is None or first.judge is None:
        whole = first.fit or first.judge
        assert whole is not None, "there are pairs"
        return whole, None
    return first.judge.merge(first.fit), (first.fit, first.judge)


def _maps(steps: Steps) -> dict[str, Projections]:
    """The steps of ReAlign whose means after projection need a pass."""
    return {"anchored": steps.anchored, **({} if steps.scale is None else {"traced": steps.traced})}


def _stage_means(source: Any, second: Sums, steps: Steps, n: int, read: dict[str, Any]) -> dict[str, Tensor]:
    """Mean of the source after each step: original, anchor, trace, projected, centroid, final.

    `anchor_projected` is the mean after projecting straight from the anchor step; the means before a
    projection are exact by construction and need no pass. A step that moves a row onto the origin has no
    mean after its projection: that mean and what follows from it are missing.
    """
    stages = {"original": steps.source_mean, "anchor": steps.target_mean}
    projected = second.sums["anchored"] / n
    if bool(projected.isfinite().all()):
        stages["anchor_projected"] = projected
    if steps.scale is None:
        return stages
    stages["trace"] = steps.target_mean
    projected = second.sums["traced"] / n
    maps = {"final": steps.centred(projected)}
    third = total("last step", (source,), partial(mapped_sums, maps=maps, **read), Sums, where=read["where"])
    assert third is not None, "the source has rows"
    final = third.sums["final"] / n
    if bool(final.isfinite().all()):
        stages |= {"projected": projected, "centroid": steps.target_mean, "final": final}
    return stages
