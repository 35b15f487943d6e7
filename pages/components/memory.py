"""What objects hold in memory, what they hold mapped on disk, and what the server uses as a whole."""

from __future__ import annotations

import mmap
import sys
import types
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

STATUS = Path("/proc/self/status")
SAMPLED = 1_000
"""Elements of a long list or array of objects whose mean size stands for all of them."""
# What is not walked into: it belongs to the program, not to the data.
_PROGRAM = (type, types.ModuleType, types.BuiltinFunctionType, types.CodeType, property)
_PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None), np.generic)


@dataclass(frozen=True)
class Weight:
    """Bytes of `blocks` of numbers by address, of the `mapped` files by identity, and of all `small` objects.

    An address tells a block from others for as long as somebody holds it.
    """

    small: int
    blocks: dict[int, int]
    mapped: dict[int, int]

    @property
    def memory(self) -> int:
        """Bytes in memory, without mapped files, which the system can take back at any time."""
        return self.small + sum(self.blocks.values())

    @property
    def on_disk(self) -> int:
        """Bytes of mapped files."""
        return sum(self.mapped.values())


def weigh(*values: Any, apart: Iterable[Any] = ()) -> Weight:
    """What these objects hold with all that they refer to, each thing once; not what `apart` lists.

    Numbers of arrays and tensors are exact; long lists and arrays of objects are estimated from a sample.
    """
    seen = set(map(id, apart))
    blocks: dict[int, int] = {}
    mapped: dict[int, int] = {}
    small = 0
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, _PROGRAM) or id(value) in seen:
            continue
        seen.add(id(value))
        small += sys.getsizeof(value, 64) if not isinstance(value, (np.ndarray, torch.Tensor)) else 64
        if isinstance(value, np.ndarray):
            waiting.append(_owner(value))
            if value.dtype.hasobject:
                some = value.ravel()[:: max(1, value.size // SAMPLED)]
                small += _of_many(some, value.size)
            elif value.base is None:
                blocks[value.ctypes.data] = value.nbytes
        elif isinstance(value, torch.Tensor):
            storage = value.untyped_storage()
            if value.device.type == "cpu":
                blocks[storage.data_ptr()] = storage.nbytes()
            waiting.extend(vars(value).values())
        elif isinstance(value, mmap.mmap):
            mapped[id(value)] = len(value)
        elif not isinstance(value, _PLAIN):
            inside = _inside(value)
            if len(inside) > SAMPLED and all(isinstance(one, _PLAIN) for one in inside[:SAMPLED]):
                small += _of_many(inside[:SAMPLED], len(inside))
            else:
                waiting.extend(inside)
    return Weight(small, blocks, mapped)


def _owner(array: np.ndarray) -> Any:
    """What owns the numbers of an array: an array, a tensor, or the mapping of a file."""
    base: Any = array
    while True:
        below = base.obj if isinstance(base, memoryview) else getattr(base, "base", None)
        if below is None:
            return base
        base = below


def _of_many(some: Iterable[Any], count: int) -> int:
    sizes = [sys.getsizeof(one) for one in some]
    return round(sum(sizes) / len(sizes) * count) if sizes else 0


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, types.FunctionType):
        return [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    found = list(getattr(value, "__dict__", {}).values())
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else slots
        found += [getattr(value, name) for name in names if name != "__weakref__" and hasattr(value, name)]
    if hasattr(value, "func") and hasattr(value, "args"):
        found += [value.func, *value.args, *getattr(value, "keywords", {}).values()]
    return found


def _filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def of_server() -> tuple[int, str] | None:
    """Bytes that this process uses, and in words what they are; None where the system does not say."""
    try:
        lines = STATUS.read_text().splitlines()
        for name, words in (("RssAnon", "without mapped files"), ("VmRSS", "with mapped files")):
            for line in lines:
                if line.startswith(f"{name}:"):
                    return int(line.split()[1]) * 1024, words
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024), "at its highest so far"
