"""Rows taken from a memory map: the right ones, and little of the file mapped at a time."""

from itertools import pairwise

import numpy as np
import pytest

from realign_core.load import arrays
from realign_core.load.arrays import ArrayRows, mapping_under, widen_bfloat16

N, D = 700, 6
GENERATOR = np.random.default_rng(0)
CHOSEN = {
    "dense": np.flatnonzero(GENERATOR.random(N) < 0.5),
    "all": np.arange(N),
    "few far apart": np.arange(3, N, 97),
    "many far apart": GENERATOR.permutation(N),
    "backwards": np.arange(N)[::-1],
    "repeated": np.repeat([5, 699, 5, 0], 80),
    "from the end": np.array([-1, 0, -N]),
    "none": np.arange(0),
}


def mapped(tmp_path, array, order="C"):
    np.save(tmp_path / "a.npy", np.asarray(array, order=order))
    return np.load(tmp_path / "a.npy", mmap_mode="r")


@pytest.mark.parametrize("chosen", CHOSEN)
@pytest.mark.parametrize("kind", ["f2", "f4", ">f4", "f8", "bfloat16"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_those_asked_for(tmp_path, monkeypatch, chosen, kind, order):
    # The whole file is 700 rows of at least 12 bytes: stretches of a few rows, and parts of fewer still.
    monkeypatch.setattr(arrays, "TAKEN_BYTES", 2000)
    monkeypatch.setattr(arrays, "TAKEN_ROWS", 16)
    values = np.random.default_rng(1).standard_normal((N, D))
    if kind == "bfloat16":
        stored = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        expected = widen_bfloat16(stored)
    else:
        stored = values.astype(kind)
        expected = stored
    file = mapped(tmp_path, stored, order)
    rows = ArrayRows(file, dtype="bfloat16" if kind == "bfloat16" else None, mapped=mapping_under(file))
    found = rows.take(CHOSEN[chosen])
    np.testing.assert_array_equal(found, expected[CHOSEN[chosen]])
    assert found.dtype.isnative
    assert not isinstance(found, np.memmap)
    np.testing.assert_array_equal(rows.read(10, 40), expected[10:40])


@pytest.mark.parametrize("columns", [slice(None), slice(0, 2)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("chosen", CHOSEN)
def test_a_part_is_of_few_rows_or_of_one_stretch_of_the_file(tmp_path, monkeypatch, chosen, order, columns):
    monkeypatch.setattr(arrays, "TAKEN_BYTES", 2000)
    monkeypatch.setattr(arrays, "TAKEN_ROWS", 16)
    file = mapped(tmp_path, np.zeros((N, D), np.float32), order)[:, columns]
    rows, indices = ArrayRows(file, mapped=mapping_under(file)), CHOSEN[chosen]
    parts = list(rows._parts(indices))
    assert [index for part in parts for index in indices[part]] == indices.tolist()
    assert all(before.stop == after.start for before, after in pairwise(parts))
    # Laid by rows, these are as far apart as whole rows, however few columns are looked at.
    row = max(file.strides[0], file.itemsize * file.shape[1])
    for part in parts:
        some = indices[part]
        assert len(some) <= 16 or (some.max() - some.min()) * row < 2000
    # No more parts than there are stretches of a set in order.
    if chosen in ("dense", "all"):
        assert len(parts) <= N * row // 2000 + 1
