"""The command line as a process of its own: start-up, interruption, pipes, runs side by side."""

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import tomllib
import types

import numpy as np
import pytest
from cli_tools import ROOT, environment, finish, make_pair, process
from patience import HANGING

from realign_core.checkpoint import checkpoint
from realign_core.load.sides import Side

HEAVY = ("torch", "pandas", "pyarrow", "plotly", "scipy", "streamlit", "open_clip")
PROBE = f"""
import json, sys, time
started = time.perf_counter()
from realign_core.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as end:
    status = end.code
print(json.dumps([status, time.perf_counter() - started, [n for n in {HEAVY!r} if n in sys.modules]]))
"""
LIGHT = {
    "help": ("--help",),
    "help of a command": ("analyze", "--help"),
    "version": ("--version",),
    "inspect": ("inspect", "t.npy"),
    "no command": (),
    "unknown command": ("measure",),
    "unknown option": ("analyze", "t.npy", "--nope"),
    "unknown method": ("analyze", "t.npy", "s.npy", "--methods", "nope"),
    "unknown method of align": ("align", "t.npy", "s.npy", "--method", "nope", "--out", "z.npy"),
    "option out of range": ("analyze", "t.npy", "s.npy", "--energy", "2"),
    "output that cannot be written": ("analyze", "t.npy", "s.npy", "--json", "no/a.json"),
    "missing file": ("analyze", "none.npy", "s.npy"),
    "damaged file": ("analyze", "cut.npy", "s.npy"),
    "wrong dimensions": ("analyze", "t.npy", "narrow.npy"),
    "aligner that is not there": ("align", "s.npy", "--load-aligner", "none", "--out", "z.npy"),
}


