"""Runs that go on where an interrupted one stopped: what they keep, and when it may be used again."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from realign_core import __version__
from realign_core.load.atomic import clear_partial
from realign_core.load.filestates import FileStates
from realign_core.load.keeper import RUN_FILE, Keeper
from realign_core.load.places import refuse_url
from realign_core.validation import UnusableInput, check_choice, check_count

UNFINISHED = ".gapscope"
"""The folder inside an output folder that holds what a run has gathered; it goes with the end of the run."""

LOCK = ".lock"

SHARD_SUFFIXES = (".npy", ".npz", ".safetensors", ".parquet")
# What does not change the numbers that are gathered.
OF_NO_EFFECT = frozenset(
    ("run", "checkpoint", "out", "save_aligner", "json", "html", "csv", "engine", "ray_address")
)


def is_folder(out: str) -> bool:
    """Whether an output is a folder of shards: it is one, or ends like one."""
    return out.endswith(("/", os.sep)) or os.path.isdir(out)


def check_shards(options: argparse.Namespace) -> None:
    """Raise `UnusableInput` where the output folder, or how it is cut, cannot be used."""
    if options.shard_rows is not None:
        check_count("--shard-rows", options.shard_rows)
    check_choice("--shard-format", options.shard_format, tuple(part[1:] for part in SHARD_SUFFIXES))
    folder = options.out
    refuse_url(folder)
    if options.engine == "ray" and options.shard_format != "npy":
        raise UnusableInput("--engine ray writes .npy shards; leave out --shard-format")
    parent = os.path.dirname(os.path.realpath(folder))
    if os.path.isfile(os.path.realpath(folder)):
        raise UnusableInput(f"--out {folder} ends like a folder, but is a file; name another")
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK):
        raise UnusableInput(f"--out {folder} cannot be made: {parent} is no writable folder")
    if options.checkpoint is not None:
        raise UnusableInput("an --out that is a folder keeps its own checkpoint; leave out --checkpoint")
    out = os.path.join(os.path.realpath(folder), "")
    if options.save_aligner and os.path.join(os.path.realpath(options.save_aligner), "").startswith(out):
        raise UnusableInput(
            f"--save-aligner {options.save_aligner} lies in --out {folder}; name another folder"
        )
    for given in (options.target, options.source):
        if given is not None and os.path.join(os.path.realpath(given), "").startswith(out):
            raise UnusableInput(f"--out {folder} is an input; name another folder")
    if not os.path.isdir(folder):
        return
    inside = set(os.listdir(folder)) - {UNFINISHED}
    suffix = f".{options.shard_format}"
    foreign = {name for name in inside if not name.endswith((suffix, ".part"))}
    if foreign or (inside and not os.path.isfile(os.path.join(folder, UNFINISHED, RUN_FILE))):
        raise UnusableInput(
            f"--out {folder} holds {sorted(foreign or inside)[0]}, which no unfinished run has left there; "
            "name a new or empty folder"
        )


def keeper_for(options: argparse.Namespace, command: str, folder: str) -> Keeper:
    """Who keeps the passes of this run in `folder`; what is there must be of the same run."""
    refuse_url(folder, "checkpoints are")
    run: dict[str, Any] = {"command": command, "version": __version__}
    for name in ("target", "source"):
        path = getattr(options, name)
        run[name] = None if path is None else FileStates.of((path,)).described
    for name, value in sorted(vars(options).items()):
        if name not in OF_NO_EFFECT and name not in run:
            run[f"--{name.replace('_', '-')}"] = list(value) if isinstance(value, Sequence | set) else value
    if getattr(options, "load_aligner", None):
        inside = sorted(os.listdir(options.load_aligner))
        aligner = FileStates.of_files(os.path.join(options.load_aligner, name) for name in inside)
        run["--load-aligner"] = aligner.described
    run["--plugin"] = FileStates.of_files(_source_of(module) for module in options.plugin).described
    return Keeper(folder, run)


def _source_of(module: str) -> str:
    """The file of a plugin, which has been imported."""
    return sys.modules[module].__file__ or module


@contextmanager
def alone_in(folder: str) -> Iterator[None]:
    """Raise `UnusableInput` where another run uses the folder at this moment; a run that died does not."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(os.path.join(folder, LOCK), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UnusableInput(
                f"another run is using {folder} now; wait for it, or name another folder"
            ) from error
        yield


def finished(folder: str) -> None:
    """Remove what a run that has ended kept in its output folder, and half-written shards of killed ones."""
    clear_partial(folder, os.listdir(folder))
    shutil.rmtree(os.path.join(folder, UNFINISHED), ignore_errors=True)
