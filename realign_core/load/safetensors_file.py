"""`.safetensors`: the JSON header is parsed and checked here, the tensors are mapped."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import numpy as np

from realign_core.load.members import Contents, Member, check_shape
from realign_core.load.npy import mapped_member
from realign_core.load.places import open_binary, size_of
from realign_core.load.provenance import METADATA_KEY, parsed
from realign_core.validation import UnusableInput

LARGEST_HEADER = 100 << 20
# Stored type, the NumPy type of its bits, and the name it goes by.
TYPES = {
    "F64": ("<f8", "float64"),
    "F32": ("<f4", "float32"),
    "F16": ("<f2", "float16"),
    "BF16": ("<u2", "bfloat16"),
    "I64": ("<i8", "int64"),
    "I32": ("<i4", "int32"),
    "I16": ("<i2", "int16"),
    "I8": ("i1", "int8"),
    "U64": ("<u8", "uint64"),
    "U32": ("<u4", "uint32"),
    "U16": ("<u2", "uint16"),
    "U8": ("u1", "uint8"),
    "BOOL": ("?", "bool"),
    "C64": ("<c8", "complex64"),
}


def contents(path: str) -> Contents:
    """The tensors of a file, by name."""
    size = size_of(path)
    with open_binary(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LARGEST_HEADER):
            raise UnusableInput(f"{path} is not a whole .safetensors file: its header does not fit in it")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError) as error:
            raise UnusableInput(f"{path} is not a .safetensors file: its header is no JSON") from error
    if not isinstance(header, dict):
        raise UnusableInput(f"{path} is not a .safetensors file: its header lists no tensors")
    beside = header.pop("__metadata__", None)
    data = size - 8 - length
    members = tuple(_member(path, key, entry, 8 + length, data) for key, entry in header.items())
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if end != data:
        raise UnusableInput(f"{path} has {data} bytes of tensors, its header declares {end}; write it again")
    text = beside.get(METADATA_KEY) if isinstance(beside, dict) else None
    return Contents(path, "safetensors", members, provenance=lambda: parsed(text))


def _member(path: str, key: str, entry: Any, start: int, available: int) -> Member:
    name = f"{path}:{key}"
    try:
        dtype, shape, (low, high) = entry["dtype"], entry["shape"], entry["data_offsets"]
        sound = all(type(number) is int for number in (*shape, low, high)) and 0 <= low <= high
    except (TypeError, KeyError, ValueError) as error:
        raise UnusableInput(f"{name} has a damaged header entry; write the file again") from error
    if not sound:
        raise UnusableInput(f"{name} has a damaged header entry; write the file again")
    check_shape(name, shape)
    bits, known = TYPES.get(dtype, (None, None)) if isinstance(dtype, str) else (None, None)
    if bits is None:
        return Member(key, tuple(shape), str(dtype), _unreadable)
    declared = math.prod(shape) * np.dtype(bits).itemsize
    if declared != high - low or high > available:
        raise UnusableInput(
            f"{name} declares {declared} bytes of {known} {tuple(shape)}, "
            f"{max(0, min(high, available) - low)} are there; write the file again"
        )
    return mapped_member(key, path, tuple(shape), np.dtype(bits), start + low, name=known)


def _unreadable(part: int | None) -> NoReturn:
    raise UnusableInput("the tensor's type is not supported; save it as float32")
