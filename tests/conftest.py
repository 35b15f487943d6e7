"""What all tests share: the command line in this process, real data and a browser where they are there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from realign_core.waiting import wait_briefly

# Spinning threads starve the other test processes.
wait_briefly()

import pytest
from browser.ensure_browser import find_browser, required
from browser.serving import FLAGS
from hypothesis import settings
from outcome import Outcome

from realign_core.cli import main

# A deadline would measure how busy the machine is.
settings.register_profile("gapscope", deadline=None)
settings.load_profile("gapscope")

SHARED = Path(__file__).resolve().parents[2] / "shared"
REAL_SETS = ("clip_vitb32_coco500", "things200_vitl14_same_modality")


def shared_file(relative: str) -> Path:
    """A file of the folder beside the project; skips the test where that is not there."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"{relative} lies beside the project and is not there")
    return path


@pytest.fixture(scope="session")
def clip_file() -> Path:
    """CLIP features of 500 COCO pairs."""
    return shared_file("data/clip_vitb32_coco500.npy")


@pytest.fixture(scope="session", params=REAL_SETS)
def real_set(request) -> tuple[Path, dict]:
    """A real `(2, n, d)` file and what an independent implementation reads on it."""
    golden = json.loads(shared_file(f"golden/{request.param}.json").read_text())
    return shared_file(f"data/{request.param}.npy"), golden


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; without one, a failure in continuous integration and else a reason to skip."""
    found = find_browser()
    if found is None:
        reason = "no Chromium was found; install the package chromium, or name one with CHROMIUM"
        pytest.fail(reason) if required() else pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def browser(chromium) -> Iterator:
    """A running Chromium, closed with the module: Playwright starts once in a process at a time, and while it
    is open its event loop stands in the way of every other test that needs one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield running
        running.close()


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
