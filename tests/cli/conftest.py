"""A folder with a small pair of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_tools import make_pair


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a small pair: `t.npy`, `s.npy`, and `both.npy` of shape (2, n, d)."""
    monkeypatch.chdir(tmp_path)
    target, source = make_pair()
    np.save("t.npy", target)
    np.save("s.npy", source)
    np.save("both.npy", np.stack([target, source]))
    return tmp_path
