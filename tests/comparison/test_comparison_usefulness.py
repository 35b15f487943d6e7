"""Differences from the untouched source: known answers, pairing of the resamples, and the real figure."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import useful_sets

import realign_core as rc
from realign_core.comparison import differences
from realign_core.comparison.usefulness import EVERY_USE, USES


@pytest.mark.parametrize(("kind", "verdict"), [("harmed", "loss"), ("helped", "gain"), ("spared", "open")])
def test_what_a_mean_shift_does_is_told_as_it_was_planted(kind, verdict):
    found = differences(useful_sets.judged(kind))["mean_shift"]
    assert found["recall_at_1"].verdict == verdict
    # The pull is the same for every query, so that only what is searched for by them can change.
    assert {found[score].verdict for score in ("recall_at_1_reverse", "zero_shot")} == {"open"}


@pytest.mark.parametrize("kind", ["harmed", "helped"])
def test_before_and_after_are_those_of_an_independent_implementation(kind):
    x, y, _ = useful_sets.rows(kind)
    comparison = useful_sets.judged(kind)
    order = np.random.default_rng(0).permutation(len(x))
    fit, judged = order[: len(x) // 2], order[len(x) // 2 :]
    z = oracles.unit(y[judged] - y[fit].mean(0) + x[fit].mean(0))
    groups = np.arange(len(judged))
    one = differences(comparison)["mean_shift"]["recall_at_1"]
    assert one.before == pytest.approx(oracles.recall(y[judged], x[judged], groups, 1))
    assert one.after == pytest.approx(oracles.recall(z, x[judged], groups, 1))
    assert one.change == pytest.approx(one.after - one.before)
    assert one.low <= one.change <= one.high
    inside = oracles.unit(y - y.mean(0) + x.mean(0))
    groups = np.arange(len(x))
    expected = oracles.recall(y, x, groups, 1), oracles.recall(inside, x, groups, 1)
    assert one.in_sample == pytest.approx(expected)


def test_the_interval_is_that_of_the_paired_difference():
    found = useful_sets.judged("spared")
    one = differences(found)["mean_shift"]["recall_at_1"]
    bounds = [found.methods[name].interval["recall_at_1"] for name in ("mean_shift", "identity")]
    apart = (bounds[0][0] - bounds[1][1], bounds[0][1] - bounds[1][0])
    assert one.high - one.low < (apart[1] - apart[0]) / 2
    assert (one.change, one.low, one.high) == found.difference("mean_shift", "identity", "recall_at_1")


@pytest.mark.parametrize("kind", ["harmed", "spared"])
def test_without_the_untouched_source_among_the_methods_the_differences_are_the_same(kind):
    beside, alone = (useful_sets.judged(kind, names) for names in (useful_sets.METHODS, ("mean_shift",)))
    assert "identity" not in alone.methods
    assert alone.untouched.held_out["centroid_gap"] == pytest.approx(
        beside.methods["identity"].held_out["centroid_gap"]
    )
    with_it, without = differences(beside)["mean_shift"], differences(alone)["mean_shift"]
    assert set(with_it) == set(without) == set(EVERY_USE)
    for score, one in with_it.items():
        other = without[score]
        assert (other.before, other.after, other.low, other.high) == pytest.approx(
            (one.before, one.after, one.low, one.high)
        )
        assert other.in_sample is None


def test_unpaired_sets_and_sets_too_small_to_hold_rows_out_have_no_differences():
    x, y, _ = useful_sets.rows("harmed")
    unpaired = rc.compare(rc.EmbeddingPair.from_arrays(x, y, paired="no"), methods=["identity", "mean_shift"])
    short = rc.compare(
        rc.EmbeddingPair.from_arrays(x[:12], y[:12], paired="yes"), methods=["mean_shift"], k=3
    )
    for found in (unpaired, short):
        assert not any(differences(found).values())
        assert found.to_dict()["methods"]["mean_shift"]["differences"] == {}


def test_the_json_holds_every_difference():
    found = useful_sets.judged("harmed")
    written = found.to_dict()["methods"]
    one = differences(found)["mean_shift"]["recall_at_1"]
    assert written["mean_shift"]["differences"]["recall_at_1"] == {
        "untouched": one.before, "change": one.change, "interval": [one.low, one.high],
    }  # fmt: skip
    assert set(written["mean_shift"]["differences"]) == set(EVERY_USE)
    assert written["identity"]["differences"] == {}


def test_a_change_of_what_is_at_chance_is_no_gain():
    x, y, labels = useful_sets.rows("spared")
    mixed = np.random.default_rng(3).permutation(labels)
    data = rc.EmbeddingPair.from_arrays(x, y, paired="yes", labels=mixed)
    found = differences(rc.compare(data, methods=["identity", "mean_shift", "rotation"], k=5), USES)
    for by_score in found.values():
        assert by_score["zero_shot"].at_chance
        assert by_score["zero_shot"].verdict == "open"
        assert not by_score["recall_at_1"].at_chance


def test_mean_removal_on_real_clip_features_costs_text_to_image_recall(clip_file):
    # In-sample, source (text) to target (image), among all 500 pairs: 0.51 falls to 0.32.
    found = rc.compare(rc.load_pair(clip_file), methods=["identity", "mean_shift"])
    one = differences(found)["mean_shift"]["recall_at_1"]
    assert one.in_sample == pytest.approx((0.506, 0.318), abs=1e-9)
    assert [f"{value:.2f}" for value in one.in_sample] == ["0.51", "0.32"]
    # Held-out there are fewer rows to search among; the loss is as large, and beyond sampling noise.
    assert (one.before, one.after) == pytest.approx((0.612, 0.416), abs=1e-9)
    assert one.verdict == "loss"
    assert one.low < -0.196 < one.high < -0.1
