"""Queries against all rows: the scores of the whole sets, of which the queries are a sample."""

from __future__ import annotations

import numpy as np
import pytest

import realign_core as rc
from realign_core.comparison import compare
from realign_core.comparison.all_rows import AllRows
from realign_core.load import EmbeddingPair
from realign_core.load.strata import by_place
from realign_core.validation import UnusableInput

N, METHODS = 900, ["identity", "c3", "realign", "rotation"]


def pair(paired=True, dtype="f4", repeated=False):
    generator = np.random.default_rng(0)
    signal = generator.standard_normal((N, 12))
    if repeated:
        signal = np.repeat(signal[: N // 3], 3, axis=0)
    noise = 0.4 * generator.standard_normal((2, N, 12))
    target, source = signal + noise[0] + 0.4, signal + noise[1] - 0.4
    if repeated:
        target = np.repeat(target[::3], 3, axis=0)
    return EmbeddingPair.from_arrays(
        target.astype(dtype),
        source.astype(dtype)[: N if paired else N - 50],
        paired="yes" if paired else "no",
    )


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("repeated", [True, False])
def test_with_every_row_a_query_they_are_the_scores_of_the_whole_sets(paired, repeated):
    data = pair(paired, repeated=repeated)
    whole = compare(data, METHODS, score_rows=N, bootstrap=2)
    found = compare(data, METHODS, score_rows=200, queries=N, bootstrap=2)
    for name in METHODS:
        scores, expected = found.methods[name].all_rows, whole.methods[name].in_sample
        kept = {"retention", "omega", "mixing_source"}
        assert set(scores) == (kept | {f"recall_at_{k}" for k in (1, 5, 10)} if paired else kept)
        for score, value in scores.items():
            if score == "mixing_source" and repeated:
                # Copies of a target are equally near, and which of them comes first is anybody's choice.
                assert value.value == pytest.approx(expected[score], abs=0.02)
            else:
                assert value.value == pytest.approx(expected[score], abs=2e-4), (name, score)
            assert value.low <= value.value <= value.high


def test_an_interval_covers_the_whole_sets_about_as_often_as_it_says():
    data = pair()
    exact = compare(data, ["realign"], score_rows=N, bootstrap=2).methods["realign"].in_sample
    hits = [
        found.low <= exact[score] <= found.high
        for seed in range(25)
        for score, found in compare(data, ["realign"], score_rows=100, queries=150, seed=seed, bootstrap=2)
        .methods["realign"]
        .all_rows.items()
        if score in ("omega", "recall_at_1")
    ]
    assert np.mean(hits) >= 0.88


def test_queries_are_seeded_and_spread_over_the_file():
    data = pair()
    strata = by_place(data.source)
    first, again, other = (AllRows(data, strata, queries=64, k=5, seed=seed).queries for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(strata.code[first])) == 64


def test_rows_in_half_precision_are_looked_up_in_full():
    found = compare(pair(dtype="f2"), ["identity"], score_rows=100, queries=100, bootstrap=2)
    assert found.methods["identity"].all_rows["omega"].value == 1


def test_they_stand_in_the_json_and_are_null_where_all_rows_are_judged():
    found = compare(pair(), ["realign"], score_rows=100, queries=50, bootstrap=2).to_dict()
    scores = found["methods"]["realign"]["all_rows"]
    assert found["settings"]["queries"] == 50
    assert scores["retention"]["interval"][0] <= scores["retention"]["value"]
    assert (
        compare(pair(), ["realign"], queries=50, bootstrap=2).to_dict()["methods"]["realign"]["all_rows"]
        is None
    )


def test_the_number_of_queries_is_checked():
    with pytest.raises(UnusableInput, match="--queries is -1"):
        rc.compare(pair(), queries=-1)
