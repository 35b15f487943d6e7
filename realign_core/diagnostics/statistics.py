"""The sufficient statistics of a pair of sets: everything that the diagnostics read, from streamed passes.

The first pass gathers moments, the second what depends on the means, the third the mean of the aligned rows.
The diagnostics are functions of this object, so another energy threshold costs no further pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.diagnostics.unit_noise import UnitScatter, has_units
from realign_core.linalg import ZERO_TRACE, in_cache
from realign_core.moments import Moments, float64_blocks, unit_rows
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

        def blocks(rows: Any) -> Iterator[Tensor]:
            return float64_blocks(rows, normalize=normalize, device=device)

        progress("moments")
        difference: Moments | None = None
        halves: tuple[Moments, Moments] | None = None
        mean_distance: float | None = None
        if paired:
            x, y, difference, halves, mean_distance = _paired_moments(
                blocks(target), blocks(source), _half_mask(_count(target), seed)
            )
        else:
            x, y = (
                Moments.from_batches(rows, normalize=normalize, device=device) for rows in (target, source)
            )
        for name, part in (("target", x), ("source", y)):
            if part.n < 2:
                raise UnusableInput(f"the {name} set has {part.n} usable row; at least 2 are needed")

        progress("distances and drift")
        scale = None if y.is_constant else math.sqrt(x.trace / y.trace)
        stages = _stage_means(lambda: blocks(source), x, y, scale) if normalize else {}
        centred, units = None, UnitScatter(groups) if groups is not None and has_units(groups) else None
        if difference is not None:
            total = 0.0
            for a, b in zip(_pieces(blocks(target)), _pieces(blocks(source)), strict=True):
                deviations = a - b - difference.mean
                total += float(torch.linalg.vector_norm(deviations, dim=1).sum())
                if units:
                    units.add(deviations)
            centred = total / difference.n
        scatter = units.scatter if units else None
        return cls(x, y, difference, halves, mean_distance, centred, stages, scale, normalize, scatter)


def _pieces(blocks: Iterable[Tensor]) -> Iterator[Tensor]:
    return chain.from_iterable(map(in_cache, blocks))


def _count(rows: Any) -> int:
    """How many rows an array, a `Batches` or a list of blocks has."""
    return len(rows) if hasattr(rows, "shape") else sum(block.shape[0] for block in rows)


def _half_mask(n: int, seed: int) -> np.ndarray:
    """True on a seeded half of n rows."""
    mask = np.zeros(n, dtype=bool)
    mask[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    return mask


def _paired_moments(
    target: Iterator[Tensor], source: Iterator[Tensor], first_half: np.ndarray
) -> tuple[Moments, Moments, Moments, tuple[Moments, Moments] | None, float]:
    parts: dict[str, Moments] = {}
    distance, row = 0.0, 0

    def add(name: str, rows: Tensor) -> None:
        if rows.shape[0]:
            part = Moments.of(rows)
            parts[name] = parts[name].merge(part) if name in parts else part

    for x, y in zip(target, source, strict=True):
        if x.shape != y.shape:
            raise UnusableInput(
                f"target block {tuple(x.shape)} and source block {tuple(y.shape)} differ; "
                "pairs need equal shapes"
            )
        difference = x - y
        mask = torch.as_tensor(first_half[row : row + len(x)], device=x.device)
        add("target", x)
        add("source", y)
        add("fit", difference[mask])
        add("judge", difference[~mask])
        distance += float(torch.linalg.vector_norm(difference, dim=1).sum())
        row += len(x)
    halves = (parts["fit"], parts["judge"]) if "fit" in parts and "judge" in parts else None
    whole = parts["judge"].merge(parts["fit"]) if halves else parts.get("judge")
    if whole is None:
        raise UnusableInput("the sets have no rows; at least 2 pairs are needed")
    return parts["target"], parts["source"], whole, halves, distance / whole.n


def _stage_means(
    source: Callable[[], Iterator[Tensor]], x: Moments, y: Moments, scale: float | None
) -> dict[str, Tensor]:
    """Mean of the source after each step: original, anchor, trace, projected, centroid, final.

    `anchor_projected` is the mean after projecting straight from the anchor step; the means before a
    projection are exact by construction and need no pass. A step that moves a row onto the origin has no
    mean after its projection: that mean and what follows from it are missing.
    """

    def mean_of(mapped: Callable[[Tensor], Tensor]) -> Tensor:
        total, n = torch.zeros_like(x.mean), 0
        for rows in _pieces(source()):
            total += mapped(rows).sum(dim=0)
            n += rows.shape[0]
        return total / n

    stages = {"original": y.mean, "anchor": x.mean}
    projected = mean_of(lambda rows: unit_rows(rows - y.mean + x.mean))
    if bool(projected.isfinite().all()):
        stages["anchor_projected"] = projected
    if scale is None:
        return stages

    def traced(rows: Tensor) -> Tensor:
        return unit_rows(x.mean + scale * (rows - y.mean))

    stages["trace"] = x.mean
    projected = mean_of(traced)
    shift = x.mean - projected
    final = mean_of(lambda rows: unit_rows(traced(rows) + shift))
    if bool(final.isfinite().all()):
        stages |= {"projected": projected, "centroid": x.mean, "final": final}
    return stages
