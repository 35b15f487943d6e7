"""Stratified samples: shares kept, no part left out, the same rows for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from realign_core.load import EmbeddingPair, load_pair
from realign_core.load.strata import BY_LABEL, BY_PLACE, SLICES, shares_of, strata_of, stratified


@pytest.mark.parametrize(
    ("counts", "size", "expected"),
    [
        ([50, 30, 20], 10, [5, 3, 2]),
        ([1, 1, 1], 2, [1, 1, 0]),
        ([10, 20, 30], 7, [1, 2, 4]),
        ([470, 160, 158, 120, 61, 31], 5, [2, 1, 1, 1, 0, 0]),
        ([470, 160, 158, 120, 61, 31], 10, [5, 1, 1, 1, 1, 1]),
        ([9997, 1, 1, 1], 10, [7, 1, 1, 1]),
        ([9997, 1, 1, 1], 4, [1, 1, 1, 1]),
        ([9997, 1, 1, 1], 3, [3, 0, 0, 0]),
    ],
)
def test_shares_follow_the_largest_remainder_and_leave_no_stratum_out(counts, size, expected):
    assert shares_of(np.array(counts), size).tolist() == expected


@pytest.mark.parametrize("size", [1, 3, 7, 40, 199, 200, 500])
def test_a_sample_has_exactly_the_shares_of_its_strata(size):
    generator = np.random.default_rng(1)
    code = generator.choice([3, 5, 8, 13], 200, p=[0.7, 0.2, 0.09, 0.01])
    places = stratified(code, size, 0)
    assert len(places) == min(size, 200)
    assert (np.diff(places) > 0).all()
    names, counts = np.unique(code, return_counts=True)
    if size < 200:
        got = [(code[places] == name).sum() for name in names]
        assert got == shares_of(counts, size).tolist()
    if size >= len(names):
        assert set(code[places]) == set(names)


def test_the_seed_decides_the_rows():
    code = np.arange(3000) % 7
    first, again, other = (stratified(code, 100, seed) for seed in (4, 4, 5))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_every_row_of_a_stratum_has_the_same_chance():
    code = np.repeat([0, 1], [30, 10])
    hits = np.zeros(40)
    generator = np.random.default_rng(0)
    for _ in range(4000):
        hits[stratified(code, 8, generator)] += 1
    # 6 of 30 and 2 of 10: one in five, with a standard error of 0.0063.
    assert np.abs(hits / 4000 - 0.2).max() < 0.03


def write_shards(folder, lengths):
    generator = np.random.default_rng(0)
    for side, name in (("img_emb", "img_emb"), ("text_emb", "text_emb")):
        (folder / side).mkdir(parents=True)
        for number, length in enumerate(lengths):
            np.save(folder / side / f"{name}_{number}.npy", generator.standard_normal((length, 4)))


def test_each_shard_of_a_folder_is_in_the_sample_however_small(tmp_path):
    write_shards(tmp_path, (900, 3, 1100))
    pair = load_pair(str(tmp_path))
    target, _ = strata_of(pair, 200)
    assert target.by == BY_PLACE
    rows = target.sample(np.arange(2003), 200, 0)
    assert len(rows) == 200
    assert ((rows >= 900) & (rows < 903)).any()
    # The file is covered evenly: no part of a tenth holds less than half of its share.
    assert np.histogram(rows, 10, (0, 2003))[0].min() >= 10


def test_dropped_rows_keep_the_places_of_the_others_in_the_file():
    rows = np.random.default_rng(0).standard_normal((640, 3))
    rows[:320] = np.nan
    pair = EmbeddingPair.from_arrays(rows, rows + 1, paired="yes")
    target, source = strata_of(pair, 64)
    assert target is source
    assert len(target.code) == 320
    assert len(np.unique(target.code)) == SLICES / 2


def labelled(labels, **options):
    x = np.random.default_rng(0).standard_normal((len(labels), 3))
    return EmbeddingPair.from_arrays(x, x + 0.1, labels=np.array(labels, dtype=object), **options)


def test_labels_are_the_strata_of_pairs_and_rows_without_one_are_a_stratum():
    target, source = strata_of(labelled(["a", "b", None, float("nan"), "a", ""], paired="yes"), 4)
    assert target is source
    assert target.by == BY_LABEL
    assert target.code.tolist() == [0, 1, 2, 2, 0, 2]


def test_unpaired_sets_have_strata_of_their_own():
    target, source = strata_of(labelled(["a", "b"] * 50, paired="no"), 20)
    assert (target.by, source.by) == (BY_LABEL, BY_PLACE)


@pytest.mark.parametrize("labels", [["only"] * 60, [f"caption {i}" for i in range(60)]])
def test_one_label_or_more_labels_than_rows_to_draw_are_no_strata(labels):
    assert strata_of(labelled(labels, paired="yes"), 30)[0].by == BY_PLACE
