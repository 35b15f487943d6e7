"""Running the real command line in this process, for speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_tools import Outcome, make_pair

from realign_core.cli import main


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
