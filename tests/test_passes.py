"""A pass over rows that is interrupted and taken up again ends with the digits of one that was not."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch

from realign_core import alignment
from realign_core.checkpoint import checked_by
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.load import Batches, keeper
from realign_core.load.arrays import ArrayRows
from realign_core.load.keeper import FORM, Keeper, kept_by
from realign_core.load.passes import Memory, remembered_in, summed_by, total
from realign_core.load.scan import scan
from realign_core.moments import Moments
from realign_core.validation import UnusableInput

RUN = {"command": "test"}
METHODS = ("c3", "realign", "rotation", "blockwise", "gaussian_ot", "random_target")


class Interruption(Exception):
    pass


def rows(n=900, d=6, seed=0, block_rows=100):
    generator = np.random.default_rng(seed)
    return Batches(ArrayRows((generator.standard_normal((n, d)) + 0.7).astype("f4")), block_rows=block_rows)


def interrupted(work, after):
    """Run `work` up to its `after`-th block; whether it came to its end."""
    calls = itertools.count(1)

    def check():
        if next(calls) > after:
            raise Interruption

    try:
        with checked_by(check):
            work()
    except Interruption:
        return False
    return True


def in_stretches(folder, work, monkeypatch, stretch=7):
    """What `work` gives once runs of at most `stretch` blocks have ended it, and how many those were."""
    monkeypatch.setattr(keeper, "KEEP_SECONDS", 0)
    found = []
    for runs in range(1, 60):
        with kept_by(Keeper(folder, RUN)):
            if interrupted(lambda: found.append(work()), stretch):
                return found[-1], runs
    raise AssertionError("it never came to its end")


def same(a, b):
    for key, value in a.arrays().items():
        np.testing.assert_array_equal(value, b.arrays()[key])


def test_moments_go_on_where_they_stopped(tmp_path, monkeypatch):
    found, runs = in_stretches(tmp_path / "kept", lambda: Moments.from_batches(rows()), monkeypatch, 4)
    assert runs == 3
    same(found, Moments.from_batches(rows()))


@pytest.mark.parametrize(("paired", "units"), [(True, False), (True, True), (False, False)])
def test_the_statistics_of_a_pair_go_on_where_they_stopped(tmp_path, monkeypatch, paired, units):
    groups = np.repeat(np.arange(180), 5)[np.random.default_rng(1).permutation(900)] if units else None

    def collect():
        return PairStatistics.collect(rows(seed=1), rows(seed=2), paired=paired, groups=groups)

    found, runs = in_stretches(tmp_path / "kept", collect, monkeypatch)
    assert runs > 3
    whole = collect()
    for name, value in vars(whole).items():
        again = getattr(found, name)
        if isinstance(value, Moments):
            same(again, value)
        elif isinstance(value, torch.Tensor):
            assert torch.equal(again, value)
        elif isinstance(value, dict):
            assert all(torch.equal(again[key], part) for key, part in value.items())
        elif not isinstance(value, tuple):
            assert again == value


@pytest.mark.parametrize("name", METHODS)
def test_a_fit_goes_on_where_it_stopped(tmp_path, monkeypatch, name):
    def fit():
        method = alignment.create(name)
        return method.fit(source=rows(seed=3), target=rows(seed=4))

    # A method that keeps rows reads them again; the others never read a block twice.
    found, runs = in_stretches(tmp_path / "kept", fit, monkeypatch, 30 if name == "random_target" else 7)
    assert runs > 1 or name == "random_target"
    some = rows(seed=5).read(0, 50)
    np.testing.assert_array_equal(found.transform(some), fit().transform(some))


def test_a_scan_goes_on_where_it_stopped(tmp_path, monkeypatch):
    some = rows()
    some.source.array[3], some.source.array[450] = np.nan, 0
    found, runs = in_stretches(tmp_path / "kept", lambda: scan(some), monkeypatch, 4)
    assert runs == 3
    for name, values in vars(scan(some)).items():
        np.testing.assert_array_equal(getattr(found, name), values)


def test_a_pass_that_is_known_reads_nothing(tmp_path):
    with kept_by(Keeper(tmp_path / "kept", RUN)):
        before = Moments.from_batches(rows())
    with kept_by(Keeper(tmp_path / "kept", RUN)):
        assert not interrupted(lambda: Moments.from_batches(rows(seed=9)) and Moments.from_batches(rows()), 0)
        with kept_by(Keeper(tmp_path / "kept", RUN)):
            same(Moments.from_batches(rows(seed=9)), before)


def test_a_damaged_state_is_gathered_again(tmp_path):
    with kept_by(Keeper(tmp_path / "kept", RUN)):
        before = Moments.from_batches(rows())
    (state,) = (tmp_path / "kept").glob("*.safetensors")
    state.write_bytes(state.read_bytes()[:50])
    with kept_by(Keeper(tmp_path / "kept", RUN)):
        same(Moments.from_batches(rows()), before)


def test_a_folder_belongs_to_one_run(tmp_path):
    folder = tmp_path / "kept"
    Keeper(folder, {"command": "align", "--seed": 0})
    with pytest.raises(UnusableInput, match=r"left by another run: its --seed was 0, now it is 1; delete"):
        Keeper(folder, {"command": "align", "--seed": 1})
    (folder / "run.json").write_text('{"command": "align", "--seed": 0}')
    with pytest.raises(UnusableInput, match=rf"its form was null, now it is {FORM}; delete"):
        Keeper(folder, {"command": "align", "--seed": 0})
    (folder / "run.json").write_text("{")
    with pytest.raises(UnusableInput, match=r"is damaged; delete"):
        Keeper(folder, {"command": "align", "--seed": 0})
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(UnusableInput, match=r"holds other files; name a new or empty folder"):
        Keeper(other, RUN)
    with pytest.raises(UnusableInput, match=r"cannot be used"):
        Keeper(other / "notes.txt" / "below", RUN)
    assert Keeper(tmp_path / "new", RUN).known("moments") is None
    assert json.loads((tmp_path / "new" / "run.json").read_text()) == {**RUN, "form": FORM}


def test_an_engine_sums_files_and_leaves_arrays(tmp_path):
    asked = []

    class Halves:
        def total(self, name, sets, part, form, block_rows):
            asked.append(name)
            middle = len(sets[0]) // 2
            first, second = (
                part(start, *(each.read(start, start + middle) for each in sets)) for start in (0, middle)
            )
            return first.merge(second)

    with summed_by(Halves()):
        found = Moments.from_batches(rows())
        Moments.from_batches(np.asarray(rows()))
    assert asked == ["moments"]
    whole = Moments.from_batches(rows())
    torch.testing.assert_close(found.scatter, whole.scatter, rtol=1e-12, atol=1e-12)


def test_sets_that_end_apart_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        total("x", (rows(), rows(500)), lambda first, a, b: Moments.of(torch.ones(2, 2).double()), Moments)


def test_no_rows_add_up_to_nothing():
    assert total("x", ([np.empty((0, 3))],), lambda first, a: Moments.of(a), Moments) is None


def test_methods_that_want_the_same_statistics_share_them_and_nothing_else():
    source, target = rows(seed=3), rows(seed=4)
    read = []

    class Counted(Batches):
        def read(self, start, stop):
            read.append((start, stop))
            return super().read(start, stop)

    both = [Counted(part.source, block_rows=100) for part in (source, target)]
    memory = Memory()
    for name in ("mean_shift", "c3", "realign", "rotation", "blockwise", "gaussian_ot"):
        with remembered_in(memory):
            found = alignment.create(name).fit(source=both[0], target=both[1])
        alone = alignment.create(name).fit(source=source, target=target)
        some = source.read(0, 50)
        np.testing.assert_array_equal(found.transform(some), alone.transform(some))
    # Means, exact means and moments of both sets, one further pass of ReAlign, Newton passes of rotation.
    assert memory.spared > 0
    passes_read = len(read) / 9
    assert 7 < passes_read < 7 + 20
    before = len(read)
    with remembered_in(memory):
        alignment.create("mean_shift").fit(source=both[0], target=both[1])
    assert len(read) == before
    with remembered_in(memory):
        alignment.create("mean_shift", normalize=False).fit(source=both[0], target=both[1])
    assert len(read) == before + 18
