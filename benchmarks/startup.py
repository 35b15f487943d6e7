"""Time to answer without torch: `--help`, `inspect`, an argument error."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.timing import best_seconds, show

AT_MOST = 0.7


def run() -> dict:
    """Seconds of whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.npy"
        np.save(path, np.random.default_rng(0).standard_normal((2, 500, 512)).astype(np.float32))
        commands = {
            "--help": ["--help"],
            "inspect": ["inspect", str(path)],
            "argument error": ["analyze", str(path), "--energy", "2"],
            "unknown method": ["analyze", str(path), "--methods", "nope"],
        }
        best = {name: best_seconds(partial(_run, given), 3) for name, given in commands.items()}
    show((name, f"{value:.2f} s (at most {AT_MOST})") for name, value in best.items())
    return {**best, "within": max(best.values()) <= AT_MOST}


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "realign_core", *arguments], capture_output=True, check=False)
