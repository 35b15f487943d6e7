"""What is shipped: the samples, the model and the snapshots are whole, small, and as their cards say."""

from __future__ import annotations

import json

import numpy as np
import pytest

import realign_core as rc
from realign_core import samples
from realign_core.training.snapshots import open_snapshots

LARGEST = 25_000_000
LEAST_OVER_CHANCE = 20


def test_everything_stays_under_25_megabytes():
    files = [path for place in (samples.FOLDER, samples.MODEL, samples.TRAINING) for path in place.iterdir()]
    assert sum(path.stat().st_size for path in files) < LARGEST
    assert tuple(samples.sample_names()) == samples.ORDER


@pytest.mark.parametrize("name", samples.ORDER)
def test_a_sample_is_paired_on_the_evidence_of_its_rows_and_reads_what_its_card_says(name):
    pair, card = rc.load_pair(f"sample:{name}"), samples.sample_card(name)
    assert pair.paired
    assert pair.report.rows_dropped.target == pair.report.rows_dropped.source == 0
    assert (pair.report.n_target, pair.report.dim) == (card["rows"], card["dimension"])
    assert pair.report.groups == card["groups"]
    assert all(pair.captions)
    assert len(set(pair.labels)) == 10
    assert len(samples.sample_pictures(name)) == card["rows"]
    assert rc.diagnose(pair).gap.centroid_distance == pytest.approx(card["figures"]["gap"], rel=1e-4)


def test_groups_are_where_captions_share_a_picture():
    pair = rc.load_pair("sample:several-captions")
    each = len(pair.groups) // pair.report.groups
    np.testing.assert_array_equal(pair.groups, np.repeat(np.arange(pair.report.groups), each))


def test_the_model_has_learnt_and_was_trained_to_the_end():
    card = samples.sample_card("scenes")
    assert card["model"]["finished"]
    for way in ("recall_at_1", "recall_at_1_reverse"):
        assert card["figures"][way] >= LEAST_OVER_CHANCE * card["figures"]["chance"]


def test_the_control_has_no_gap_to_speak_of():
    control, words = (samples.sample_card(name)["figures"]["gap"] for name in ("no-gap", "scenes"))
    assert control < 0.1 * words


def test_snapshots_span_the_training():
    folder = open_snapshots(samples.TRAINING)
    assert 10 <= len(folder) <= 14
    assert folder.steps[0] == 0
    assert folder.steps[-1] == folder.record["settings"]["steps"] == folder.record["step"]
    assert [snapshot.step for snapshot in folder] == list(folder.steps)


def test_nothing_names_a_place_on_the_machine_that_made_it():
    texts = [path.read_text() for path in (*samples.FOLDER.glob("*.json"), *samples.TRAINING.glob("*.json"))]
    assert texts
    assert not any(mark in text for text in texts for mark in ("/home/", "/root/", "/tmp/", "\\\\"))
    assert all(json.loads(text) for text in texts)
