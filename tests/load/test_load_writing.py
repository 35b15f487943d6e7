"""Outputs appear whole or not at all in every format; what cannot be written is found before the work."""

import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest

from realign_core.load import atomic_bytes, atomic_file, atomic_text, check_writable, open_rows, write_rows
from realign_core.load.arrays import ArrayRows
from realign_core.load.batches import Batches
from realign_core.load.pair import load_pair
from realign_core.validation import UnusableInput

SUFFIXES = [".npy", ".npz", ".safetensors", ".parquet", ".pkl"]
X = np.random.default_rng(0).standard_normal((50, 6))


def blocks(rows, size=13):
    return Batches(ArrayRows(rows), block_rows=size)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_again(tmp_path, suffix, dtype):
    path = tmp_path / f"a{suffix}"
    write_rows(path, blocks(X), n=50, dim=6, dtype=dtype)
    rows = open_rows(path)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows.read(0, 50), X.astype(dtype))
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".pkl"])
@pytest.mark.parametrize("ids", [[f"n{i}" for i in range(50)], np.arange(50) * 3], ids=["text", "numbers"])
def test_ids_are_kept(tmp_path, suffix, ids):
    path = tmp_path / f"a{suffix}"
    write_rows(path, blocks(X), n=50, dim=6, ids=ids)
    assert list(load_pair(path, X, paired="yes").ids) == list(ids)


def test_other_libraries_read_the_outputs(tmp_path):
    import pickle

    import pyarrow.parquet as pq
    import torch
    from safetensors.torch import load_file

    for suffix in SUFFIXES:
        write_rows(tmp_path / f"a{suffix}", X, n=50, dim=6, dtype="float32")
    want = X.astype(np.float32)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), want)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["embeddings"], want)
    np.testing.assert_array_equal(load_file(tmp_path / "a.safetensors")["embeddings"].numpy(), want)
    column = pq.read_table(tmp_path / "a.parquet")["embedding"].to_pylist()
    np.testing.assert_array_equal(np.array(column, np.float32), want)
    records = pickle.loads((tmp_path / "a.pkl").read_bytes())
    assert [record["id"] for record in records] == list(range(50))
    np.testing.assert_array_equal(np.stack([record["embed"] for record in records]), want)
    write_rows(tmp_path / "b.safetensors", torch.from_numpy(X), n=50, dim=6, dtype="bfloat16")
    bits = load_file(tmp_path / "b.safetensors")["embeddings"]
    assert torch.equal(bits, torch.from_numpy(want).bfloat16())


def test_bfloat16_rounds_as_torch_does(tmp_path):
    import torch

    odd = np.random.default_rng(1).integers(0, 2**32, (500, 8), dtype=np.uint32).view(np.float32)
    write_rows(tmp_path / "a.safetensors", odd, n=500, dim=8, dtype="bfloat16")
    read = open_rows(tmp_path / "a.safetensors").read(0, 500)
    np.testing.assert_array_equal(read, torch.from_numpy(odd).bfloat16().float().numpy())
    with pytest.raises(UnusableInput, match=r"cannot hold bfloat16; write .safetensors, or float32"):
        write_rows(tmp_path / "a.npy", odd, n=500, dim=8, dtype="bfloat16")


class Stops:
    """Yields two blocks, then fails in the way it was told."""

    def __init__(self, error):
        self.error = error

    def __iter__(self):
        yield X[:10]
        yield X[10:20]
        raise self.error


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RuntimeError("x"), SystemExit(1)], ids=lambda e: type(e).__name__
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interrupted_write_leaves_what_was_there(tmp_path, suffix, error):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"the old file")
    with pytest.raises(type(error)):
        write_rows(path, Stops(error), n=50, dim=6)
    assert os.listdir(tmp_path) == [path.name]
    assert path.read_bytes() == b"the old file"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_wrong_counts_are_a_fault_of_the_caller(tmp_path, suffix):
    for n, dim in ((49, 6), (51, 6), (50, 5)):
        with pytest.raises(ValueError, match=r"declared|rows are"):
            write_rows(tmp_path / f"a{suffix}", blocks(X), n=n, dim=dim)
    with pytest.raises(ValueError, match="3 ids for 50 rows"):
        write_rows(tmp_path / f"a{suffix}", X, n=50, dim=6, ids=[1, 2, 3])
    assert os.listdir(tmp_path) == []


