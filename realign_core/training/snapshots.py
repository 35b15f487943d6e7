"""Snapshots of a training run, and the folder that holds them; any training loop may write one.

A folder holds `step_000100.npz`, one file a snapshot, the number being the optimiser step, with the arrays

    image_embeddings, text_embeddings
        (n, d) float16 or float32, unit rows; row i of the one pairs with row i of the other; n and d are the
        same in every snapshot
    image_grads, text_grads
        (m, d), optional, both or neither: the gradient of the loss, a mean over a batch of m pairs, by each
        of that batch's unit embeddings
    step, loss, recall_at_1, recall_at_1_reverse, logit_scale, learning_rate
        optional scalars: the loss on the m pairs, the share of images whose own text is nearest, that of
        texts whose own image is, the inverse temperature

and optionally `record.json`: settings, seed, versions, and the history of loss and retrieval.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from realign_core.load.atomic import atomic_file, atomic_text, unwritable
from realign_core.load.faults import first_line
from realign_core.load.npy import check_bytes, read_header
from realign_core.validation import UnusableInput

RECORD = "record.json"
NAME = re.compile(r"step_(\d+)\.npz")
SCALARS = ("loss", "recall_at_1", "recall_at_1_reverse", "logit_scale", "learning_rate")
UNIT_TOLERANCE = 1e-2
"""How far from 1 a row's norm may lie; float16 rounds it by less than 1e-3."""
FLOATS = ("float16", "float32", "float64")
LARGEST_WHOLE = 2**63 - 1
"""No count or seed of a record is larger; Python would read one of thousands of digits."""


@dataclass(frozen=True)
class Snapshot:
    """One probe of a run; the fields are those of the file, described above."""

    step: int
    image_embeddings: np.ndarray
    text_embeddings: np.ndarray
    image_grads: np.ndarray | None = None
    text_grads: np.ndarray | None = None
    loss: float | None = None
    recall_at_1: float | None = None
    recall_at_1_reverse: float | None = None
    logit_scale: float | None = None
    learning_rate: float | None = None


@dataclass(frozen=True)
class SnapshotFolder:
    """The snapshots of a folder, in order of their steps; iterating reads one at a time.

    `record` is what `record.json` holds, empty where there is none.
    """

    folder: str
    steps: tuple[int, ...]
    record: dict[str, Any]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Snapshot]:
        """Read and check every snapshot; UnusableInput where their shapes differ."""
        first: Snapshot | None = None
        for name in self.names:
            snapshot = read_snapshot(os.path.join(self.folder, name))
            if first is None:
                first = snapshot
            shape, wanted = snapshot.image_embeddings.shape, first.image_embeddings.shape
            if shape != wanted:
                raise UnusableInput(
                    f"{os.path.join(self.folder, name)} holds embeddings of shape {shape}, and "
                    f"{self.names[0]} {wanted}; every snapshot must embed the same probe set"
                )
            yield snapshot


def snapshot_name(step: int) -> str:
    """File name of the snapshot at a step."""
    return f"step_{step:06d}.npz"


def write_snapshot(folder: str | os.PathLike, snapshot: Snapshot) -> str:
    """Write one snapshot whole or not at all; returns its path."""
    path = os.path.join(folder, snapshot_name(snapshot.step))
    arrays = {
        field.name: np.asarray(value)
        for field in fields(snapshot)
        if (value := getattr(snapshot, field.name)) is not None
    }
    try:
        with atomic_file(path) as file:
            np.savez(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def write_record(folder: str | os.PathLike, record: dict[str, Any]) -> None:
    """Write `record.json` whole or not at all."""
    atomic_text(os.path.join(folder, RECORD), json.dumps(record, indent=1) + "\n")


def open_snapshots(folder: str | os.PathLike) -> SnapshotFolder:
    """The snapshots of a folder; UnusableInput where it is none, holds none, or its record is no JSON."""
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        raise UnusableInput(f"{folder} is no folder; name one that holds snapshots such as step_000100.npz")
    found: dict[int, str] = {}
    for name in sorted(os.listdir(folder)):
        if match := NAME.fullmatch(name):
            step = int(match[1])
            if step in found:
                raise UnusableInput(f"{folder} holds {found[step]} and {name}, the same step; keep one")
            found[step] = name
    if not found:
        raise UnusableInput(f"{folder} holds no snapshots; they are files such as step_000100.npz")
    steps = tuple(sorted(found))
    return SnapshotFolder(folder, steps, read_record(folder), tuple(found[step] for step in steps))


def read_record(folder: str | os.PathLike) -> dict[str, Any]:
    """What `record.json` of a folder holds, empty where there is none."""
    path = os.path.join(folder, RECORD)
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file, parse_int=_whole)
    except FileNotFoundError:
        return {}
    except RecursionError as error:
        raise UnusableInput(f"{path} nests its values too deeply; mend or remove it") from error
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path} cannot be read as JSON: {error}; mend or remove it") from error
    if not isinstance(record, dict):
        raise UnusableInput(f"{path} holds no JSON object; mend or remove it")
    return record


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > LARGEST_WHOLE:
        raise ValueError(f"a whole number of {len(digits)} digits is too large")
    return int(digits)


