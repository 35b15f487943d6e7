"""Running the real command line: in this process for speed, in one of its own where that matters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from realign_core.cli import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    """Exit status and what was said."""

    status: int
    out: str
    err: str


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_pair(n: int = 60, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Target and source, float32 unit rows `(n, d)` that share a signal, apart by a gap."""
    generator = np.random.default_rng(seed)
    signal = generator.standard_normal((n, d))
    gap = 0.6 * np.ones(d)
    noise = 0.3 * generator.standard_normal((2, n, d))
    return tuple(unit(signal + sign * gap + part).astype("f4") for sign, part in zip((1, -1), noise))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a small pair: `t.npy`, `s.npy`, and `both.npy` of shape (2, n, d)."""
    monkeypatch.chdir(tmp_path)
    target, source = make_pair()
    np.save("t.npy", target)
    np.save("s.npy", source)
    np.save("both.npy", np.stack([target, source]))
    return tmp_path


@pytest.fixture
def cli(capsys) -> Callable[..., Outcome]:
    """Run the command line here; each argument is one word."""

    def run(*arguments: object) -> Outcome:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def refused(cli) -> Callable[..., str]:
    """Run what must be refused: exit 2, nothing on standard output, one line on standard error."""

    def run(*arguments: object) -> str:
        outcome = cli(*arguments)
        assert outcome.status == 2, outcome
        assert outcome.out == ""
        assert outcome.err.count("\n") == 1
        assert outcome.err.startswith("realign: ")
        assert "Traceback" not in outcome.err
        return outcome.err

    return run


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}


def process(*arguments: object, python: tuple[str, ...] = (), **options) -> subprocess.Popen:
    """The command line in a process of its own, its outputs piped as text."""
    command = [sys.executable, *python, "-m", "realign_core", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment(), **{**pipes, **options})


def finish(running: subprocess.Popen, timeout: float = 60) -> Outcome:
    out, err = running.communicate(timeout=timeout)
    return Outcome(running.returncode, out or "", err or "")
