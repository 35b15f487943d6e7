"""`align` into shards and `--checkpoint`: an interrupted run goes on, and ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from cli_tools import finish, make_pair, process
from patience import HANGING

from realign_core.alignment import c3
from realign_core.checkpoint import checked_by
from realign_core.cli.resuming import alone_in
from realign_core.load import keeper


@pytest.fixture
def shards(folder):
    """`T/` and `S/`: four shards of 150, 150, 150 and 50 rows."""
    for name, rows in zip("TS", make_pair(500)):
        os.mkdir(name)
        for number, part in enumerate(np.split(rows.astype("f2"), [150, 300, 450])):
            np.save(f"{name}/{number}.npy", part)
    return folder


def contents(folder):
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


def stop_after(blocks):
    """An interruption at the `blocks`-th place where work may be stopped."""
    left = [blocks]

    def check():
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    return checked_by(check)


def test_out_may_be_a_folder_cut_as_the_source_is(cli, shards):
    outcome = cli("align", "T", "S", "--out", "Z/")
    assert outcome.status == 0, outcome.err
    assert outcome.out == "Z/ (4 shards): 500 rows of dimension 6, mapped by realign\n"
    assert cli("align", "T", "S", "--out", "z.npy").status == 0
    parts = [np.load(f"Z/{number}.npy") for number in range(4)]
    assert [len(part) for part in parts] == [150, 150, 150, 50]
    np.testing.assert_array_equal(np.concatenate(parts), np.load("z.npy"))
    assert sorted(os.listdir("Z")) == sorted(os.listdir("S"))


def test_shards_follow_the_usable_rows_and_the_format(cli, shards):
    rows = np.load("S/1.npy")
    rows[:] = np.nan
    np.save("S/1.npy", rows)
    outcome = cli("align", "T", "S", "--out", "Z/", "--shard-format", "parquet")
    assert outcome.status == 0, outcome.err
    assert sorted(os.listdir("Z")) == ["0.parquet", "2.parquet", "3.parquet"]
    again = cli("align", "T", "t.npy", "--out", "Y/", "--shard-rows", 25)
    assert again.status == 0, again.err
    assert [len(np.load(f"Y/{number:05d}.npy")) for number in range(3)] == [25, 25, 10]


@pytest.mark.parametrize("method", ["realign", "c3", "random_target", "rotation"])
@pytest.mark.parametrize("blocks", [3, 9, 13])
def test_an_interrupted_align_goes_on_at_the_next_shard(cli, shards, monkeypatch, method, blocks):
    monkeypatch.setattr(keeper, "KEEP_SECONDS", 0)
    command = ("align", "T", "S", "--method", method, "--shard-rows", 40, "--out")
    assert cli(*command, "whole/").status == 0
    with stop_after(blocks):
        assert cli(*command, "Z/").status == 130
    stamps = {name: os.stat(f"Z/{name}").st_mtime_ns for name in os.listdir("Z") if name.endswith(".npy")}
    assert ".gapscope" in os.listdir("Z")
    assert cli(*command, "Z/").status == 0
    assert contents(shards / "Z") == contents(shards / "whole")
    for name, stamp in stamps.items():
        assert os.stat(f"Z/{name}").st_mtime_ns == stamp


def test_a_killed_align_leaves_no_half_shard_and_goes_on(shards):
    rows = np.concatenate([np.load(f"S/{number}.npy") for number in range(4)])
    np.save("many.npy", np.tile(rows, (40, 1)))
    command = ("align", "T", "many.npy", "--method", "c3", "--shard-rows", 100, "--out")
    assert finish(process(*command, "whole/")).status == 0
    running = process(*command, "Z/")
    end = time.monotonic() + HANGING
    while not os.path.exists("Z/00003.npy"):
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    left = sorted(name for name in os.listdir("Z") if name.endswith(".npy"))
    assert 4 <= len(left) < 200
    assert all(len(np.load(f"Z/{name}")) == 100 for name in left)
    outcome = finish(process(*command, "Z/"))
    assert outcome.status == 0, outcome.err
    assert contents(shards / "Z") == contents(shards / "whole")


def test_analyze_goes_on_from_its_checkpoint(cli, shards, monkeypatch):
    monkeypatch.setattr(keeper, "KEEP_SECONDS", 0)
    command = ("analyze", "T", "S", "--methods", "identity,realign", "--bootstrap", 20)
    assert cli(*command, "--json", "whole.json").status == 0
    with stop_after(8):
        assert cli(*command, "--json", "z.json", "--checkpoint", "K").status == 130
    assert {"run.json", "scan-target-1.safetensors"} <= set(os.listdir("K"))
    assert cli(*command, "--json", "z.json", "--checkpoint", "K").status == 0
    found, whole = (without_seconds(name) for name in ("z.json", "whole.json"))
    assert found == whole


def without_seconds(name):
    found = json.loads(Path(name).read_text())
    del found["seconds"]
    for method in found["methods"].values():
        del method["seconds"]
    return found


def test_noise_is_drawn_once_for_each_row_however_many_shards(cli, shards, monkeypatch):
    drawn = []
    draws = c3.gaussian_rows

    def counted(*options):
        draw = draws(*options)
        return lambda n: drawn.append(n) or draw(n)

    monkeypatch.setattr(c3, "gaussian_rows", counted)
    with stop_after(30):
        assert cli("align", "T", "S", "--method", "c3", "--shard-rows", 10, "--out", "Z/").status == 130
    drawn.clear()
    assert cli("align", "T", "S", "--method", "c3", "--shard-rows", 10, "--out", "Z/").status == 0
    assert sum(drawn) == 500


def test_what_another_run_left_is_refused(cli, shards, monkeypatch):
    monkeypatch.setattr(keeper, "KEEP_SECONDS", 0)
    with stop_after(5):
        assert cli("align", "T", "S", "--out", "Z/").status == 130
    other = cli("align", "T", "S", "--method", "c3", "--out", "Z/")
    assert other.status == 2
    assert "was left by another run: its --method was" in other.err
    np.save("S/3.npy", np.load("S/3.npy")[::-1])
    changed = cli("align", "T", "S", "--out", "Z/")
    assert changed.status == 2
    assert "was left by another run: its source was" in changed.err


def test_an_aligner_that_changed_meanwhile_is_refused(cli, shards):
    for method, folder in (("realign", "a"), ("mean_shift", "b")):
        options = ("--method", method, "--out", f"{folder}.npy", "--save-aligner", folder)
        assert cli("align", "T", "S", *options).status == 0
    with stop_after(8):
        assert cli("align", "S", "--load-aligner", "a", "--shard-rows", 20, "--out", "Z/").status == 130
    os.rename("a", "old")
    os.rename("b", "a")
    changed = cli("align", "S", "--load-aligner", "a", "--shard-rows", 20, "--out", "Z/")
    assert changed.status == 2
    assert "its --load-aligner was" in changed.err


def test_a_plugin_that_changed_meanwhile_is_refused(shards):
    code = (
        "import realign_core as rc\n"
        "class Own(rc.Identity):\n    name = 'own'\n"
        "rc.register_method('own', Own)\n"
    )
    Path("own_method.py").write_text(code)
    options = ("--method", "own", "--plugin", "own_method", "--checkpoint", "K", "--out", "z.npy")
    assert finish(process("align", "T", "S", *options)).status == 0
    Path("own_method.py").write_text(code + "# another\n")
    changed = finish(process("align", "T", "S", *options))
    assert changed.status == 2
    assert "its --plugin was" in changed.err


def test_notes_of_a_fit_are_said_again_when_it_is_taken_up(cli, folder):
    np.save("same.npy", np.tile(np.load("t.npy")[:1], (60, 1)))
    command = ("align", "same.npy", "s.npy", "--checkpoint", "K", "--out", "z.npy")
    first, again = cli(*command), cli(*command)
    assert "all target rows are equal" in first.err
    assert again.err == first.err


def test_two_runs_at_once_into_one_folder_are_refused(cli, shards):
    os.mkdir("Z")
    with stop_after(5):
        assert cli("align", "T", "S", "--out", "Z/").status == 130
    with alone_in("Z/.gapscope"):
        second = cli("align", "T", "S", "--out", "Z/")
    assert second.status == 2
    assert "another run is using Z/.gapscope now; wait for it" in second.err
    assert cli("align", "T", "S", "--out", "Z/").status == 0


def test_a_sample_and_all_rows_are_scanned_apart(cli, shards):
    command = ("align", "T", "S", "--paired", "yes", "--method", "procrustes", "--max-rows", 300)
    assert cli(*command, "--out", "z.npy").status == 0
    assert cli(*command, "--out", "y.npy", "--checkpoint", "K").status == 0
    np.testing.assert_array_equal(np.load("z.npy"), np.load("y.npy"))


def test_files_that_were_there_before_are_never_taken_for_shards(cli, shards):
    os.mkdir("Z")
    np.save("Z/0.npy", np.ones((150, 6), "f2"))
    os.mkdir("Z/.gapscope")
    outcome = cli("align", "T", "S", "--out", "Z/")
    assert outcome.status == 2
    assert "holds 0.npy, which no unfinished run has left there" in outcome.err


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--out", "S"], "--out S is an input; name another folder"),
        (["--out", "full"], "holds notes.txt, which no unfinished run has left there; name a new or empty"),
        (["--out", "done"], "holds 00000.npy, which no unfinished run has left there; name a new or empty"),
        (["--out", "none/Z/"], "is no writable folder"),
        (["--out", "z.npy", "--shard-rows", "5"], "--shard-rows is for an --out that is a folder"),
        (["--out", "Z/", "--shard-rows", "0"], "--shard-rows is 0"),
        (["--out", "Z/", "--shard-format", "csv"], "--shard-format"),
        (["--out", "Z/", "--checkpoint", "K"], "keeps its own checkpoint; leave out --checkpoint"),
        (["--out", "Z/", "--save-aligner", "Z/a"], "--save-aligner Z/a lies in --out Z/; name another"),
        (["--out", "z.npy", "--checkpoint", "full"], "full holds other files; name a new or empty folder"),
    ],
)
def test_folders_that_cannot_be_used(cli, shards, options, error):
    for name, file in (("full", "notes.txt"), ("done", "00000.npy")):
        os.mkdir(name)
        open(f"{name}/{file}", "w").close()
    outcome = cli("align", "T", "S", *options)
    assert outcome.status == 2
    assert error in outcome.err
    assert not os.path.exists("Z")
