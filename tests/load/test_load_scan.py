"""One pass finds unusable rows, duplicates and groups of pairs that share a row."""

import warnings

import numpy as np
import pytest
from synthetic import has, pairs

from realign_core.load import desk, load_pair
from realign_core.load.arrays import ArrayRows
from realign_core.load.batches import Batches
from realign_core.load.digests import digests, labels_of_rows
from realign_core.load.groups import join_groups, labels_of, repeated
from realign_core.load.scan import SKETCHED, scan


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
        labels, different = labels_of(digests(Batches(ArrayRows(x), block_rows=64)))
        assert different == 500 - 3
        assert labels[100] == labels[101] == labels[7] != labels[102]
        assert labels[200] != labels[8]
        assert labels[300] == labels[301]


def test_labels_agree_with_numpy_unique():
    rows = np.random.default_rng(1).integers(0, 3, (2000, 6)).astype(np.float32) + 1
    quotient = rows / rows.max(axis=1, keepdims=True)
    _, expected = np.unique(quotient, axis=0, return_inverse=True)
    labels, different = labels_of(digests(Batches(ArrayRows(rows))))
    assert different == expected.max() + 1
    assert len({*zip(labels.tolist(), expected.reshape(-1).tolist(), strict=True)}) == different


def alike_in_sketch(n=300, d=200, seed=4):
    """Rows of which some are equal, and some differ where no sketch looks."""
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    unseen = np.setdiff1d(np.arange(d), np.arange(0, d, -(-d // SKETCHED)))
    rows[50], rows[60], rows[61] = rows[7], rows[8], 2 * rows[7]
    # The largest coordinate divides the others, so it stays as it is.
    quiet = unseen[np.abs(rows[7, unseen]).argmin()]
    rows[90] = rows[7]
    rows[90, quiet] = -rows[7, quiet]
    return rows


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_rows_of_one_sketch_that_differ_are_told_apart(dtype):
    rows = alike_in_sketch().astype(dtype)
    found = scan(Batches(ArrayRows(rows)))
    assert len(set(found.sketch[[7, 50, 61, 90]].tolist())) == 1
    assert len(np.unique(found.sketch)) == 300 - 4
    labels, different = labels_of_rows(Batches(ArrayRows(rows)), found.sketch)
    expected = np.arange(300)
    expected[[50, 60, 61]] = 7, 8, 7
    np.testing.assert_array_equal(labels, expected)
    assert different == 300 - 3
    report = load_pair(rows, np.roll(rows, 1, axis=1), paired="yes").report
    assert report.duplicates_target == report.duplicates_source == 3


def test_only_rows_of_a_sketch_that_repeats_are_read_again():
    class Counted(ArrayRows):
        read_rows = 0

        def read(self, start, stop):
            self.read_rows += len(super().read(start, stop))
            return super().read(start, stop)

        def take(self, indices):
            self.read_rows += len(indices)
            return super().take(indices)

    rows = Counted(alike_in_sketch())
    sketch = scan(Batches(rows)).sketch
    assert rows.read_rows == 300
    labels_of_rows(Batches(rows), sketch)
    assert rows.read_rows == 300 + 6
    lone = Counted(np.random.default_rng(5).standard_normal((300, 20)))
    labels, different = labels_of_rows(Batches(lone), scan(Batches(lone)).sketch)
    np.testing.assert_array_equal(labels, np.arange(300))
    assert (different, lone.read_rows) == (300, 300)


def test_sets_of_one_norm_and_sketch_are_the_same_only_if_their_rows_are():
    x = np.exp2(np.random.default_rng(6).integers(-3, 3, (40, 200))).astype(np.float32)
    assert has(load_pair(x, x.copy(), paired="yes").report, "Target and source are the same rows")
    y = x.copy()
    # Squares of powers of two add up exactly, in whatever order.
    y[:, [1, 2]] = x[:, [2, 1]]
    first, second = (scan(Batches(ArrayRows(rows))) for rows in (x, y))
    np.testing.assert_array_equal(first.sketch, second.sketch)
    np.testing.assert_array_equal(first.norm, second.norm)
    assert not has(load_pair(x, y, paired="yes").report, "Target and source are the same rows")


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("odd", [0, np.nan, np.inf])
def test_what_a_row_reads_does_not_depend_on_those_beside_it(dtype, odd):
    x = np.random.default_rng(8).standard_normal((50, 128)).astype(dtype)
    y = x.copy()
    y[5] = odd
    first, second = (scan(Batches(ArrayRows(rows))) for rows in (x, y))
    assert second.fault[5] != 0
    for name, values in vars(first).items():
        np.testing.assert_array_equal(np.delete(values, 5), np.delete(getattr(second, name), 5))
    assert has(load_pair(x, y, paired="yes").report, "Target and source are the same rows")


def test_a_value_is_repeated_where_another_equals_it():
    generator = np.random.default_rng(7)
    for n in (0, 1, 2, 5, 40):
        values = generator.integers(0, max(1, n), n).astype(np.uint64)
        assert repeated(values).tolist() == [(values == value).sum() > 1 for value in values]


def test_scans_do_not_depend_on_the_block_size():
    x = pairs(700, 300)[0].astype(np.float32)
    first, second = (scan(Batches(ArrayRows(x), block_rows=size)) for size in (8192, 37))
    np.testing.assert_array_equal(first.sketch, second.sketch)
    whole, parts = (digests(Batches(ArrayRows(x), block_rows=size)) for size in (8192, 37))
    np.testing.assert_array_equal(whole, parts)
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
def test_without_sketches_the_faults_and_norms_are_the_same(dtype, normalize):
    x = np.random.default_rng(0).standard_normal((400, 9)).astype(dtype)
    x[3, 2], x[50], x[90, 0], x[200:210] = np.nan, 0, np.inf, 3
    if dtype == "f8":
        x[300], x[301] = 1e-200, 1e90
    rows = Batches(ArrayRows(x), block_rows=40)
    whole, quick = (scan(rows, normalize=normalize, sketches=sketches) for sketches in (True, False))
    np.testing.assert_array_equal(quick.fault, whole.fault)
    good = whole.fault == 0
    np.testing.assert_allclose(quick.norm[good], whole.norm[good], rtol=1e-7)
    assert not quick.sketch.any()


@pytest.mark.parametrize("sketches", [True, False])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_many_rows_are_widened_by_torch_to_the_same_scan(layout, sketches, monkeypatch):
    rows = np.random.default_rng(3).standard_normal((300, 9)).astype(np.float16)
    rows[7], rows[20], rows[21, 3], rows[22, 4] = rows[8], 0, np.nan, -np.inf
    rows[40] *= np.float16(1e-6)
    rows = layout(rows)
    rows.flags.writeable = False
    plain = scan(Batches(ArrayRows(rows)), sketches=sketches)
    monkeypatch.setattr(desk, "MANY_VALUES", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = scan(Batches(ArrayRows(rows)), sketches=sketches)
    for name, values in vars(plain).items():
        assert np.array_equal(getattr(found, name), values, equal_nan=name == "norm")
