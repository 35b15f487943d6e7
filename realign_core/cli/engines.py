"""Who reads the rows of a command: this process, or the workers of a Ray cluster."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from realign_core.cli.progress import say
from realign_core.load import Batches
from realign_core.load.passes import summed_by
from realign_core.validation import UnusableInput


def check_engine(options: argparse.Namespace) -> None:
    """Raise `UnusableInput` for an engine that is not installed, or that the other options do not fit."""
    if options.engine == "local":
        if options.ray_address is not None:
            raise UnusableInput("--ray-address belongs to --engine ray; add that, or leave it out")
        return
    if find_spec("ray") is None:
        raise UnusableInput("--engine ray needs Ray: pip install -r requirements-distributed.txt")
    device = getattr(options, "device", "cpu")
    if device not in ("auto", "cpu"):
        raise UnusableInput(
            f"--engine ray sums on the processors of its workers; leave out --device {device}"
        )
    # What the driver's GPU offers, the workers' machines may not have.
    options.device = "cpu"


@contextmanager
def read_by(options: argparse.Namespace) -> Iterator[None]:
    """Within this context rows of files are scanned and summed by the engine that the options name."""
    if options.engine == "local":
        yield
        return
    from realign_core.engine.cluster import joined

    with joined(options.ray_address, lambda text: say(f"note: {text}")):
        from realign_core.engine.ray_engine import RayEngine

        with summed_by(RayEngine()):
            yield


def write_folder(options: argparse.Namespace, method: Any, rows: Batches, ids: Any) -> int:
    """Write the mapped rows as shards of the folder `--out`; the number of shards."""
    if options.engine == "ray":
        from realign_core.engine.writer import write_shards as write_on_cluster

        return write_on_cluster(method, rows, options.out, shard_rows=options.shard_rows)
    from realign_core.alignment.output import write_shards

    suffix = f".{options.shard_format}"
    return write_shards(options.out, method, rows, ids, shard_rows=options.shard_rows, suffix=suffix)
