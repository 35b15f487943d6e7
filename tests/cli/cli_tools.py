"""What the tests of the command line share: data, and the command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from outcome import Outcome
from patience import HANGING

from realign_core.waiting import BRIEF

ROOT = Path(__file__).resolve().parents[2]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_pair(n: int = 60, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Target and source, float32 unit rows `(n, d)` that share a signal, apart by a gap."""
    generator = np.random.default_rng(seed)
    signal = generator.standard_normal((n, d))
    gap = 0.6 * np.ones(d)
    noise = 0.3 * generator.standard_normal((2, n, d))
    return tuple(unit(signal + sign * gap + part).astype("f4") for sign, part in zip((1, -1), noise))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **BRIEF}


def process(
    *arguments: object, python: tuple[str, ...] = (), extra: dict[str, str] | None = None, **options
) -> subprocess.Popen:
    """The command line in a process of its own, its outputs piped as text; `extra` joins the environment."""
    command = [sys.executable, *python, "-m", "realign_core", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**environment(), **(extra or {})}, **{**pipes, **options})


def finish(running: subprocess.Popen, timeout: float = HANGING) -> Outcome:
    out, err = running.communicate(timeout=timeout)
    return Outcome(running.returncode, out or "", err or "")
