"""`train`: a short run from end to end, what stops it, and what is refused before torch is imported."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict

import pytest
from cli_tools import environment, finish, process
from patience import HANGING

from realign_core.training.settings import Settings
from realign_core.training.snapshots import open_snapshots

TINY = ("--steps", 4, "--batch", 8, "--every", 2, "--probe", 16, "--pool", 16, "--device", "cpu")


def test_a_short_run_and_its_folder(cli, folder):
    done = cli("train", "--out", "run", *TINY, "--learning-rate", 0.002)
    assert done.status == 0, done.err
    assert "4 steps" in done.out
    assert "chance 6.25%" in done.out
    found = open_snapshots("run")
    assert found.steps == (0, 2, 4)
    assert found.record["settings"]["learning_rate"] == 0.002
    assert (folder / "run" / "model" / "open_clip_config.json").exists()
    again = cli("train", "--out", "run", "--resume")
    assert (again.status, again.out) == (0, done.out)


def test_a_run_that_is_interrupted_goes_on(folder):
    many = ("--steps", 10_000, *TINY[2:4], "--every", 5_000, *TINY[6:])
    running = process("train", "--out", "run", *many)
    first = folder / "run" / "checkpoint.pt"
    deadline = time.monotonic() + HANGING
    while not first.exists() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    outcome = finish(running)
    assert outcome.status == 130, outcome
    assert "go on with --resume" in outcome.out
    assert "Traceback" not in outcome.err
    record = json.loads((folder / "run" / "record.json").read_text())
    assert f"stopped at step {record['step']} of 10000" in outcome.out
    assert not record["finished"]


@pytest.mark.parametrize(
    "option",
    [
        *(("--steps", value) for value in ("0", "-1", "1.5", "x")),
        *(("--batch", value) for value in ("0", "1", "50000")),
        *(("--every", value) for value in ("0", "x")),
        *(("--probe", value) for value in ("0", "1")),
        *(("--pool", value) for value in ("0", "20")),
        *(("--seed", value) for value in ("-1", "x", str(2**63))),
        *(("--learning-rate", value) for value in ("0", "-1", "nan", "inf", "x")),
        ("--device", "tpu"),
        ("--epochs", "3"),
    ],
    ids="=".join,
)
def test_options_out_of_range(refused, folder, option):
    assert option[0] in refused("train", "--out", "run", *option)
    assert not (folder / "run").exists()


def test_folders_that_cannot_be_used(refused, folder):
    assert "--out" in refused("train")
    assert "--out is empty" in refused("train", "--out", "")
    assert "is a file" in refused("train", "--out", "t.npy")
    assert "is not empty" in refused("train", "--out", ".")
    assert "is no folder" in refused("train", "--out", "none", "--resume")
    assert "tells of no run" in refused("train", "--out", ".", "--resume")
    assert "cannot be made" in refused("train", "--out", "t.npy/run")
    assert "File name too long" in refused("train", "--out", "x" * 300)
    assert "is no folder" in refused("train", "--out", "x" * 300, "--resume")
    assert "is no path" in refused("train", "--out", "a\0b")
    assert "is no path" in refused("train", "--out", "a\0b", "--resume")


def test_a_run_goes_on_with_its_own_settings_only(cli, refused, folder):
    assert cli("train", "--out", "run", *TINY).status == 0
    assert "began with 8" in refused("train", "--out", "run", "--resume", "--batch", 12)
    assert cli("train", "--out", "run", "--resume", "--batch", 8).status == 0
    record = json.loads((folder / "run" / "record.json").read_text())
    record["settings"]["colour"] = 1
    (folder / "run" / "record.json").write_text(json.dumps(record))
    assert "other settings than this version's" in refused("train", "--out", "run", "--resume")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding", -1),
        ("embedding", "x"),
        ("embedding", 10**9),
        ("patch", 0),
        ("patch", 65),
        ("image_width", 7),
        ("text_width", 33),
        ("image_pixels", 32),
        ("warmup", "a"),
        ("clip", "x"),
        ("long_share", 2),
        ("seed", 2**64),
    ],
)
def test_a_record_whose_settings_cannot_be_used(refused, folder, name, value):
    settings = asdict(Settings())
    (settings["model"] if name in settings["model"] else settings)[name] = value
    (folder / "run").mkdir()
    (folder / "run" / "record.json").write_text(json.dumps({"settings": settings}))
    said = refused("train", "--out", "run", "--resume")
    assert "record.json" in said
    assert name in said or value == 2**64


def test_a_refusal_imports_nothing_heavy(folder):
    code = (
        "import sys; from realign_core.cli import main;"
        "status = main(['train', '--out', 'r', '--steps', '0']);"
        "print(status, [name for name in ('torch', 'open_clip', 'PIL') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=HANGING
    )
    assert found.stdout.strip() == "2 []"
