"""A run of a few dozen steps on a tiny model, and its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from realign_core.training.settings import ModelSize, Settings

TINY = ModelSize(embedding=16, patch=16, image_width=32, image_layers=1, text_width=32, text_layers=1)
SHORT = Settings(
    steps=40,
    batch=16,
    every=10,
    probe=24,
    pool=64,
    learning_rate=3e-3,
    warmup=5,
    gradient_rows=16,
    model=TINY,
)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple[Path, dict]:
    """Folder and record of a run that was not interrupted."""
    from realign_core.training.loop import train

    folder = tmp_path_factory.mktemp("finished")
    return folder, train(SHORT, folder)
