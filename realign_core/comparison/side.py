"""What is fitted on and what is judged: one side, in-sample or held-out, of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.alignment import Traits, map_in_sample
from realign_core.comparison.evaluation import Evaluation, K, row_set
from realign_core.comparison.intervals import Replicates, Resampling
from realign_core.comparison.scoring import COLLAPSED_BELOW, FloorWeights, MapScores
from realign_core.comparison.zero_shot import ClassCounts, Classes, prototypes
from realign_core.linalg import in_cache
from realign_core.validation import UnusableInput


@dataclass(frozen=True)
class Side:
    """Rows to fit on and rows to judge on; `judged` are the numbers of the latter in both sets.

    `classes` are those of zero-shot, None without labels; `source_at` gives source rows `(m, d)` by number.
    """

    fit_target: Any
    fit_source: Any
    evaluation: Evaluation
    judged: tuple[np.ndarray, np.ndarray]
    n_fit: tuple[int, int]
    in_sample: bool
    classes: Classes | None = None
    source_at: Callable[[np.ndarray], Tensor] | None = None

    def floor(self, traits: Traits) -> FloorWeights | None:
        """Weights of the sampling floor; none in-sample for a fitted mean, whose gap is made small."""
        fitted = 1 / self.n_fit[0], 1 / self.n_fit[1]
        if self.in_sample:
            # The gap is that of all rows, also where other scores rest on a sample of them.
            return None if traits.fits_mean else FloorWeights(*fitted)
        judged = 1 / self.evaluation.n_target, 1 / self.evaluation.n_source
        if not traits.fits_mean:
            return FloorWeights(*judged)
        return FloorWeights(judged[0] + fitted[0], judged[1] + fitted[1])

    def mapped(self, method: Any) -> Tensor:
        """The judged source rows after a fitted method, `(n, d)` float64, each with a direction."""
        rows = self.evaluation.y
        found = map_in_sample(method, rows) if self.in_sample else method.transform(rows)
        found = torch.as_tensor(found, dtype=torch.float64, device=rows.device)
        if not all(bool(part.isfinite().all()) for part in in_cache(found)):
            row = int(torch.nonzero(~found.isfinite().all(dim=1))[0])
            raise UnusableInput(f"it maps row {row} of the judged source rows to a point without a direction")
        return found

    def prototypes(self, transform: Callable[[Tensor], Any]) -> Tensor | None:
        """Class centres `(classes, d)` of the fitted source rows after the map; None in-sample or unlabelled.

        No judged pair has a part in them, and the labels none in the map.
        """
        if self.classes is None or self.classes.prototype_rows is None or self.source_at is None:
            return None
        rows = self.classes.prototype_rows
        source = self.source_at(rows)
        mapped = torch.as_tensor(transform(source), dtype=torch.float64, device=source.device)
        code = torch.from_numpy(self.classes.code[rows]).to(source.device)
        return prototypes(row_set(mapped).exact, code, len(self.classes.names))


@dataclass(frozen=True)
class SideScores:
    """Scores of one map on one side, with 95 % intervals and replicates where the side is held out."""

    values: dict[str, float | None]
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    replicates: dict[str, Replicates] = field(default_factory=dict)

    @classmethod
    def of(cls, scores: MapScores, resampling: Resampling | None) -> SideScores:
        """Scores with the intervals that the resamples give; none without held-out rows."""
        replicates = resampling.replicates(scores) if resampling else {}
        points = ((name, scores.values[name]) for name in replicates)
        interval = {name: replicates[name].interval(value) for name, value in points if value is not None}
        return cls(scores.values, interval, replicates)

    @property
    def collapsed(self) -> bool:
        """Whether the mapped rows have shrunk to under a fifth of the target's variance."""
        ratio = self.values.get("trace_ratio")
        return ratio is not None and ratio < COLLAPSED_BELOW


def small_notes(evaluation: Evaluation, which: str) -> list[str]:
    """Sentences that name the neighbourhood scores that have too few rows."""
    n_x, n_y = evaluation.n_target, evaluation.n_source
    return [
        f"{which} {name} needs more than {k} {kind} rows; there are {rows}."
        for k, name, rows, kind in (
            (evaluation.k, "retention", n_y, "source"),
            (K, "omega", n_y, "source"),
            (K, "mixing", n_x + n_y, "pooled"),
        )
        if k > rows - 1
    ]


def class_counts(whole: Side, held_out: Side | None) -> dict[str, ClassCounts]:
    """Classes of zero-shot by side, `"held_out"` first; empty without labels."""
    sides = {"held_out": held_out, "in_sample": whole}
    return {
        name: side.classes.counts(side.judged[0])
        for name, side in sides.items()
        if side is not None and side.classes is not None
    }


def row_counts(whole: Side, held_out: Side | None) -> dict[str, int]:
    """How many rows scores rest on."""
    inside, outside = whole.evaluation, held_out and held_out.evaluation
    return {
        "in_sample_target": inside.n_target,
        "in_sample_source": inside.n_source,
        "held_out_target": outside.n_target if outside else 0,
        "held_out_source": outside.n_source if outside else 0,
    }


def some_rows(rows: Any, indices: np.ndarray) -> Any:
    """The rows with these numbers: of a tensor in this order, of a file in its own."""
    if isinstance(rows, Tensor):
        return rows[torch.from_numpy(indices).to(rows.device)]
    return rows.subset(np.sort(indices))


def at_most(limit: int, rows: Any, seed: int) -> Any:
    """The rows, or a seeded sample of `limit` of them."""
    if len(rows) <= limit:
        return rows
    return some_rows(rows, np.random.default_rng(seed).choice(len(rows), limit, replace=False))
