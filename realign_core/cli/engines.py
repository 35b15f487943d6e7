"""Who reads the rows of a command: this process, or the workers of a Ray cluster."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from realign_core.cli.progress import say
from realign_core.load import Batches
from realign_core.load.filed import files_of
from realign_core.load.keeper import Keeper, state_of_files
from realign_core.load.sides import scanned_by
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
        from realign_core.passes import summed_by

        engine = RayEngine()
        with summed_by(engine), scanned_by(engine.scan):
            yield


def names_folder(options: argparse.Namespace) -> bool:
    """Whether `--out` names a folder for shards: one that is there, or a path without a suffix."""
    out = options.out
    return options.engine == "ray" and bool(out) and (os.path.isdir(out) or not os.path.splitext(out)[1])


def check_shard_folder(options: argparse.Namespace) -> None:
    """Raise `UnusableInput` for a folder that cannot take shards, or holds the rows that are read."""
    out = os.path.realpath(options.out)
    parent = os.path.dirname(out)
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK):
        raise UnusableInput(f"--out {options.out} cannot be written: {parent} is no writable folder")
    for given in (options.target, options.source):
        if given is not None and (os.path.realpath(given) + os.sep).startswith(out + os.sep):
            raise UnusableInput(f"--out {options.out} is an input; name another folder")


def write_folder(options: argparse.Namespace, method: Any, rows: Batches) -> int:
    """Write the mapped rows as shards of the folder `--out`, and go on where a run like this was stopped.

    Returns the number of shards.
    """
    from realign_core.engine.writer import write_shards

    files = [file.path for _, file in files_of(rows.source) or ()]
    # The folder says which run it belongs to, so that shards of two methods never stand side by side.
    given = ("method", "target", "max_rows", "seed", "c3_sigma", "energy", "blockwise_shrinkage")
    settings = {name: getattr(options, name) for name in (*given, "no_normalize", "load_aligner")}
    Keeper(options.out, {"settings": settings, "source": state_of_files(files)})
    return write_shards(method, rows, options.out)
