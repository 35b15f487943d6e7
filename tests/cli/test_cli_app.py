"""The command that starts the dashboard: what Streamlit is started with, and what is refused."""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace

import pytest

from realign_core.cli.app import ARENAS, DATA_ROOT


@pytest.fixture
def started(monkeypatch) -> list[tuple[list[str], dict[str, str]]]:
    """Commands and environments that would have been run."""
    found = []

    def run(command, *, cwd, env, check):
        found.append((command, env))
        assert os.path.isfile(os.path.join(cwd, "app.py"))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return found


def test_freed_memory_goes_back_and_server_paths_are_named(cli, started, tmp_path, monkeypatch):
    monkeypatch.delenv(ARENAS, raising=False)
    assert cli("app", "--port", 8765, "--data", tmp_path, "--no-browser").status == 0
    ((command, environment),) = started
    assert environment[ARENAS] == "2"
    assert environment[DATA_ROOT] == str(tmp_path)
    assert command[-4:] == ["--server.port", "8765", "--server.headless", "true"]


def test_an_operators_own_number_of_arenas_stays(cli, started, monkeypatch):
    monkeypatch.setenv(ARENAS, "7")
    monkeypatch.delenv(DATA_ROOT, raising=False)
    assert cli("app").status == 0
    ((_, environment),) = started
    assert environment[ARENAS] == "7"
    assert DATA_ROOT not in environment


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--port", 70000), "ports end at 65535"), (("--data", "nowhere"), "--data nowhere is no folder")],
)
def test_what_cannot_be_served_is_refused_before_anything_starts(refused, started, options, words):
    assert words in refused("app", *options)
    assert started == []
