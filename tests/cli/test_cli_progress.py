"""Progress of long stages: rewritten on a terminal, held back and rare elsewhere."""

import sys

import pytest

from realign_core.checkpoint import tell, told_to
from realign_core.cli import progress as module
from realign_core.cli.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """The time that progress sees, as a list with one number."""
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return now


def test_a_stage_tells_how_far_it_is_on_a_terminal(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = Progress(3)
    progress("fit anisoalign")
    with told_to(progress.within):
        tell("anisoalign: prior, step 50 of 400")
    said = capsys.readouterr().err.split("\r\033[K")
    assert said[1:] == ["[1/3, 0 s] fit anisoalign", "[1/3, 0 s] anisoalign: prior, step 50 of 400"]


def test_elsewhere_details_come_rarely(clock, capsys):
    progress = Progress()
    progress("fit anisoalign")
    with told_to(progress.within):
        for second in range(0, 35):
            clock[0] = float(second)
            tell(f"step {second}")
    said = capsys.readouterr().err.splitlines()
    assert said == ["[1, 0 s] fit anisoalign", "[1, 10 s] step 10", "[1, 20 s] step 20", "[1, 30 s] step 30"]


def test_nobody_need_listen():
    tell("nothing hears this")
