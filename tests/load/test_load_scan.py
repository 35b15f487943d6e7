"""One pass finds unusable rows, duplicates and groups of pairs that share a row."""

import warnings

import numpy as np
import pytest
from synthetic import has, pairs

from realign_core.load import load_pair
from realign_core.load import scan as scan_module
from realign_core.load.arrays import ArrayRows
from realign_core.load.batches import Batches
from realign_core.load.groups import join_groups, labels_of
from realign_core.load.scan import scan


def test_groups_join_through_chains():
    target = np.array([0, 0, 2, 3, 4, 5, 5])
    source = np.array([0, 1, 1, 3, 4, 4, 6])
    np.testing.assert_array_equal(join_groups(target, source), [0, 0, 0, 1, 2, 2, 2])
    lone = np.arange(5)
    np.testing.assert_array_equal(join_groups(lone, lone), lone)


def test_a_label_is_the_number_of_the_first_row_that_is_equal_whatever_halves_digests_share():
    generator = np.random.default_rng(2)
    for _ in range(300):
        n = generator.integers(1, 30)
        # Numbers beyond those of int64, few of them, so that either half alone is shared by rows that differ.
        digest = generator.integers(0, 4, (n, 2)).astype(np.uint64) * np.uint64(2**62 + 1)
        labels, different = labels_of(digest)
        naive = [next(j for j in range(n) if (digest[j] == row).all()) for row in digest]
        assert labels.tolist() == naive
        assert different == len(set(naive))
    assert labels_of(np.empty((0, 2), np.uint64))[1] == 0


def walked(target, source):
    """Groups by walking from pair to pair, numbered by first appearance."""
    group = [-1] * len(target)
    for start in range(len(target)):
        number, waiting = max(group) + 1, [start]
        while group[start] < 0 or waiting:
            pair = waiting.pop()
            if group[pair] < 0:
                group[pair] = number
                waiting += np.flatnonzero((target == target[pair]) | (source == source[pair])).tolist()
    return group


@pytest.mark.parametrize("repeats", [(False, False), (True, False), (False, True), (True, True)])
def test_groups_are_those_of_a_walk_from_pair_to_pair(repeats):
    generator = np.random.default_rng(3)
    for n in (1, 2, 3, 17, 40):
        kinds = [generator.integers(0, n if few else 2**60, n).astype(np.uint64) for few in repeats]
        labels = [labels_of(np.stack([kind, kind], axis=1))[0] for kind in kinds]
        assert join_groups(*labels).tolist() == walked(*labels)


def test_duplicates_are_found_after_normalising_and_nothing_else_is():
    generator = np.random.default_rng(0)
    for dtype in (np.float16, np.float32, np.float64):
        x = generator.standard_normal((500, 33)).astype(dtype)
        x[100] = x[7]
        x[101] = x[7] * dtype(4)
        x[102] = -x[7]
        x[200] = x[8]
        x[200, 5] = np.nextafter(x[8, 5], dtype(np.inf))
        x[300, 0], x[301] = 0.0, x[300]
        x[301, 0] = -0.0
        x[301] = np.where(x[301] == 0, dtype(-0.0), x[300])
        labels, different = labels_of(scan(Batches(ArrayRows(x), block_rows=64)).digest)
        assert different == 500 - 3
        assert labels[100] == labels[101] == labels[7] != labels[102]
        assert labels[200] != labels[8]
        assert labels[300] == labels[301]


def test_labels_agree_with_numpy_unique():
    rows = np.random.default_rng(1).integers(0, 3, (2000, 6)).astype(np.float32) + 1
    quotient = rows / rows.max(axis=1, keepdims=True)
    _, expected = np.unique(quotient, axis=0, return_inverse=True)
    labels, different = labels_of(scan(Batches(ArrayRows(rows))).digest)
    assert different == expected.max() + 1
    assert len({*zip(labels.tolist(), expected.reshape(-1).tolist(), strict=True)}) == different


def test_scans_do_not_depend_on_the_block_size():
    x = pairs(700, 300)[0].astype(np.float32)
    first, second = (scan(Batches(ArrayRows(x), block_rows=size)) for size in (8192, 37))
    np.testing.assert_array_equal(first.digest, second.digest)
    np.testing.assert_allclose(first.norm, np.linalg.norm(x.astype(np.float64), axis=1), rtol=1e-14)
    np.testing.assert_allclose(second.norm, first.norm, rtol=1e-15)


def test_constant_sets_and_rows_are_told():
    x, y = pairs()
    same = load_pair(x, np.tile(y[0], (200, 1)), paired="no").report
    assert has(same, "All 200 rows of the source are the same: it has no spread to measure.")
    x[4] = 2.5
    assert has(load_pair(x, y).report, "The target has 1 constant rows")
    load_pair(np.tile(x[0], (200, 1)), np.tile(y[0], (200, 1)))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("normalize", [True, False])
def test_without_digests_the_faults_and_norms_are_the_same(dtype, normalize):
    x = np.random.default_rng(0).standard_normal((400, 9)).astype(dtype)
    x[3, 2], x[50], x[90, 0], x[200:210] = np.nan, 0, np.inf, 3
    if dtype == "f8":
        x[300], x[301] = 1e-200, 1e90
    rows = Batches(ArrayRows(x), block_rows=40)
    whole, quick = (scan(rows, normalize=normalize, digests=digests) for digests in (True, False))
    np.testing.assert_array_equal(quick.fault, whole.fault)
    good = whole.fault == 0
    np.testing.assert_allclose(quick.norm[good], whole.norm[good], rtol=1e-7)
    assert not quick.digest.any()


@pytest.mark.parametrize("digests", [True, False])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_many_rows_are_widened_by_torch_to_the_same_scan(layout, digests, monkeypatch):
    rows = np.random.default_rng(3).standard_normal((300, 9)).astype(np.float16)
    rows[7], rows[20], rows[21, 3], rows[22, 4] = rows[8], 0, np.nan, -np.inf
    rows[40] *= np.float16(1e-6)
    rows = layout(rows)
    rows.flags.writeable = False
    plain = scan(Batches(ArrayRows(rows)), digests=digests)
    monkeypatch.setattr(scan_module, "MANY_VALUES", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = scan(Batches(ArrayRows(rows)), digests=digests)
    for name, values in vars(plain).items():
        assert np.array_equal(getattr(found, name), values, equal_nan=name == "norm")