@pytest.mark.parametrize("case", LIGHT)
def test_quick_answers_do_without_torch(folder, case):
    (folder / "cut.npy").write_bytes((folder / "t.npy").read_bytes()[:-9])
    np.save("narrow.npy", np.load("s.npy")[:, :5])
    command = [sys.executable, "-c", PROBE, *LIGHT[case]]
    found = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=HANGING, check=True
    )
    status, seconds, imported = json.loads(found.stdout.splitlines()[-1])
    assert status == (0 if case in ("help", "help of a command", "version", "inspect") else 2)
    assert imported == []
    # 0.7 s is what is asked; a machine that tests in parallel gets room.
    assert seconds < 3
    assert "Traceback" not in found.stderr


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A pair that takes seconds to align to .pkl and to analyse."""
    folder = tmp_path_factory.mktemp("large")
    for name, rows in zip(("t.npy", "s.npy"), make_pair(60_000, 256), strict=True):
        np.save(folder / name, rows.astype("f2"))
    return folder


def interrupt(running, folder, seen):
    """Send Ctrl-C once `seen(names of the folder)` holds, or standard error has said enough."""
    until = time.monotonic() + HANGING
    while time.monotonic() < until and running.poll() is None:
        if seen(os.listdir(folder)):
            break
        time.sleep(0.005)
    assert running.poll() is None, "it ended before it could be interrupted"
    running.send_signal(signal.SIGINT)
    return finish(running)


def test_an_interrupted_align_leaves_nothing(large):
    before = set(os.listdir(large))
    running = process("align", "t.npy", "s.npy", "--method", "blockwise", "--out", "z.npy", cwd=large)
    outcome = interrupt(
        running, large, lambda names: any(name.endswith(".part") for name in set(names) - before)
    )
    assert outcome.status == 130
    assert outcome.err.splitlines()[-1] == "realign: interrupted; no output was left half-written"
    assert "Traceback" not in outcome.err
    assert set(os.listdir(large)) == before


def test_an_interrupted_analyze_leaves_nothing(large):
    before = set(os.listdir(large))
    (large / "z.json").write_text("old")
    started = time.monotonic()
    running = process("analyze", "t.npy", "s.npy", "--json", "z.json", "--csv", "z.csv", cwd=large)
    outcome = interrupt(running, large, lambda _: time.monotonic() - started > 5)
    assert outcome.status == 130
    assert outcome.err.splitlines()[-1] == "realign: interrupted; no output was left half-written"
    assert outcome.out == ""
    assert (large / "z.json").read_text() == "old"
    os.remove(large / "z.json")
    assert set(os.listdir(large)) == before


def test_a_reader_that_leaves_early_is_no_error(folder):
    options = ("--methods", "identity", "--energy", "0.7", "--json", "-")
    running = process("analyze", "t.npy", "s.npy", *options)
    running.stdout.close()
    # A busy machine takes long enough for progress to be told.
    assert [line for line in running.stderr.read().splitlines() if not line.startswith("[")] == []
    assert running.wait(60) == 0


def test_the_pipe_to_head_is_quiet(folder):
    command = f"{sys.executable} -m realign_core --help | head -n 1"
    found = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=HANGING,
    )
    assert found.stdout.startswith("usage: realign")
    assert found.stderr == ""
    assert found.returncode == 0


def test_standard_output_that_is_full_or_closed(folder):
    with open("/dev/full", "w") as full:
        outcome = finish(process("inspect", "t.npy", stdout=full))
    assert outcome.status == 2
    assert outcome.err.startswith("realign: standard output cannot be written")
    assert outcome.err.count("\n") == 1
    command = f"{sys.executable} -m realign_core inspect t.npy >&-"
    found = subprocess.run(
        ["bash", "-c", command], env=environment(), capture_output=True, text=True, timeout=HANGING
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(
    ("redirected", "expected"),
    [("2>&-", 0), ("2>/dev/full", 0), (">&-", 2), ("--k 99 2>/dev/full", 2), ("--k 99 2>&-", 2)],
)
def test_streams_that_are_closed_or_full(folder, redirected, expected):
    command = (
        f"{sys.executable} -m realign_core analyze t.npy s.npy --methods identity --bootstrap 2 --json -"
    )
    found = subprocess.run(
        ["bash", "-c", f"{command} {redirected}"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=HANGING,
    )
    assert found.returncode == expected
    if expected == 0:
        # Nothing that is meant for standard error gets among the results.
        assert json.loads(found.stdout)["schema_version"] == 1
    elif redirected == ">&-":
        assert found.stderr == "realign: --json is -, but standard output is closed; name a file\n"
    else:
        assert found.stdout == found.stderr == ""


def test_an_interruption_while_modules_are_imported(monkeypatch, capsys):
    class Interrupted(types.ModuleType):
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "realign_core.cli", Interrupted("realign_core.cli"))
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("realign_core", run_name="__main__")
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "realign: interrupted before it began\n"


def test_names_that_the_terminal_cannot_show(folder):
    odd = b"caf\xe9.npy"
    (folder / "t.npy").rename(os.fsdecode(odd))
    ascii_only = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    running = process("align", os.fsdecode(odd), "s.npy", "--out", "z_é.npy", text=False, extra=ascii_only)
    out, err = running.communicate(timeout=HANGING)
    assert running.returncode == 0, err
    assert out.startswith(b"z_")
    assert (folder / "z_é.npy").exists()


def test_two_runs_into_one_folder(folder):
    runs = [
        process(
            "align",
            "t.npy",
            "s.npy",
            "--method",
            "c3",
            "--seed",
            seed,
            "--out",
            "z.npy",
            "--save-aligner",
            f"a{seed}",
        )
        for seed in (1, 2)
    ]
    for running in runs:
        outcome = finish(running)
        assert outcome.status == 0, outcome.err
    assert np.load("z.npy").shape == (60, 6)
    assert set(os.listdir()) == {"t.npy", "s.npy", "both.npy", "z.npy", "a1", "a2"}


def test_a_plugin_beside_the_data(folder):
    (folder / "beside.py").write_text(
        "import realign_core as rc\n"
        "class Same(rc.Identity):\n"
        "    name = 'same'\n"
        "rc.register_method('same', Same)\n"
    )
    running = process(
        "align", "t.npy", "s.npy", "--method", "same", "--plugin", "beside", "--out", "z.npy", python=("-P",)
    )
    outcome = finish(running)
    assert outcome.status == 0, outcome.err
    np.testing.assert_allclose(np.load("z.npy"), np.load("s.npy"), atol=1e-6)


@pytest.mark.parametrize("command", ["analyze t.npy s.npy", "align t.npy s.npy --out z.npy"])
def test_an_interruption_does_not_wait_for_the_scan(cli, folder, monkeypatch, command):
    def endless(*_, **__):
        until = time.monotonic() + HANGING
        while time.monotonic() < until:
            checkpoint()
            time.sleep(0.01)

    monkeypatch.setattr(Side, "read", endless)
    started = time.monotonic()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    outcome = cli(*command.split())
    timer.join()
    assert outcome.status == 130
    assert outcome.err.count("\n") == 1
    assert time.monotonic() - started < 15


def test_the_installed_command_is_the_command_line():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, name = project["project"]["scripts"]["realign"].partition(":")
    code = f"import sys; from {module} import {name}; sys.argv[1:] = ['--help']; sys.exit({name}())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGING)
    assert done.returncode == 0
    assert "analyze" in done.stdout
