"""Joining a Ray cluster, or starting one on this machine, and leaving it."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from realign_core.validation import UnusableInput

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}
ANSWER_SECONDS = 10.0


@contextmanager
def joined(address: str | None, say: Callable[[str], None]) -> Iterator[None]:
    """Within this context tasks can be sent to the cluster at `address`, else at RAY_ADDRESS, else to a new
    one of this machine's cores, which `say` is told.

    A cluster that is joined already is used and left as it is. Raises `UnusableInput` where
    no cluster answers.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # Imported once the environment above tells it to be quiet.
    import ray

    if ray.is_initialized():
        yield
        return
    where = address or os.environ.get("RAY_ADDRESS")
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if where:
            _check_answers(where)
            ray.init(address=where, **quiet)
        else:
            cores = os.cpu_count() or 1
            say(f"starting a local Ray cluster of {cores} workers; --ray-address joins another")
            # Workers look for modules where this process does.
            paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
            ray.init(
                address="local",
                num_cpus=cores,
                include_dashboard=False,
                runtime_env={"env_vars": {"PYTHONPATH": paths}},
                **quiet,
            )
    except (OSError, ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())[:160]
        raise UnusableInput(
            f"no Ray cluster answers at {where or 'this machine'} ({text}); "
            "check --ray-address, or leave it out to use this machine"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raise `OSError` where nothing listens at `host:port`, which Ray itself would try for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
