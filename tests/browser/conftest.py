"""A running dashboard and a browser in front of it; every test is also held to silence on the console."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from ensure_browser import find_browser, required
from visits import Visit

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
START_SECONDS = 90
SECRET = "outside.npy"


def pytest_collection_modifyitems(items) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_browser()
    if found is None:
        reason = "no Chromium was found; install the package chromium, or name one with CHROMIUM"
        pytest.fail(reason) if required() else pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def browser(chromium) -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield running
        running.close()


def make_pair(n: int, d: int, *, seed: int, gap: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Target and source, float32 unit rows `(n, d)` that share a signal, apart by a gap."""
    generator = np.random.default_rng(seed)
    signal = generator.standard_normal((n, d), dtype=np.float32)
    sides = []
    for sign in (1, -1):
        rows = signal + sign * gap + 0.4 * generator.standard_normal((n, d), dtype=np.float32)
        sides.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return tuple(sides)


@pytest.fixture(scope="session")
def data_root(tmp_path_factory) -> Path:
    """The folder of server paths; a file beside it must stay out of reach."""
    root = tmp_path_factory.mktemp("served") / "root"
    root.mkdir()
    for name, n, d, seed in (("small", 240, 16, 1), ("other", 180, 12, 2), ("large", 12_000, 96, 3)):
        target, source = make_pair(n, d, seed=seed)
        np.save(root / f"{name}_image.npy", target)
        np.save(root / f"{name}_text.npy", source)
    np.save(root.parent / SECRET, np.stack(make_pair(20, 4, seed=4)))
    return root


@pytest.fixture(scope="session")
def server(data_root, tmp_path_factory) -> Iterator[str]:
    """Address of a dashboard of its own, started as a reader starts it."""
    port = free_port()
    log = (tmp_path_factory.mktemp("log") / "server.log").open("w+")
    words = ["app", "--no-browser", "--port", str(port), "--data", str(data_root)]
    process = subprocess.Popen(
        [sys.executable, "-m", "realign_core", *words],
        cwd=ROOT,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none"},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(address, process)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_up(address: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "the dashboard ended while it started"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the dashboard did not answer within {START_SECONDS} s")


@pytest.fixture
def visitor(browser, server) -> Iterator[Callable[..., Visit]]:
    """Open further visits, each in a profile of its own; all must have been silent at the end."""
    visits: list[Visit] = []

    def arrive(*, dark: bool = False, width: int = 1280, height: int = 800) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        visits.append(Visit(context, server))
        return visits[-1]

    yield arrive
    faults = [fault for visit in visits for fault in visit.faults]
    for visit in visits:
        visit.context.close()
    assert not faults, faults


@pytest.fixture
def visit(visitor) -> Visit:
    """One visit at 1280 x 800, light."""
    return visitor()
