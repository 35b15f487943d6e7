"""One local cluster of three workers for the tests of the engine, and sets of rows in files."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realign_core.load import write_rows

D = 16
SHARDS = (1500, 900, 1300)

if importlib.util.find_spec("ray") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    pytest.importorskip("ray", reason="Ray is not installed (requirements-distributed.txt)")
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
    import ray

    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, str(Path(__file__).parent), *filter(None, sys.path)])
    ray.init(
        address="local",
        num_cpus=3,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        object_store_memory=200 << 20,
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )
    yield
    ray.shutdown()


def sets_of(folder: Path, suffix: str) -> tuple[str, str]:
    """Folders of shards of paired target and source rows, some captions sharing an image."""
    generator = np.random.default_rng(5)
    for name, shift in (("images", 0.6), ("texts", -0.4)):
        (folder / name).mkdir()
        for number, n in enumerate(SHARDS):
            base = np.random.default_rng(number).standard_normal((n, D))
            rows = base + 0.4 * generator.standard_normal((n, D)) * np.linspace(0.5, 2, D) + shift
            if name == "images":
                rows[1::5] = rows[::5][: len(rows[1::5])]
            write_rows(folder / name / f"s{number}{suffix}", rows.astype("float32"), n=n, dim=D)
    return str(folder / "images"), str(folder / "texts")


@pytest.fixture(scope="session", params=[".npy", ".parquet"])
def sets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return sets_of(tmp_path_factory.mktemp("sets"), request.param)


@pytest.fixture(scope="session")
def npy_sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return sets_of(tmp_path_factory.mktemp("npy"), ".npy")