def read_snapshot(path: str | os.PathLike) -> Snapshot:
    """Read and check one snapshot; UnusableInput names the file, the array and what is wrong with it."""
    path = os.fspath(path)
    arrays = _arrays(path)
    missing = [name for name in ("image_embeddings", "text_embeddings") if name not in arrays]
    if missing:
        raise UnusableInput(
            f"{path} lacks {' and '.join(missing)}; a snapshot needs image_embeddings and text_embeddings"
        )
    for one, other in (("image_embeddings", "text_embeddings"), ("image_grads", "text_grads")):
        _check_two(path, arrays, one, other)
    rows, grads = arrays["image_embeddings"], arrays.get("image_grads")
    if grads is not None and grads.shape[1] != rows.shape[1]:
        raise UnusableInput(
            f"{path}: image_grads has dimension {grads.shape[1]} and image_embeddings {rows.shape[1]}; "
            "gradients belong to the embeddings"
        )
    for name in ("image_embeddings", "text_embeddings"):
        norms = np.linalg.norm(arrays[name].astype(np.float64), axis=1)
        worst = int(np.argmax(abs(norms - 1)))
        if abs(norms[worst] - 1) > UNIT_TOLERANCE:
            raise UnusableInput(
                f"{path}: row {worst} of {name} has norm {norms[worst]:.4g}; divide the rows by their norms"
            )
    scalars = {name: _scalar(path, name, arrays[name]) for name in SCALARS if name in arrays}
    return Snapshot(
        step=_step(path, arrays.get("step")),
        image_embeddings=rows,
        text_embeddings=arrays["text_embeddings"],
        image_grads=grads,
        text_grads=arrays.get("text_grads"),
        **scalars,
    )


def _arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays of a snapshot that are in the file."""
    wanted = {f"{field.name}.npy": field.name for field in fields(Snapshot)}
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if (name := wanted.get(info.filename)) is not None:
                    found[name] = _array(archive, info, f"{path}:{name}")
    except UnusableInput:
        raise
    except Exception as error:
        # The bytes may come from anywhere, and zip, its packings and NumPy raise errors of many kinds.
        raise UnusableInput(
            f"{path} cannot be read as .npz of plain arrays ({first_line(error)}); write it with numpy.savez"
        ) from error
    return found


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> np.ndarray:
    with archive.open(info) as file:
        shape, _, dtype = read_header(file, name)
        if not dtype.hasobject:
            # Before room is made for what a damaged header declares.
            check_bytes(name, shape, dtype, info.file_size - file.tell())
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _check_two(path: str, arrays: dict[str, np.ndarray], one: str, other: str) -> None:
    for name, partner in ((one, other), (other, one)):
        if name in arrays and partner not in arrays:
            raise UnusableInput(f"{path} holds {name} without {partner}; write both or neither")
    if one not in arrays:
        return
    for name in (one, other):
        array = arrays[name]
        if array.ndim != 2 or not array.size:
            raise UnusableInput(f"{path}: {name} has shape {array.shape}; it must be (rows, dimension)")
        if array.dtype.name not in FLOATS:
            raise UnusableInput(f"{path}: {name} holds {array.dtype}; it must hold float16, 32 or 64")
        if not (finite := np.isfinite(array).all(axis=1)).all():
            row = int(np.argmin(finite))
            raise UnusableInput(f"{path}: row {row} of {name} is not finite; leave this snapshot out")
    if arrays[one].shape != arrays[other].shape:
        raise UnusableInput(
            f"{path}: {one} has shape {arrays[one].shape} and {other} {arrays[other].shape}; row i of both "
            "must belong to pair i"
        )


def _scalar(path: str, name: str, array: np.ndarray) -> float:
    if array.size != 1 or array.dtype.kind not in "fiu" or not np.isfinite(array.astype(np.float64)).all():
        raise UnusableInput(f"{path}: {name} must be one finite number")
    return float(array.item())


def _step(path: str, array: np.ndarray | None) -> int:
    match = NAME.fullmatch(os.path.basename(path))
    if array is None:
        if match is None:
            raise UnusableInput(f"{path} names no step; call it step_000100.npz, or add the scalar step")
        return int(match[1])
    step = _scalar(path, "step", array)
    if step != int(step) or step < 0 or (match and int(match[1]) != step):
        raise UnusableInput(f"{path}: step is {step:g}; it must be the whole number in the file's name")
    return int(step)
