"""A dashboard of its own for tests and benchmarks, and rows to show in it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 240


@contextmanager
def serve(
    data: Path,
    log: Path,
    *,
    plain: bool = False,
    page: str = "app.py",
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, subprocess.Popen]]:
    """Address and process of a dashboard that may read `data`, started as a reader starts it.

    `plain` starts Streamlit itself on `page`, without server paths; `environment` adds to this process's.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["realign_core", "app", "--no-browser", "--port", str(port), "--data", str(data)]
    if plain:
        words = ["streamlit", "run", page, "--server.headless", "true", "--server.port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none", **(environment or {})},
        )
        try:
            _wait_until_up(address, process, log)
            yield address, process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def _wait_until_up(address: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the dashboard ended while it started: {log.read_text()[-1000:]}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the dashboard did not answer within {START_SECONDS} s")


def write_pictured(root: Path, n: int = 90) -> None:
    """`pictured.parquet`: pairs with captions and pictures, every third of which lies outside the root."""
    import pandas as pd
    from PIL import Image

    target, source = make_pair(n, 8, seed=6)
    inside, outside = root / "inside.png", root.parent / "outside.png"
    for path, colour in ((inside, "green"), (outside, "red")):
        Image.new("RGB", (120, 80), colour).save(path)
    columns = {
        "image_embedding": list(target),
        "text_embedding": list(source),
        "caption": [f"caption {row}" for row in range(n)],
        "image_path": [("inside.png", "inside.png", "../outside.png")[row % 3] for row in range(n)],
    }
    pd.DataFrame(columns).to_parquet(root / "pictured.parquet")


def make_pair(n: int, d: int, *, seed: int, gap: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Target and source, float32 unit rows `(n, d)` that share a signal, apart by a gap."""
    generator = np.random.default_rng(seed)
    signal = generator.standard_normal((n, d), dtype=np.float32)
    sides = []
    for sign in (1, -1):
        rows = signal + sign * gap + 0.4 * generator.standard_normal((n, d), dtype=np.float32)
        sides.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return tuple(sides)
