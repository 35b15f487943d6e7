"""A fitted method as a folder: `aligner.json` (name, settings, numbers) and `arrays.safetensors`."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from realign_core.validation import UnusableInput

FORMAT = "gapscope aligner"
VERSION = 1
RECORD = "aligner.json"
ARRAYS = "arrays.safetensors"


def write_aligner(folder: str | Path, name: str, settings: dict[str, Any], learnt: dict[str, Any]) -> None:
    """Write a method beside its final place and rename it, so that no half-written folder is ever seen.

    An earlier aligner at `folder` is replaced. Raises `UnusableInput` where the folder holds anything
    else, cannot be written, or a value is no tensor, number, text or None.
    """
    folder = Path(folder)
    check_replaceable(folder)
    # The format refuses tensors that share memory, and two learnt values may be one tensor.
    arrays = {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in learnt.items()
        if isinstance(value, Tensor)
    }
    values = {key: value for key, value in learnt.items() if key not in arrays}
    record = {
        "format": FORMAT,
        "version": VERSION,
        "name": name,
        "settings": settings,
        "values": values,
        "shapes": {key: list(value.shape) for key, value in arrays.items()},
    }
    try:
        text = json.dumps(record, indent=1, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UnusableInput(
            f"{name} cannot be saved: {error}; what it learns must be tensors, finite numbers or text"
        ) from None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise UnusableInput(f"{folder} cannot be written: {error.strerror}; choose another folder") from None
    try:
        (staging / RECORD).write_text(text + "\n", encoding="utf-8")
        save_file(arrays, staging / ARRAYS)
        # mkdtemp and safetensors make private ones; these get the permissions of any new folder and file.
        mask = os.umask(0)
        os.umask(mask)
        staging.chmod(0o777 & ~mask)
        for name in (RECORD, ARRAYS):
            (staging / name).chmod(0o666 & ~mask)
        _replace(folder, staging)
    except OSError as error:
        raise UnusableInput(f"{folder} cannot be written: {error.strerror}; choose another folder") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace(folder: Path, staging: Path) -> None:
    old = staging.with_name(staging.name + "-old")
    if folder.exists():
        folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def check_replaceable(folder: str | Path) -> None:
    """Raise `UnusableInput` where `folder` is a file, or a folder with anything but a saved aligner in it."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UnusableInput(f"{folder} is a file; name a folder for the aligner")
    if folder.is_dir() and {entry.name for entry in folder.iterdir()} - {RECORD, ARRAYS}:
        raise UnusableInput(f"{folder} holds other files; name a new or empty folder for the aligner")


def read_aligner(folder: str | Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name, settings and learnt values of a saved method.

    Raises `UnusableInput` where a file is missing, is not what this module writes, or the two disagree.
    """
    folder = Path(folder)
    for name in (RECORD, ARRAYS):
        if not (folder / name).is_file():
            raise UnusableInput(f"{folder} has no {name}; name a folder that a method was saved to")
    record = _record(folder / RECORD)
    try:
        arrays = load_file(folder / ARRAYS)
    except (SafetensorError, OSError, ValueError) as error:
        raise UnusableInput(f"{folder / ARRAYS} is damaged ({error}); save the method again") from None
    shapes = {key: list(value.shape) for key, value in arrays.items()}
    if shapes != record["shapes"]:
        raise UnusableInput(f"{folder}: {ARRAYS} and {RECORD} do not belong together; save the method again")
    for key, value in arrays.items():
        if not value.is_floating_point() or not bool(torch.isfinite(value).all()):
            raise UnusableInput(
                f"{folder / ARRAYS}: {key} holds values that are not finite; save the method again"
            )
    return record["name"], record["settings"], {**record["values"], **arrays}


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableInput(f"{path} is damaged ({error}); save the method again") from None
    kinds = {"name": str, "settings": dict, "values": dict, "shapes": dict}
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise UnusableInput(f"{path} is not a saved method; name a folder that a method was saved to")
    if record.get("version") != VERSION:
        raise UnusableInput(
            f"{path} has version {record.get('version')!r}; this program reads version {VERSION}"
        )
    for key, kind in kinds.items():
        if not isinstance(record.get(key), kind):
            raise UnusableInput(f"{path} lacks a usable {key!r}; save the method again")
    return record