def test_a_killed_run_leaves_no_file_under_the_final_name(tmp_path):
    script = (
        "import sys, time, numpy as np\n"
        "from realign_core.load import write_rows\n"
        "class Slow:\n"
        "    def __iter__(self):\n"
        "        yield np.ones((10, 4))\n"
        "        print('begun', flush=True)\n"
        "        time.sleep(60)\n"
        "write_rows(sys.argv[1], Slow(), n=20, dim=4)\n"
    )
    path = tmp_path / "a.npy"
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, cwd=root, text=True
    )
    assert process.stdout.readline() == "begun\n"
    process.kill()
    process.wait()
    process.stdout.close()
    assert not path.exists()
    assert all(name.endswith(".part") for name in os.listdir(tmp_path))


def test_outputs_that_cannot_be_written_are_found_before_the_work(tmp_path):
    check_writable(tmp_path / "a.npy")
    check_writable(tmp_path / "a.json", suffixes=(".json",))
    assert os.listdir(tmp_path) == []
    for path, match in [
        (tmp_path / "a.txt", "has the suffix '.txt'; writable are .npy, .npz, .safetensors, .parquet, .pkl"),
        (tmp_path / "bare", r"has the suffix '\(none\)'"),
        (tmp_path / "none" / "a.npy", "cannot be written: there is no folder .*none; make it first"),
        (tmp_path, "is a folder; name a file in it"),
        ("", "is no path"),
    ]:
        with pytest.raises(UnusableInput, match=match):
            check_writable(path)
        with pytest.raises(UnusableInput, match=match):
            write_rows(path, X, n=50, dim=6)


def test_a_folder_without_permission_is_found_before_the_work(tmp_path, monkeypatch):
    import builtins

    real = builtins.open

    def denied(file, mode="r", *args, **kwargs):
        if "x" in mode:
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, mode, *args, **kwargs)

    def make_nothing(path, flags, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(builtins, "open", denied)
    monkeypatch.setattr(os, "open", make_nothing)
    with pytest.raises(
        UnusableInput, match=r"a\.npy cannot be written: Permission denied; choose another place"
    ):
        check_writable(tmp_path / "a.npy")
    with pytest.raises(UnusableInput, match=r"a\.json cannot be written: Permission denied"):
        atomic_text(tmp_path / "a.json", "{}")
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


def test_the_look_for_permission_never_has_a_name(tmp_path, monkeypatch):
    # An interruption between making and deleting it would leave the file behind.
    real = tempfile.TemporaryFile

    def interrupted(**kwargs):
        with real(**kwargs):
            assert not list(tmp_path.iterdir())
            raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "TemporaryFile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_writable(tmp_path / "a.npy")


def test_text_and_bytes(tmp_path):
    atomic_text(tmp_path / "a.html", "Größe")
    assert (tmp_path / "a.html").read_bytes() == "Größe".encode()
    atomic_bytes(tmp_path / "a.html", b"new")
    assert (tmp_path / "a.html").read_bytes() == b"new"
    mask = os.umask(0o022)
    os.umask(mask)
    assert (tmp_path / "a.html").stat().st_mode & 0o777 == 0o666 & ~mask


def test_links_and_pipes_keep_what_they_are(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    atomic_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    atomic_text("/dev/null", "gone")
    assert not os.path.isfile("/dev/null")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    with pytest.raises(UnusableInput, match=r"a\.json cannot be written: No space left on device"):
        write_to_full_disk(tmp_path / "a.json")
    assert os.listdir(tmp_path) == []


def write_to_full_disk(path):
    import realign_core.load.atomic as atomic

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic.os, "fsync", full)
        atomic_text(path, "{}")


def test_the_file_is_not_there_before_the_end(tmp_path):
    with atomic_file(tmp_path / "a.bin") as file:
        file.write(b"half")
        assert not (tmp_path / "a.bin").exists()
        time.sleep(0)
    assert (tmp_path / "a.bin").read_bytes() == b"half"
