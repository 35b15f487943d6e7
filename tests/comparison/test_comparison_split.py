"""Which rows fit and which judge, exactly as defined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realign_core.comparison.split import split_pairs, split_unpaired


@given(st.integers(2, 200), st.floats(0.05, 0.95), st.integers(0, 99))
def test_pairs_are_cut_along_one_permutation(n, share, seed):
    found = split_pairs(n, share, seed)
    order = np.random.default_rng(seed).permutation(n)
    count = int(np.floor(share * n))
    assert found.fit_target.tolist() == found.fit_source.tolist() == order[:count].tolist()
    assert found.judge_target.tolist() == found.judge_source.tolist() == order[count:].tolist()
    assert found.smallest_judged == n - count


def test_groups_of_one_change_nothing():
    plain, grouped = split_pairs(50, 0.4, 3), split_pairs(50, 0.4, 3, np.arange(50)[::-1])
    assert plain.fit_target.tolist() == grouped.fit_target.tolist()
    assert plain.judge_target.tolist() == grouped.judge_target.tolist()


@given(st.integers(2, 120), st.integers(1, 40), st.floats(0.05, 0.95), st.integers(0, 99))
def test_groups_go_whole_to_one_side(n, groups, share, seed):
    label = np.random.default_rng(seed).integers(0, groups, n)
    found = split_pairs(n, share, seed, label)
    fit, judge = set(label[found.fit_target]), set(label[found.judge_target])
    assert not fit & judge
    assert sorted([*found.fit_target, *found.judge_target]) == list(range(n))
    # Filled in the order of the permutation, until it has its rows and no further.
    wanted = int(np.floor(share * n))
    met = list(dict.fromkeys(label[np.random.default_rng(seed).permutation(n)]))
    filled = [g for g in met if g in fit]
    assert filled == met[: len(filled)]
    sizes = [int((label == g).sum()) for g in filled]
    assert sum(sizes) >= wanted
    assert sum(sizes[:-1]) < wanted or not sizes


def test_ungrouped_pairs_would_be_torn_apart():
    label = np.repeat(np.arange(20), 5)
    found = split_pairs(100, 0.5, 0)
    assert set(label[found.fit_target]) & set(label[found.judge_target])


@pytest.mark.parametrize(("n_x", "n_y"), [(30, 30), (17, 50)])
def test_unpaired_sets_are_cut_target_first_from_one_generator(n_x, n_y):
    found = split_unpaired(n_x, n_y, 0.3, 5)
    generator = np.random.default_rng(5)
    x, y = generator.permutation(n_x), generator.permutation(n_y)
    assert found.fit_target.tolist() == x[: int(0.3 * n_x)].tolist()
    assert found.judge_target.tolist() == x[int(0.3 * n_x) :].tolist()
    assert found.fit_source.tolist() == y[: int(0.3 * n_y)].tolist()
    assert found.judge_source.tolist() == y[int(0.3 * n_y) :].tolist()
    assert found.smallest_judged == min(len(found.judge_target), len(found.judge_source))
