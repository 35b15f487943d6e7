"""`align` maps the source with every method into every format, streamed as in memory."""

import os
from pathlib import Path

import numpy as np
import pytest

import realign_core as rc
from realign_core.alignment.persistence import ARRAYS, RECORD
from realign_core.cli import progress
from realign_core.cli.align import ALIGNER_FILES
from realign_core.load import Batches, open_rows
from realign_core.method_names import BUILT_IN_METHODS

FORMATS = ["npy", "npz", "safetensors", "parquet", "pkl"]


def read(path):
    rows = open_rows(path)
    return np.asarray(rows.read(0, rows.shape[0]))


def align(cli, *arguments):
    outcome = cli("align", *arguments)
    assert outcome.status == 0, outcome.err
    return outcome


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format(cli, folder, suffix):
    outcome = align(cli, "t.npy", "s.npy", "--out", f"z.{suffix}")
    assert outcome.out == f"z.{suffix}: 60 rows of dimension 6, mapped by realign\n"
    assert outcome.err == ""
    target, source = np.load("both.npy")
    expected = rc.ReAlign().fit(source=source, target=target).transform(source)
    found = read(f"z.{suffix}")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", BUILT_IN_METHODS)
def test_every_method_saved_and_loaded(cli, folder, method):
    align(cli, "t.npy", "s.npy", "--method", method, "--out", "z.npy", "--save-aligner", "fitted")
    mapped = read("z.npy")
    assert np.isfinite(mapped).all()
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1, atol=1e-5)
    outcome = align(cli, "s.npy", "--load-aligner", "fitted", "--out", "again.npy")
    assert f"mapped by {method}" in outcome.out
    np.testing.assert_array_equal(read("again.npy"), mapped)
    align(cli, "t.npy", "s.npy", "--load-aligner", "fitted", "--out", "again.npy")
    np.testing.assert_array_equal(read("again.npy"), mapped)
    align(cli, "both.npy", "--load-aligner", "fitted", "--out", "again.npy")
    np.testing.assert_array_equal(read("again.npy"), mapped)


def test_the_gap_closes(cli, folder):
    align(cli, "both.npy", "--out", "z.npy")
    target, source = np.load("both.npy")
    before = np.linalg.norm(target.mean(0) - source.mean(0))
    after = np.linalg.norm(target.mean(0) - read("z.npy").mean(0))
    assert after < 0.1 * before


@pytest.mark.parametrize("method", ["realign", "rotation", "blockwise", "c3"])
def test_streamed_equals_in_memory(cli, folder, method, monkeypatch):
    """Shards read in blocks of a few rows give what one array gives; float64 leaves only its own rounding."""
    target, source = np.load("both.npy").astype("f8")
    np.save("t64.npy", target)
    np.save("s64.npy", source)
    align(cli, "t64.npy", "s64.npy", "--method", method, "--out", "whole.npy")
    for name, rows in (("target", target), ("source", source)):
        os.mkdir(name)
        for number, part in enumerate(np.array_split(rows, [7, 8, 31])):
            np.save(f"{name}/part_{number + 8}.npy", part)
    monkeypatch.setitem(Batches.__init__.__kwdefaults__, "block_rows", 7)
    align(cli, "target", "source", "--method", method, "--out", "streamed.npy")
    np.testing.assert_allclose(np.load("streamed.npy"), np.load("whole.npy"), atol=1e-12)


def test_ids_follow_the_rows_and_bad_rows_are_named(cli, folder):
    source = np.load("s.npy")
    source[5] = np.nan
    source[9] = 0
    ids = np.array([f"row{i}" for i in range(60)])
    np.savez("s.npz", text=source, ids=ids)
    outcome = align(cli, "t.npy", "s.npz", "--out", "z.npz")
    assert outcome.err == (
        "note: unusable rows of s.npz are left out of z.npz: 1 NaN, 1 zero norm (first: row 5)\n"
    )
    with np.load("z.npz") as written:
        assert written["embeddings"].shape == (58, 6)
        np.testing.assert_array_equal(written["ids"], np.delete(ids, [5, 9]))
    align(cli, "t.npy", "s.npz", "--out", "z.pkl")
    np.testing.assert_array_equal(read("z.pkl"), np.load("z.npz")["embeddings"])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rows_keep_their_type(cli, folder, dtype):
    np.save("typed.npy", np.load("s.npy").astype(dtype))
    align(cli, "t.npy", "typed.npy", "--out", "z.npy")
    assert np.load("z.npy").dtype == dtype


def test_bfloat16_stays_only_where_it_can(cli, folder):
    import torch
    from safetensors.torch import load_file

    torch.save(torch.from_numpy(np.load("s.npy")).bfloat16(), "s.pt")
    align(cli, "t.npy", "s.pt", "--out", "z.npy")
    assert np.load("z.npy").dtype == np.float32
    align(cli, "t.npy", "s.pt", "--out", "z.SafeTensors")
    assert load_file("z.SafeTensors")["embeddings"].dtype == torch.bfloat16


def test_max_rows_limits_what_is_fitted_not_what_is_mapped(cli, folder):
    align(cli, "t.npy", "s.npy", "--out", "all.npy")
    for method in ("realign", "procrustes"):
        align(cli, "t.npy", "s.npy", "--out", "few.npy", "--max-rows", "20", "--method", method)
        assert np.load("few.npy").shape == (60, 6)
        assert not np.array_equal(np.load("few.npy"), np.load("all.npy"))


