"""Sentences on costs and gains: what was planted is said, with its numbers, and nothing else."""

# ruff: noqa: RUF001  (numbers are set with a true minus)

import dataclasses

import numpy as np
import pytest
import result_cases
import useful_sets

import realign_core as rc
from realign_core.comparison import differences
from realign_core.findings import cost_warning, findings, largest_cost, use_findings
from realign_core.glossary import share, shown


def numbers(one):
    """A difference as a sentence writes it."""
    low, high = (share(end, signed=True) for end in (one.low, one.high))
    return (
        f"from {share(one.before)} to {share(one.after)} ({share(one.change, signed=True)}, "
        f"95 % interval {low} to {high})"
    )


def gaps(comparison, name):
    before, after = (comparison.methods[one].held("centroid_gap") for one in ("identity", name))
    return f"the gap from {shown(before)} to {shown(after)}"


def test_a_planted_cost_is_named_with_what_it_bought():
    found = useful_sets.judged("harmed")
    one = differences(found)["mean_shift"]["recall_at_1"]
    (cost,) = use_findings(found)
    assert cost.topic == "costs"
    assert cost.text == (
        f"Largest cost: mean shift closes {gaps(found, 'mean_shift')} but lowers text-to-image recall@1 "
        f"{numbers(one)}."
    )
    assert largest_cost(found) == one


def test_a_planted_gain_is_named_and_warns_of_nothing():
    found = useful_sets.judged("helped")
    one = differences(found)["mean_shift"]["recall_at_1"]
    (gain,) = use_findings(found)
    assert gain.topic == "uses"
    assert gain.text == (
        f"Mean shift closes {gaps(found, 'mean_shift')} and raises text-to-image recall@1 {numbers(one)}."
    )
    assert largest_cost(found) is None
    assert cost_warning(found) is None


def test_where_nothing_is_resolved_that_is_said():
    found = useful_sets.judged("spared")
    (said,) = use_findings(found)
    assert said.topic == "uses"
    assert said.text.startswith(
        "No change resolved in text-to-image recall@1, image-to-text recall@1 or zero-shot accuracy for mean "
        "shift: "
    )
    assert "hold 0 on these 120 pairs" in said.text
    assert cost_warning(found) is None


def test_the_control_is_never_a_cost():
    found = useful_sets.judged("spared")
    assert differences(found)["random_target"]["recall_at_1"].verdict == "loss"
    assert not any("random" in finding.text for finding in use_findings(found))


def changed(comparison, name, score, by):
    """The comparison with a method's held-out score and its replicates moved."""
    method = comparison.methods[name]
    moved = dataclasses.replace(method.replicates[score], values=method.replicates[score].values + by)
    method = dataclasses.replace(
        method,
        held_out={**method.held_out, score: method.held_out[score] + by},
        replicates={**method.replicates, score: moved},
    )
    return dataclasses.replace(comparison, methods={**comparison.methods, name: method})


def test_the_largest_cost_comes_first_and_a_method_may_lose_and_gain():
    names = ("identity", "anchor_trace", "mean_shift", "realign")
    found = useful_sets.judged("spared", names)
    found = changed(found, "mean_shift", "recall_at_1", -0.2)
    found = changed(found, "realign", "recall_at_1_reverse", -0.4)
    found = changed(found, "realign", "recall_at_1", 0.3)
    first, second, last = use_findings(found)
    one = differences(found)["realign"]
    assert first.text.startswith("Largest cost: ReAlign ")
    assert f"lowers image-to-text recall@1 {numbers(one['recall_at_1_reverse'])}" in first.text
    assert first.text.endswith(f"; it raises text-to-image recall@1 {numbers(one['recall_at_1'])}.")
    assert second.text.startswith("Mean shift ")
    assert [finding.topic for finding in (first, second, last)] == ["costs", "costs", "uses"]
    assert "for anchor + trace" in last.text
    lead, others = cost_warning(found)
    assert numbers(one["recall_at_1_reverse"]) in lead
    assert lead.startswith("ReAlign ")
    assert "In-sample, among 240 pairs, it goes from" in lead
    assert others.startswith("Also beyond sampling noise: mean shift −0.")
    assert "anchor" not in others


def test_a_gap_that_grew_is_not_called_closed():
    found = changed(useful_sets.judged("harmed"), "mean_shift", "centroid_gap", 3.0)
    text = use_findings(found)[0].text
    assert "mean shift leaves the gap at" in text
    assert "closes" not in text


def test_zero_shot_at_chance_says_nothing():
    x, y, labels = useful_sets.rows("spared")
    mixed = np.random.default_rng(3).permutation(labels)
    data = rc.EmbeddingPair.from_arrays(x, y, paired="yes", labels=mixed)
    found = use_findings(rc.compare(data, methods=["identity", "mean_shift"], k=5))
    assert found[-1].text.startswith("Zero-shot accuracy says nothing here: it reads ")
    assert "among 4 classes 0.250 to" in found[-1].text
    assert "zero-shot" not in found[0].text


@pytest.mark.parametrize("name", ["unpaired", "few", "constant"])
def test_without_pairs_or_held_out_rows_nothing_is_said(name):
    assert use_findings(result_cases.case(name)) == ()
    assert cost_warning(result_cases.case(name)) is None


def test_costs_come_before_what_the_methods_do():
    topics = [finding.topic for finding in findings(useful_sets.judged("harmed"))]
    assert topics.index("costs") < topics.index("methods")
