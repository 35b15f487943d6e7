"""What a training loop hands over, checked and brought to float64: rows, gradients, numbers, snapshots."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.load.faults import first_line
from realign_core.moments import Moments, as_tensor, float64_blocks
from realign_core.training.tracked import FIGURES
from realign_core.validation import UnusableInput

ARRAYS = ("image_embeddings", "text_embeddings", "image_grads", "text_grads")
TAKEN = (*FIGURES, "kappa_eff_u_isotropic", "kappa_eff_v_isotropic")


def paired_rows(image: Any, text: Any, *, normalize: bool) -> tuple[Tensor, Tensor]:
    """Both sets as float64 rows `(n, d)` where statistics of the image side run; unit rows if `normalize`."""
    x, y = _matrix("image_embeddings", image), _matrix("text_embeddings", text)
    if x.shape != y.shape:
        raise UnusableInput(
            f"image_embeddings are {_size(x)} and text_embeddings {_size(y)}; rows must pair, so give both "
            "the same shape"
        )
    where = _where(x.device)
    whole = (
        torch.cat(list(_blocks(name, rows, where, normalize=normalize)))
        for name, rows in (("image_embeddings", x), ("text_embeddings", y))
    )
    return next(whole), next(whole)


def gradient_moments(sides: Mapping[str, Any], dim: int, where: torch.device) -> dict[str, Moments]:
    """Moments of the gradients that are there, by modality, about their own mean."""
    found = {}
    for side, grads in sides.items():
        if grads is None:
            continue
        name = f"{side}_grads"
        rows = _matrix(name, grads)
        if rows.shape[1] != dim:
            raise UnusableInput(
                f"{name} have {rows.shape[1]} dimensions and the embeddings {dim}; give gradients with "
                "respect to the embeddings"
            )
        total: Moments | None = None
        for block in _blocks(name, rows, where, normalize=False):
            part = Moments.of(block)
            total = part if total is None else total.merge(part)
        assert total is not None, "there are at least 2 rows"
        found[side] = total
    return found


def numbers(scalars: Mapping[str, Any]) -> dict[str, float | None]:
    """The caller's own numbers as floats; a loss that is not finite stays as it is."""
    found = {}
    for name, value in scalars.items():
        if name in TAKEN:
            raise UnusableInput(f"{name} is a figure of the tracker's own; give yours another name")
        if value is not None and not _is_number(value):
            raise UnusableInput(f"{name} is {value!r}; a column takes one number a step")
        try:
            found[name] = None if value is None else float(item_of(value))
        except OverflowError:
            raise UnusableInput(f"{name} is beyond what float64 holds; give inf or leave it out") from None
    return found


def fields_of(snapshot: Any, number: int) -> dict[str, Any]:
    """Keyword arguments of `GapTracker.update` from a mapping or an object."""
    if isinstance(snapshot, Mapping):
        every = dict(snapshot)
    elif dataclasses.is_dataclass(snapshot):
        every = {entry.name: getattr(snapshot, entry.name) for entry in dataclasses.fields(snapshot)}
    else:
        every = dict(getattr(snapshot, "__dict__", {}))
    missing = [name for name in ("step", "image_embeddings", "text_embeddings") if every.get(name) is None]
    if missing:
        raise UnusableInput(
            f"snapshot {number} has no {missing[0]}; a snapshot needs step, image_embeddings and "
            "text_embeddings"
        )
    step = every.pop("step")
    arrays = {name: every.pop(name, None) for name in ARRAYS}
    scalars = {name: value for name, value in every.items() if _is_number(value) and name not in TAKEN}
    return {"step": step, **arrays, **scalars}


def _is_number(value: Any) -> bool:
    return isinstance(item_of(value), Real)


def item_of(value: Any) -> Any:
    """The number in an array or tensor of one number; anything else as it is."""
    if isinstance(value, np.ma.MaskedArray):
        return value
    return value.item() if hasattr(value, "shape") and math.prod(value.shape) == 1 else value


def _matrix(name: str, rows: Any) -> Tensor:
    if isinstance(rows, np.ma.MaskedArray):
        raise UnusableInput(
            f"{name} are a masked array; leave masked rows out of both sets and give plain rows"
        )
    try:
        rows = as_tensor(rows).detach()
    except (TypeError, ValueError) as error:
        raise UnusableInput(
            f"{name} cannot be read as numbers ({first_line(error)}); give rows (n, d)"
        ) from None
    if rows.layout != torch.strided or rows.is_nested or rows.device.type == "meta":
        raise UnusableInput(
            f"{name} are a sparse or nested tensor, or one without numbers; give dense rows (n, d)"
        )
    if rows.ndim != 2 or not rows.is_floating_point():
        kind = str(rows.dtype).removeprefix("torch.")
        raise UnusableInput(
            f"{name} are an array of shape {tuple(rows.shape)} and type {kind}; "
            "give floating-point rows (n, d)"
        )
    if rows.shape[0] < 2 or rows.shape[1] < 1:
        raise UnusableInput(f"{name} are {_size(rows)}; at least 2 rows of at least 1 number are needed")
    return rows


def _blocks(name: str, rows: Tensor, where: torch.device, *, normalize: bool) -> Iterator[Tensor]:
    # Half and single precision cross to another device before they are widened there.
    moved = rows if where == rows.device or where.type == "cpu" else rows.to(where)
    try:
        for block in float64_blocks(moved, normalize=normalize):
            yield block.to(where)
    except UnusableInput as error:
        raise UnusableInput(f"{name}: {error}") from None


def _where(device: torch.device) -> torch.device:
    return torch.device("cpu") if device.type == "mps" else device


def _size(rows: Tensor) -> str:
    return f"{rows.shape[0]} row{'' if rows.shape[0] == 1 else 's'} of {rows.shape[1]}"
