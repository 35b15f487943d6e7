"""The best for a need, on scores whose answer is known."""

# ruff: noqa: RUF001  (numbers are set with a true minus)

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import result_cases

from realign_core.comparison.intervals import Replicates
from realign_core.comparison.side import SideScores
from realign_core.comparison.tradeoff import Curve, CurvePoint, TradeOffCurves
from realign_core.findings.needs import NEEDS, Contender, best_for, contenders, need_findings

KEEP, CROSS, RETRIEVE = NEEDS
NOISE = np.random.default_rng(0).standard_normal(200)


def scored(gap=0.1, spread=0.01, own=0.0, **values):
    """Scores with replicates that move together, and by `own` each its own way."""
    values = {"centroid_gap": gap, "sampling_floor_95": 0.05, "trace_ratio": 1.0, **values}
    generator = np.random.default_rng(int(1000 * sum(values.values())))
    replicates = {
        score: Replicates("bootstrap", value + spread * NOISE + own * generator.standard_normal(200))
        for score, value in values.items()
    }
    return SideScores(values, {}, replicates)


def point(method, text="", **values):
    return Contender(method, text, scored(**values))


UNTOUCHED = point("identity", gap=0.8, omega=1.0, entropy_mixing_target=1.5)


def test_the_highest_that_competes_wins_and_the_next_is_of_another_method():
    found = best_for(
        KEEP,
        [
            UNTOUCHED,
            point("realign", "strength 0.25", gap=0.6, omega=0.99),
            point("realign", "strength 0.75", gap=0.3, omega=0.95),
            point("realign", "strength 1", gap=0.1, omega=0.9),
            point("rotation", "Bures 0", omega=0.93),
            point("random_target", omega=0.97),
            Contender("procrustes", "", scored(omega=0.98), uses_pairs=True),
            point("blockwise", "OAS", omega=0.96, trace_ratio=0.1),
        ],
    )
    assert (found.best.name, found.best.text, found.value) == ("realign", "strength 0.75", 0.95)
    assert (found.runner_up.name, found.gap_allowed) == ("rotation", 0.4)
    # Resamples that move together leave the difference exact, however wide each interval is.
    assert found.difference == pytest.approx((0.02, 0.02, 0.02), abs=1e-9)
    assert found.resolved
    assert found.tied == ()


def test_a_difference_within_its_own_noise_is_a_tie():
    found = best_for(
        CROSS,
        [
            UNTOUCHED,
            point("realign", own=0.02, entropy_mixing_target=0.71),
            point("c3", own=0.02, entropy_mixing_target=0.70),
            point("rotation", own=0.02, entropy_mixing_target=0.4),
        ],
    )
    assert found.best.name == "realign"
    assert not found.resolved
    assert [rival.name for rival in found.tied] == ["c3"]


def test_doing_nothing_crosses_no_gap_but_may_retrieve():
    rivals = [
        point("identity", gap=0.8, entropy_mixing_target=0.9, recall_at_1=0.5, recall_at_1_reverse=0.5),
        point("c3", entropy_mixing_target=0.6, recall_at_1=0.6, recall_at_1_reverse=0.2),
    ]
    assert best_for(CROSS, rivals).best.name == "c3"
    found = best_for(RETRIEVE, rivals)
    assert (found.best.name, found.value) == ("identity", 0.5)
    assert found.runner_up.value(RETRIEVE) == pytest.approx(0.4)
    assert found.difference[0] == pytest.approx(0.1)


def test_the_untouched_source_is_not_tied_with_itself_under_another_name():
    same = {"gap": 0.8, "recall_at_1": 0.6, "recall_at_1_reverse": 0.6}
    start = point("identity", **same)
    curve = [
        point("realign", "strength 0", **same),
        point("realign", "strength 1", **same | {"recall_at_1": 0.5}),
    ]
    (retrieve,) = (text for text in told(start, *curve) if text.startswith("To retrieve"))
    assert "the untouched source reads highest" in retrieve
    assert "Next of another method is ReAlign (strength 1), 0.550" in retrieve


def test_different_maps_that_find_every_partner_are_level():
    every = {"recall_at_1": 1.0, "recall_at_1_reverse": 1.0}
    rivals = [point("realign", gap=0.1, **every), point("rotation", gap=0.2, **every)]
    found = best_for(RETRIEVE, rivals)
    assert found.runner_up is rivals[1]
    assert found.difference == (0, 0, 0)
    assert not found.resolved
    assert found.tied == (rivals[1],)
    (retrieve,) = (text for text in told(*rivals) if text.startswith("To retrieve"))
    assert "a tie, since the difference, 0.0000 (0.0000 to 0.0000) in the same resamples" in retrieve


