"""Sets with more rows than are judged: a sample in the shares of their strata, and words that say so."""

from __future__ import annotations

import numpy as np
import pytest

import realign_core as rc
from realign_core.comparison import Settings, projection
from realign_core.comparison import sampling as sampling_module
from realign_core.comparison.bench import Bench
from realign_core.figures.comparison_list import comparison_figures


def pair(n=240, labels=None, **options):
    generator = np.random.default_rng(0)
    x = generator.standard_normal((n, 6))
    y = x + 0.5 * generator.standard_normal(x.shape) + 0.3
    return rc.EmbeddingPair.from_arrays(x, y, labels=labels, **{"paired": "yes", **options})


def test_judged_pairs_have_the_shares_of_their_labels():
    labels = np.array(["common"] * 180 + ["rare"] * 48 + ["single"] * 12, dtype=object)
    bench = Bench(pair(labels=labels), Settings(score_rows=40))
    judged = bench.rows["in-sample"]
    assert judged.target.tolist() == judged.source.tolist()
    names, counts = np.unique(labels[judged.target].astype(str), return_counts=True)
    assert dict(zip(names, counts.tolist())) == {"common": 30, "rare": 8, "single": 2}
    assert any("at most 40 rows of each set, stratified by label (" in note for note in bench.notes)


def test_unlabelled_rows_are_judged_from_all_over_the_file():
    bench = Bench(pair(), Settings(score_rows=60))
    assert np.ptp(np.histogram(bench.rows["in-sample"].target, 12, (0, 240))[0]) <= 2
    assert any("stratified by place in the file" in note for note in bench.notes)


def test_nothing_is_sampled_up_to_the_limit():
    bench = Bench(pair(), Settings(score_rows=240))
    assert bench.rows["in-sample"].target.tolist() == list(range(240))
    assert not bench.notes


@pytest.mark.parametrize("paired", ["yes", "no"])
def test_the_picture_says_how_many_rows_it_draws_and_how_they_were_chosen(monkeypatch, paired):
    for module in (projection, sampling_module):
        monkeypatch.setattr(module, "SHOWN_ROWS", 30)
    found = rc.compare(pair(paired=paired), methods=["identity", "realign"], score_rows=50)
    said = comparison_figures(found)[0].reading
    drawn = "30 of 240 pairs" if paired == "yes" else "30 of 240 target and 30 of 240 source rows"
    assert f"drawn are {drawn}, seeded, stratified by place in the file, out of the 50" in said
    assert len(found.view.target_points) == 30
    if paired == "yes":
        assert found.projection.target_rows.tolist() == found.projection.source_rows.tolist()


def test_a_picture_of_all_rows_needs_no_such_words():
    found = rc.compare(pair(), methods=["identity"])
    assert "drawn are" not in comparison_figures(found)[0].reading


@pytest.mark.parametrize("normalize", [True, False])
def test_the_gap_of_all_rows_is_the_same_from_a_diagnosis_and_from_passes(normalize):
    """`compare` knows the means of all rows from its diagnosis; a bench by itself reads them."""
    data = pair(normalize=normalize)
    alone = Bench(data, Settings(score_rows=50))
    known = rc.compare(data, methods=["identity", "realign"], score_rows=50)
    for name in ("identity", "realign"):
        judged, _ = alone.judge(name)
        gap = known.methods[name].in_sample["centroid_gap"]
        assert gap == pytest.approx(judged.in_sample["centroid_gap"], rel=1e-7, abs=1e-9)
    x, y = data.target[:], data.source[:]
    if normalize:
        x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    expected = np.linalg.norm(x.mean(axis=0) - y.mean(axis=0))
    assert known.methods["identity"].in_sample["centroid_gap"] == pytest.approx(expected, rel=1e-12)


def test_an_identity_that_keeps_lengths_is_not_the_untouched_unit_rows():
    options = {"identity": {"normalize": False}}
    found = rc.compare(pair(), methods=["identity"], score_rows=50, method_options=options)
    data = pair()
    x, y = data.target[:], data.source[:]
    expected = np.linalg.norm((x / np.linalg.norm(x, axis=1, keepdims=True)).mean(axis=0) - y.mean(axis=0))
    assert found.methods["identity"].in_sample["centroid_gap"] == pytest.approx(expected, rel=1e-6)