def test_seed_and_settings_reach_the_method(cli, folder):
    def mapped(*options):
        align(cli, "t.npy", "s.npy", "--out", "z.npy", *options)
        return np.load("z.npy")

    first = mapped("--method", "c3", "--seed", "1")
    np.testing.assert_array_equal(mapped("--method", "c3", "--seed", "1"), first)
    assert not np.array_equal(mapped("--method", "c3", "--seed", "2"), first)
    shift = mapped("--method", "mean_shift")
    np.testing.assert_allclose(mapped("--method", "c3", "--c3-sigma", "0"), shift, atol=1e-6)
    cut = mapped("--method", "blockwise", "--energy", "0.5")
    assert not np.allclose(mapped("--method", "blockwise"), cut, atol=1e-3)
    raw = mapped("--method", "mean_shift", "--no-normalize")
    source = np.load("s.npy")
    np.testing.assert_allclose(raw - source, np.broadcast_to((raw - source).mean(0), raw.shape), atol=1e-6)


def test_notes_of_a_fit_come_after_the_work(cli, folder):
    np.save("flat.npy", np.ones((60, 6), "f4"))
    outcome = align(cli, "flat.npy", "s.npy", "--out", "z.npy")
    assert outcome.err.startswith("note: ")
    assert outcome.err.count("\n") == 1


def test_what_is_there_is_replaced_whole(cli, folder):
    (folder / "z.npy").write_bytes(b"old")
    align(cli, "t.npy", "s.npy", "--out", "z.npy", "--save-aligner", "fitted")
    align(cli, "t.npy", "s.npy", "--out", "z.npy", "--save-aligner", "fitted", "--method", "identity")
    assert "identity" in align(cli, "s.npy", "--load-aligner", "fitted", "--out", "z.npy").out
    left = {"t.npy", "s.npy", "both.npy", "z.npy", "fitted"}
    assert set(os.listdir()) == left


def test_the_files_of_an_aligner_are_those_that_are_written():
    assert frozenset((RECORD, ARRAYS)) == ALIGNER_FILES


def test_progress_goes_to_standard_error(cli, folder, monkeypatch):
    monkeypatch.setattr(progress, "HELD_SECONDS", 0)
    outcome = align(cli, "t.npy", "s.npy", "--out", "z.npy")
    assert [line.split("] ")[1] for line in outcome.err.splitlines()] == [
        "load",
        "fit realign",
        "map 60 rows",
    ]


PLUGIN = """
import torch
import realign_core as rc

class Halfway:
    name = "halfway"

    def fit(self, *, source, target):
        self.shift = self.mean(target) - self.mean(source)
        return self

    @staticmethod
    def mean(rows):
        total, n = 0, 0
        for block in rows if not isinstance(rows, torch.Tensor) else [rows]:
            block = torch.as_tensor(block).double()
            total, n = total + block.sum(0), n + len(block)
        return total / n

    def transform(self, rows):
        moved = torch.as_tensor(rows).double() + self.shift / 2
        return moved if isinstance(rows, torch.Tensor) else moved.numpy()

rc.register_method("halfway", Halfway)
"""


def test_a_method_of_ones_own(cli, refused, folder, monkeypatch):
    from realign_core.alignment import registry

    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))
    monkeypatch.syspath_prepend(folder)
    (folder / "own_halfway.py").write_text(PLUGIN)
    (folder / "own_broken.py").write_text("1 / 0")
    plugin = ("--plugin", "own_halfway")
    assert "there is no method 'halfway'" in refused(
        "align", "t.npy", "s.npy", "--out", "z.npy", "--method", "halfway"
    )
    align(cli, "t.npy", "s.npy", "--out", "z.npy", "--method", "halfway", *plugin)
    target, source = np.load("both.npy").astype("f8")
    expected = source + (target.mean(0) - source.mean(0)) / 2
    np.testing.assert_allclose(np.load("z.npy"), expected, atol=1e-6)
    outcome = cli("analyze", "t.npy", "s.npy", "--methods", "halfway,identity", *plugin)
    assert outcome.status == 0
    assert [
        line.split()[0] for line in outcome.out.splitlines() if line.startswith(("halfway", "identity"))
    ] == [
        "halfway",
        "identity",
    ]
    message = refused(
        "align", "t.npy", "s.npy", "--out", "y.npy", "--method", "halfway", *plugin, "--save-aligner", "a"
    )
    assert "halfway cannot be saved" in message
    assert "halfway" in refused("analyze", "t.npy", "s.npy", "--methods", "nope", *plugin)
    assert "ZeroDivisionError" in refused("analyze", "t.npy", "s.npy", "--plugin", "own_broken")
    assert "name a module (not a file)" in refused("analyze", "t.npy", "s.npy", "--plugin", "own_missing")
    assert not os.path.exists("y.npy")


def test_files_that_happen_to_lie_about_are_not_taken_for_a_fitted_method(cli, folder):
    for name in ("None.json", "fitted.json"):
        Path(name).write_text("[]")
    np.save("few.npy", np.load("s.npy")[:-3])
    assert cli("align", "t.npy", "few.npy", "--out", "z.npy").status == 0
    assert np.load("z.npy").shape == np.load("few.npy").shape
