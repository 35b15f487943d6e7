"""Neighbours of single rows before and after a map, against what is plain to see."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import realign_core as rc
from realign_core.checkpoint import checked_by, checkpoint
from realign_core.comparison import Bench, Settings
from realign_core.comparison.inspection import label_effects, most_harmed, neighbourhood, shares_kept
from realign_core.comparison.result import JudgedRows, NeighbourLists
from realign_core.diagnostics import neighbours
from realign_core.diagnostics.neighbours import RowSet, nearest

METHODS = ("identity", "realign", "c3")


def lists(places) -> NeighbourLists:
    places = np.array(places)
    return NeighbourLists(places, np.linspace(1, 0, places.size).reshape(places.shape))


@pytest.fixture(scope="module")
def compared():
    generator = np.random.default_rng(0)
    meaning = generator.standard_normal((90, 8))
    target, source = (meaning + s + 0.3 * generator.standard_normal((90, 8)) for s in (1.0, -1.0))
    data = rc.EmbeddingPair.from_arrays(target, source, paired="yes")
    return rc.compare(data, methods=METHODS, k=7, bootstrap=20), source


def test_kept_and_new_neighbours_are_told_apart():
    rows = JudgedRows(np.arange(2), np.arange(2), lists([[5, 6, 7, 8], [1, 2, 3, 4]]))
    found = neighbourhood(rows, lists([[8, 9, 5, 1], [1, 2, 3, 4]]), 0, 3)
    assert found.before.tolist() == [5, 6, 7]
    assert found.kept.tolist() == [True, False, False]
    assert found.after.tolist() == [8, 9, 5]
    assert found.stayed.tolist() == [False, False, True]
    assert found.share == pytest.approx(1 / 3)


def test_shares_are_the_retention_that_the_comparison_reports(compared):
    result, _ = compared
    for name in METHODS:
        view = result.methods[name].view
        shares = shares_kept(result.rows["held-out"], view.after["held-out"], 7)
        np.testing.assert_allclose(shares, view.retention)
        inside = shares_kept(result.rows["in-sample"], view.after["in-sample"], 7).mean()
        assert inside == pytest.approx(result.methods[name].in_sample["retention"])
    assert (
        shares_kept(result.rows["held-out"], result.methods["identity"].view.after["held-out"], 7).min() == 1
    )


def test_lists_before_any_map_are_the_nearest_source_rows(compared):
    result, source = compared
    for side in ("held-out", "in-sample"):
        rows = result.rows[side]
        unit = source[rows.source] / np.linalg.norm(source[rows.source], axis=1, keepdims=True)
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, -np.inf)
        expected = np.argsort(-cosines, axis=1)[:, :7]
        np.testing.assert_array_equal(np.sort(rows.before.places[:, :7]), np.sort(expected))
    assert set(result.rows["held-out"].source) < set(result.rows["in-sample"].source)


def test_fewer_neighbours_than_asked_for_are_given_as_they_are():
    rows = JudgedRows(np.arange(3), np.arange(3), lists([[1, 2], [0, 2], [0, 1]]))
    assert len(neighbourhood(rows, rows.before, 0, 10).before) == 2
    np.testing.assert_array_equal(shares_kept(rows, rows.before, 10), 1)


def test_most_harmed_come_first_and_ties_by_place():
    assert most_harmed(np.array([0.5, 0.1, 0.9, 0.1]), 3).tolist() == [1, 3, 0]


def test_labels_are_ranked_by_what_their_rows_kept():
    labels = np.array(["a", "b", "a", None, "", "b", "c"], dtype=object)
    shares = np.array([0.2, 0.8, 0.4, 0.0, 0.0, 1.0, 0.5])
    found = label_effects(shares, labels)
    assert [(effect.label, effect.rows) for effect in found] == [("a", 2), ("c", 1), ("b", 2)]
    assert found[0].kept == pytest.approx(0.3)
    assert found[1].interval is None
    low, high = found[0].interval
    assert low >= 0.2
    assert high <= 0.4


def test_an_interval_narrows_with_rows_and_widens_with_groups():
    shares = np.random.default_rng(0).random(400)
    labels = np.array(["x"] * 400)

    def width(values, **options):
        low, high = label_effects(values, labels[: len(values)], **options)[0].interval
        return high - low

    assert width(shares) < 0.6 * width(shares[:50])
    doubled = np.repeat(shares[:200], 2)
    assert width(doubled, groups=np.repeat(np.arange(200), 2)) > 1.2 * width(doubled)
    assert label_effects(shares, labels, seed=1) == label_effects(shares, labels, seed=1)


class Stop(Exception):
    pass


@pytest.mark.parametrize("visit", [None, lambda start, cosines: None])
def test_a_neighbour_pass_can_be_stopped_between_blocks(monkeypatch, visit):
    monkeypatch.setattr(neighbours, "QUERY_BLOCK", 10)
    monkeypatch.setattr(neighbours, "SEARCH_BLOCK", 10)
    rows = RowSet(torch.nn.functional.normalize(torch.randn(100, 5, dtype=torch.float64)))
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 4:
            raise Stop

    with checked_by(check), pytest.raises(Stop):
        nearest(rows, rows, 3, exclude_self=True, visit=visit)
    assert len(calls) == 4
    checkpoint()
    assert len(calls) == 4


def test_a_bench_whose_judging_was_stopped_judges_as_if_nothing_had_happened():
    generator = np.random.default_rng(1)
    data = rc.EmbeddingPair.from_arrays(*generator.standard_normal((2, 60, 6)), paired="yes")
    bench = Bench(data, Settings(bootstrap=20))

    def stop():
        raise Stop

    with checked_by(stop), pytest.raises(Stop):
        bench.judge("realign")
    fresh = Bench(data, Settings(bootstrap=20))
    assert bench.judge("realign")[0].held_out == fresh.judge("realign")[0].held_out
