"""`train`: train a small contrastive model on drawn scenes, leaving snapshots of a held-out probe set."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from realign_core.cli.progress import Progress
from realign_core.load.places import refuse_url
from realign_core.training.settings import ModelSize, Settings
from realign_core.training.snapshots import RECORD, read_record
from realign_core.validation import UnusableInput

GIVEN = ("steps", "batch", "every", "probe", "pool", "seed", "learning_rate")


def run(options: argparse.Namespace) -> None:
    """Check, train, and say what was reached."""
    settings = _settings(options)
    from realign_core.training.loop import train

    device = _device(options.device)
    with closing(Progress()) as progress, _noticed() as asked:
        record = train(
            settings,
            options.out,
            device=device,
            resume=options.resume,
            say=progress,
            stop=lambda: bool(asked),
        )
    if not record["finished"]:
        print(f"stopped at step {record['step']} of {settings.steps}; go on with --resume")
        raise KeyboardInterrupt
    last = record["history"][-1]
    print(
        f"{options.out}: {last['step']} steps, probe loss {last['loss']:.3f}, recall@1 "
        f"{last['recall_at_1']:.1%} image to text, {last['recall_at_1_reverse']:.1%} text to image "
        f"(chance {record['chance']:.2%})"
    )


def _settings(options: argparse.Namespace) -> Settings:
    """The settings as given, or those of the run to go on with."""
    if not options.out:
        raise UnusableInput("--out is empty; name a folder")
    if "\0" in options.out:
        raise UnusableInput(f"--out {options.out!r} is no path; name a folder")
    refuse_url(options.out, "a run is")
    given = {name: value for name in GIVEN if (value := getattr(options, name)) is not None}
    settings = replace(Settings(), **given).check()
    if os.path.exists(options.out) and not os.path.isdir(options.out):
        raise UnusableInput(f"--out {options.out} is a file; name a folder")
    held = os.listdir(options.out) if os.path.isdir(options.out) else []
    if not options.resume:
        if held:
            raise UnusableInput(
                f"--out {options.out} is not empty; name a new folder, or go on with its run by --resume"
            )
        _make(options.out)
        return settings
    saved = _saved(options.out)
    for name, value in given.items():
        if getattr(saved, name) != value:
            option = f"--{name.replace('_', '-')}"
            raise UnusableInput(
                f"{option} is {value}, and the run in {options.out} began with {getattr(saved, name)}; "
                f"leave {option} out to go on with it"
            )
    return saved


def _make(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise UnusableInput(
            f"--out {folder} cannot be made: {error.strerror or error}; choose another place"
        ) from error


def _saved(folder: str) -> Settings:
    if not os.path.isdir(folder):
        raise UnusableInput(f"--resume: {folder} is no folder; name the one that the run was begun in")
    saved = read_record(folder).get("settings")
    if not isinstance(saved, dict):
        raise UnusableInput(
            f"--resume: {os.path.join(folder, RECORD)} tells of no run; begin one in a new folder"
        )
    return _rebuilt(saved, folder)


def _rebuilt(saved: dict[str, Any], folder: str) -> Settings:
    try:
        settings = Settings(**{**saved, "model": ModelSize(**saved["model"])})
    except (TypeError, KeyError) as error:
        raise UnusableInput(
            f"--resume: {os.path.join(folder, RECORD)} holds other settings than this version's; begin anew"
        ) from error
    try:
        return settings.check()
    except UnusableInput as error:
        path = os.path.join(folder, RECORD)
        raise UnusableInput(f"--resume: {path}: settings: {error}, or begin anew in a new folder") from error


def _device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UnusableInput("--device is cuda, and torch finds no GPU here; use --device cpu")
    return name


@contextmanager
def _noticed() -> Iterator[list[int]]:
    """A list that is filled by the first Ctrl-C or request to end: the step in hand is finished and saved.

    A second one interrupts at once; the checkpoint of the last snapshot is there to go on from.
    """
    asked: list[int] = []

    def notice(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, notice) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
