"""Shards written by several workers are those of one machine, whole, also where a worker is killed."""

from __future__ import annotations

import os

import numpy as np
import pytest
from faulty_methods import KilledOnce, Refusing

import realign_core as rc
from realign_core import alignment
from realign_core.load import Batches, load_pair
from realign_core.load.opening import open_rows

pytestmark = pytest.mark.usefixtures("cluster")


def written(folder):
    """All shards in order, one after another; nothing else may lie in the folder."""
    names = sorted(os.listdir(folder))
    assert names == ["s0.npy", "s1.npy", "s2.npy"]
    return np.concatenate([np.load(folder / name) for name in names])


@pytest.fixture
def write():
    from realign_core.engine.writer import write_shards

    return write_shards


@pytest.mark.parametrize("name", ["realign", "rotation", "c3", "random_target"])
def test_shards_hold_the_rows_of_one_run(write, npy_sets, tmp_path, name):
    pair = load_pair(*npy_sets, paired="no")
    method = alignment.create(name).fit(source=pair.source, target=pair.target)
    assert write(method, pair.source, tmp_path) == 3
    np.testing.assert_allclose(written(tmp_path), method.transform(pair.source), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["realign", "c3"])
def test_shards_that_are_there_are_left_and_the_others_added(write, npy_sets, tmp_path, name):
    pair = load_pair(*npy_sets, paired="no")
    method = alignment.create(name).fit(source=pair.source, target=pair.target)
    write(method, pair.source, tmp_path)
    whole, time = written(tmp_path), os.stat(tmp_path / "s0.npy").st_mtime_ns
    os.unlink(tmp_path / "s1.npy")
    (tmp_path / ".s1.npy.0123456789ab.part").write_bytes(b"left by a killed run")
    write(method, pair.source, tmp_path)
    np.testing.assert_array_equal(written(tmp_path), whole)
    assert os.stat(tmp_path / "s0.npy").st_mtime_ns == time


def test_a_worker_killed_while_it_writes_leaves_no_half_shard(write, npy_sets, tmp_path):
    pair = load_pair(*npy_sets, paired="no")
    plain = rc.MeanShift().fit(source=pair.source, target=pair.target)
    method = KilledOnce(str(tmp_path / "killed")).fit(source=pair.source, target=pair.target)
    out = tmp_path / "out"
    out.mkdir()
    write(method, Batches(pair.source.source, block_rows=200), out)
    assert (tmp_path / "killed").exists()
    np.testing.assert_allclose(written(out), plain.transform(pair.source), rtol=0, atol=1e-6)


def test_an_interrupted_run_leaves_whole_shards_and_can_go_on(write, npy_sets, tmp_path, monkeypatch):
    from realign_core.engine import writer

    def interrupt(_):
        raise KeyboardInterrupt

    pair = load_pair(*npy_sets, paired="no")
    method = rc.ReAlign().fit(source=pair.source, target=pair.target)
    with monkeypatch.context() as patched:
        patched.setattr(writer, "tell", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write(method, pair.source, tmp_path)
    there = [name for name in os.listdir(tmp_path) if not name.startswith(".")]
    assert there
    assert all(len(np.load(tmp_path / name)) for name in there)
    write(method, pair.source, tmp_path)
    np.testing.assert_allclose(written(tmp_path), method.transform(pair.source), rtol=0, atol=1e-6)


def test_what_cannot_be_mapped_is_named_and_leaves_no_half_shard(write, npy_sets, tmp_path):
    pair = load_pair(*npy_sets, paired="no")
    method = Refusing().fit(source=pair.source, target=pair.target)
    with pytest.raises(rc.UnusableInput, match=r"^s0\.npy: these rows are refused$"):
        write(method, pair.source, tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_single_file_is_cut_into_shards(write, tmp_path):
    rows = np.random.default_rng(0).standard_normal((1000, 8)).astype("float16")
    np.save(tmp_path / "x.npy", rows)
    source = Batches(open_rows(tmp_path / "x.npy"), block_rows=100)
    method = rc.MeanShift().fit(source=source, target=rows + 1)
    out = tmp_path / "out"
    out.mkdir()
    assert write(method, source, out, shard_rows=400) == 3
    assert sorted(os.listdir(out)) == ["00000.npy", "00001.npy", "00002.npy"]
    np.testing.assert_array_equal(open_rows(out).read(0, 1000), method.transform(source))


def test_rows_in_memory_are_refused(write, tmp_path):
    rows = np.random.default_rng(0).standard_normal((50, 4))
    pair = rc.EmbeddingPair.from_arrays(rows, rows + 1, paired="no")
    method = rc.MeanShift().fit(source=rows, target=rows + 1)
    with pytest.raises(rc.UnusableInput, match="rows in memory cannot be mapped on a cluster"):
        write(method, pair.source, tmp_path)
