"""Scores of one mapped source (methods, section 5): source kept, target reached, pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from realign_core.comparison.evaluation import Evaluation, K, row_set, self_pass
from realign_core.comparison.zero_shot import right_share, right_share_without_own
from realign_core.diagnostics.angular import (
    PairCosines,
    RowPairs,
    correlation,
    jensen_shannon,
    pair_sums,
)
from realign_core.diagnostics.cross_moments import CrossMoments, all_pair_sums
from realign_core.diagnostics.decomposition import sampling_floor
from realign_core.diagnostics.neighbours import (
    Neighbours,
    RowSet,
    best_own_cosine,
    binary_entropy,
    expected_entropy,
    found_within,
    kept_share,
    nearest,
    others_among_nearest,
)
from realign_core.diagnostics.residual import anisotropy
from realign_core.diagnostics.shape import power_law
from realign_core.diagnostics.shared import covariance_discrepancy
from realign_core.diagnostics.unit_noise import has_units, row_covariance
from realign_core.linalg import ZERO_TRACE, eigenvalues_descending, largest_eigenvalue, row_products
from realign_core.moments import Moments

RECALLS = (1, 5, 10)
MIXING = (
    "mixing",
    "mixing_source",
    "mixing_target",
    "entropy_mixing_source",
    "entropy_mixing_target",
)
TARGET_REACHED = (
    "centroid_gap",
    "sampling_floor",
    "sampling_floor_95",
    *MIXING,
    "cosine_js",
    "covariance_discrepancy",
    "trace_ratio",
    "alpha",
)
SOURCE_KEPT = ("retention", "omega", "phi", "psi")
PAIR_SCORES = (
    "paired_cosine",
    *(f"recall_at_{k}" for k in RECALLS),
    *(f"recall_at_{k}_reverse" for k in RECALLS),
    "zero_shot",
    "anisotropy",
)
SCORES = (
    "centroid_gap",
    "sampling_floor",
    "sampling_floor_95",
    *SOURCE_KEPT,
    *TARGET_REACHED[3:],
    *PAIR_SCORES,
)
COLLAPSED_BELOW = 0.2
"""A trace ratio below this means that the mapped rows have shrunk together: no other score counts for it."""


@dataclass
class MapScores:
    """Scores of one map, and what their intervals and the figures need.

    `source_rows` and `target_rows` hold the per-row values of the scores that are means over rows;
    `directions` are those of the mapped rows and `cosines` those of their pairs, `moments` and `spectrum`
    those of the mapped rows, `difference` the moments of `x - z` of pairs, `neighbours` the nearest mapped
    rows of each mapped row. `within` and `across` are the moments of the directions with themselves and of
    the source's with them, kept where psi looks at every pair.
    """

    values: dict[str, float | None]
    mapped: Tensor
    moments: Moments
    difference: Moments | None = None
    source_rows: dict[str, Tensor] = field(default_factory=dict)
    target_rows: dict[str, Tensor] = field(default_factory=dict)
    directions: Tensor | None = None
    cosines: PairCosines | None = None
    within: CrossMoments | None = None
    across: CrossMoments | None = None
    spectrum: Tensor | None = None
    neighbours: Neighbours | None = None


@dataclass(frozen=True)
class FloorWeights:
    """`c` of the sampling floor for each side: 1/n_eval, plus 1/n_fit where the method fits a mean."""

    target: float
    source: float


class _Passes:
    """The three products of a mapped set: with itself and, both ways, with the target."""

    def __init__(self, evaluation: Evaluation, mapped: Tensor, pairs: RowPairs, width: int):
        self.rows: RowSet = row_set(mapped)
        self.within, self.cosines = self_pass(self.rows, pairs, width, exact_at=(K, evaluation.k))
        target = evaluation.target_set
        self.to_target: Neighbours = nearest(self.rows, target, min(K, len(target)))
        self.from_target: Neighbours = nearest(target, self.rows, min(K, len(self.rows)))


def score(
    evaluation: Evaluation,
    mapped: Tensor,
    *,
    floor: FloorWeights | None,
    mixing: bool = True,
    prototypes: Tensor | None = None,
) -> MapScores:
    """Every score of `mapped` `(n_y, d)` float64; None where a score does not exist for this data.

    `prototypes` `(classes, d)` are the centres that zero-shot classification goes by; those of the mapped
    rows themselves, less the group of the row that is judged, where there are none.
    """
    result = MapScores(dict.fromkeys(SCORES), mapped, Moments.of(mapped))
    if evaluation.paired:
        result.difference = Moments.of(evaluation.x - mapped)
    passes = _Passes(evaluation, mapped, evaluation.source_pairs, max(K, evaluation.k))
    result.neighbours, result.cosines = passes.within, passes.cosines
    _source_kept(evaluation, passes, result)
    _target_reached(evaluation, passes, result, floor, mixing=mixing)
    if evaluation.paired:
        _pair_scores(evaluation, passes, result, prototypes)
    result.values = {name: _finite(value) for name, value in result.values.items()}
    return result


def score_reference(evaluation: Evaluation, other: Tensor, floor: FloorWeights) -> dict[str, float | None]:
    """The target-reached scores of other target rows `(n, d)`: what a perfect map would read."""
    result = MapScores(dict.fromkeys(SCORES), other, Moments.of(other))
    pairs = RowPairs.of(len(other), evaluation.seed)
    _target_reached(evaluation, _Passes(evaluation, other, pairs, K), result, floor, mixing=True)
    return {name: _finite(result.values[name]) for name in TARGET_REACHED}


def _source_kept(evaluation: Evaluation, passes: _Passes, result: MapScores) -> None:
    values, rows = result.values, result.source_rows
    rows["phi"] = row_products(evaluation.source_set.exact, passes.rows.exact)
    for name, k in (("retention", evaluation.k), ("omega", K)):
        if k <= evaluation.n_source - 1:
            rows[name] = kept_share(evaluation.source_neighbours, passes.within, k)
    for name, row_values in rows.items():
        values[name] = float(row_values.mean())
    result.directions = passes.rows.exact
    if evaluation.n_source >= 4:
        values["psi"] = float(correlation(_psi_sums(evaluation, passes, result)))


def _psi_sums(evaluation: Evaluation, passes: _Passes, result: MapScores) -> Tensor:
    """What the correlation of cosines before and after the map is made of."""
    before, after = evaluation.source_cosines.values, passes.cosines.values
    if before is not None and after is not None:
        return pair_sums(before, after)
    y, z = evaluation.source_set.exact, passes.rows.exact
    result.within, result.across = CrossMoments.of(z, z), CrossMoments.of(y, z)
    return all_pair_sums(evaluation.source_within.product, result.within.product, result.across)


def _target_reached(
    evaluation: Evaluation,
    passes: _Passes,
    result: MapScores,
    floor: FloorWeights | None,
    *,
    mixing: bool,
) -> None:
    values, moments = result.values, result.moments
    target = evaluation.target_moments
    values["centroid_gap"] = float(torch.linalg.vector_norm(target.mean - moments.mean))
    if floor is not None:
        noise = _noise(evaluation, result, floor)
        values["sampling_floor"], values["sampling_floor_95"] = sampling_floor(noise)
    if mixing:
        _mixing(evaluation, passes, result)
    if len(passes.cosines.bins) and len(evaluation.target_cosines.bins):
        histograms = evaluation.target_cosines.histogram, passes.cosines.histogram
        values["cosine_js"] = float(jensen_shannon(*histograms))
    if not target.is_constant:
        values["covariance_discrepancy"] = covariance_discrepancy(target.covariance, moments.covariance)
        values["trace_ratio"] = moments.trace / target.trace
    result.spectrum = eigenvalues_descending(moments.covariance)
    values["alpha"] = None if moments.is_constant else power_law(result.spectrum)[0]


def _noise(evaluation: Evaluation, result: MapScores, floor: FloorWeights) -> Tensor:
    """Covariance of the gap over samples of this size; rows of one unit are drawn together."""
    unit, target = evaluation.unit, evaluation.target_moments
    if unit is None or not has_units(unit):
        noise = floor.target * (result.difference or target).covariance
        return noise if result.difference else noise + floor.source * result.moments.covariance
    if result.difference:
        return floor.target * row_covariance(evaluation.x - result.mapped, result.difference, unit)
    # Other target rows come in units as the judged ones do.
    noise = row_covariance(evaluation.x, target, unit)
    crowding = float(noise.trace()) / target.trace if target.trace > 0 else 1.0
    return floor.target * noise + floor.source * crowding * result.moments.covariance


def _mixing(evaluation: Evaluation, passes: _Passes, result: MapScores) -> None:
    n_x, n_z = evaluation.n_target, len(passes.rows)
    if n_x + n_z - 1 < K:
        return
    target = evaluation.target_set
    z_foreign = others_among_nearest(passes.rows, passes.within, passes.rows, passes.to_target, target, K)
    x_foreign = others_among_nearest(
        target, evaluation.target_neighbours, target, passes.from_target, passes.rows, K
    )
    expected = expected_entropy(n_x, n_z, K)
    result.source_rows["mixing_source"] = z_foreign.double() / K
    result.target_rows["mixing_target"] = x_foreign.double() / K
    result.source_rows["entropy_mixing_source"] = binary_entropy(z_foreign.double() / K) / expected
    result.target_rows["entropy_mixing_target"] = binary_entropy(x_foreign.double() / K) / expected
    values = result.values
    for name in ("mixing_source", "entropy_mixing_source"):
        values[name] = float(result.source_rows[name].mean())
    for name in ("mixing_target", "entropy_mixing_target"):
        values[name] = float(result.target_rows[name].mean())
    z_mixing, x_mixing = result.source_rows["mixing_source"], result.target_rows["mixing_target"]
    values["mixing"] = (n_z * float(z_mixing.mean()) + n_x * float(x_mixing.mean())) / (n_x + n_z)


def _pair_scores(
    evaluation: Evaluation, passes: _Passes, result: MapScores, prototypes: Tensor | None
) -> None:
    values, target, groups = result.values, evaluation.target_set, evaluation.groups
    assert groups is not None, "the evaluation is paired"
    assert result.difference is not None, "the evaluation is paired"
    result.source_rows["paired_cosine"] = row_products(target.exact, passes.rows.exact)
    forward = best_own_cosine(passes.rows, target, groups)
    backward = best_own_cosine(target, passes.rows, groups)
    for k in RECALLS:
        result.source_rows[f"recall_at_{k}"] = found_within(
            passes.rows, target, passes.to_target, forward, groups, k
        )
        result.target_rows[f"recall_at_{k}_reverse"] = found_within(
            target, passes.rows, passes.from_target, backward, groups, k
        )
    if evaluation.classes is not None:
        result.target_rows["zero_shot"] = zero_shot(evaluation, passes.rows.exact, prototypes)
    for name in PAIR_SCORES:
        rows = result.source_rows.get(name, result.target_rows.get(name))
        values[name] = None if rows is None else float(rows.nanmean())
    values["anisotropy"] = residual_anisotropy(result.difference, evaluation.scale)


def zero_shot(evaluation: Evaluation, directions: Tensor, prototypes: Tensor | None) -> Tensor:
    """Whether each target row is given its own class, `(n,)`; NaN for a row without one."""
    target, classes, groups = evaluation.target_set.exact, evaluation.classes, evaluation.groups
    assert classes is not None, "labels make the classes"
    assert groups is not None, "the evaluation is paired"
    if prototypes is not None:
        return right_share(target, classes, prototypes)
    return right_share_without_own(target, directions, classes, groups, int(classes.max()) + 1)


def residual_anisotropy(difference: Moments, scale: float) -> float | None:
    """`A_r` of the uncentred second moment [A, app. B.2]; None where it is rounding beside `scale`."""
    if difference.mean_square <= ZERO_TRACE * scale:
        return None
    moment = difference.second_moment_about(torch.zeros_like(difference.mean))
    return anisotropy(largest_eigenvalue(moment), float(moment.trace()), moment.shape[0])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
