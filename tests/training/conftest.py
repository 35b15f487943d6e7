"""A finished run of a few dozen steps on a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_run import SHORT


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple[Path, dict]:
    """Folder and record of a run that was not interrupted."""
    from realign_core.training.loop import train

    folder = tmp_path_factory.mktemp("finished")
    return folder, train(SHORT, folder)