def test_a_score_that_is_missing_names_nobody():
    assert best_for(RETRIEVE, [UNTOUCHED, point("c3", recall_at_1=0.5)]) is None
    assert best_for(KEEP, [point("c3", omega=0.5)]) is None


def told(*points, oracle=None):
    curves = {}
    for each in points:
        curves.setdefault(each.name, []).append(CurvePoint(each.name, each.text, each.text, each.scores))
    corner = curves.pop("identity", [])
    found = TradeOffCurves(
        tuple(Curve(name, "dial", tuple(own)) for name, own in curves.items()),
        oracle,
        {"identity": corner[0]} if corner else {},
        True,
    )
    empty = dataclasses.replace(result_cases.case("single"), methods={})
    return [finding.text for finding in need_findings(empty, found)]


def test_sentences_give_value_interval_runner_up_and_difference():
    texts = told(
        UNTOUCHED,
        point("realign", "strength 0.75", gap=0.3, omega=0.95, entropy_mixing_target=0.5),
        point("rotation", "Bures 0", omega=0.93, entropy_mixing_target=0.5, own=0.005),
    )
    keep, cross = texts
    low, high = np.percentile(0.95 + 0.01 * NOISE, [2.5, 97.5])
    assert keep.startswith(
        "To keep neighbours, among maps that at least halve the centroid gap (to 0.400 or less): "
        "ReAlign (strength 0.75) reads highest on Retention at 20 (Ω), 0.950 "
        f"(95 % interval {low:.3f} to {high:.3f}, held-out). "
        "Next of another method is rotation (Bures 0), 0.930: 0.0200 ("
    )
    assert keep.endswith("lower in the same resamples, which excludes 0.")
    assert "a tie, since the difference, 0.0000 (−" in cross


def test_without_a_gap_doing_nothing_is_told_to_be_enough():
    nothing = point("identity", gap=0.04, omega=1.0)
    keep, *_ = told(nothing, point("realign", gap=0.01, omega=0.9))
    assert "none to halve" in keep
    assert "realign" not in keep.lower()


def test_where_no_map_halves_the_gap_nobody_is_named():
    keep, *_ = told(UNTOUCHED, point("realign", gap=0.7, omega=0.9))
    assert keep == "To keep neighbours: no method at least halves the gap, so none is named."


def test_in_sample_scores_claim_no_difference():
    bare = [
        Contender(each.name, "", SideScores(each.scores.values))
        for each in (UNTOUCHED, point("c3", omega=0.8), point("realign", omega=0.7))
    ]
    keep, *_ = told(*bare)
    assert "0.800 (in-sample)" in keep
    assert keep.endswith("without held-out rows nothing says whether they differ.")


def test_the_oracle_and_the_control_are_never_named():
    oracle = Curve(
        "oracle", "alpha", (CurvePoint("oracle", 1.0, "α 1", scored(omega=0.99, entropy_mixing_target=1)),)
    )
    control = point("random_target", omega=0.99, entropy_mixing_target=0.99)
    texts = " ".join(
        told(UNTOUCHED, control, point("c3", omega=0.2, entropy_mixing_target=0.1), oracle=oracle)
    )
    assert "C3 reads highest on Retention" in texts
    assert "C3 reads highest on Entropy" in texts
    assert "oracle" not in texts
    assert "random" not in texts


def test_methods_as_compared_join_once():
    result = result_cases.case("every")
    realign = result.methods["realign"].shown_scores
    curve = Curve("realign", "strength", (CurvePoint("realign", 1.0, "strength 1", realign, default=True),))
    other = Curve("c3", "noise", (CurvePoint("c3", 2.0, "noise × 2", scored(omega=0.1)),))
    found = contenders(result, TradeOffCurves((curve, other), None, {}, True))
    labels = [each.label for each in found]
    assert labels.count("ReAlign (strength 1)") == 1
    assert "C3 (as set)" in labels
    assert "mean shift" in labels
    assert not any(label.startswith("ReAlign") for label in labels if label != "ReAlign (strength 1)")
    assert next(each for each in found if each.name == "procrustes").uses_pairs
