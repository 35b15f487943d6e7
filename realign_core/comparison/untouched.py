"""What the source is worth before any map: retrieval both ways and zero-shot, and nothing else.

Where `identity` is among the methods its scores serve. Elsewhere these few cost two products of the held-out
rows, a fraction of what a method takes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.scoring import RECALLS, MapScores, zero_shot
from realign_core.diagnostics.neighbours import RowSet, best_own_cosine, found_within, nearest
from realign_core.moments import Moments


def score_untouched(evaluation: Evaluation, prototypes: Tensor | None) -> MapScores:
    """Gap, recalls and zero-shot of the source rows of pairs as they are."""
    source, target = evaluation.source_set, evaluation.target_set
    assert evaluation.groups is not None, "the evaluation is paired"
    difference = Moments.of(evaluation.x - evaluation.y)
    result = MapScores({}, evaluation.y, Moments.of(evaluation.y), difference)
    for suffix, queries, keys, rows in (
        ("", source, target, result.source_rows),
        ("_reverse", target, source, result.target_rows),
    ):
        rows |= _recalls(queries, keys, evaluation.groups, suffix)
    if evaluation.classes is not None:
        result.target_rows["zero_shot"] = zero_shot(evaluation, source.exact, prototypes)
    for name, values in (result.source_rows | result.target_rows).items():
        result.values[name] = float(values.nanmean())
    result.values["centroid_gap"] = float(torch.linalg.vector_norm(difference.mean))
    return result


def _recalls(queries: RowSet, keys: RowSet, groups: Tensor, suffix: str) -> dict[str, Tensor]:
    across = nearest(queries, keys, min(max(RECALLS), len(keys)))
    best = best_own_cosine(queries, keys, groups)
    return {f"recall_at_{k}{suffix}": found_within(queries, keys, across, best, groups, k) for k in RECALLS}
