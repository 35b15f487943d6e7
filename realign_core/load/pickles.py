"""Pickles read without running anything they name.

Every name that a pickle refers to is looked up in a short table of stand-ins written here, so neither NumPy
nor torch nor any other code sees the pickle's arguments. Python's own `pickle._Unpickler` is used rather
than the C one, since that reserves memory for whatever index a hostile pickle mentions.
"""

from __future__ import annotations

import math
import mmap
import pickle
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np

from realign_core.load.faults import reading
from realign_core.validation import UnusableInput

READABLE_KINDS = "fiubcUS"


class PickledType:
    """Stands for `numpy.dtype`: the code and byte order, nothing else."""

    def __init__(self, code: str, *_: Any):
        self.code = code if isinstance(code, str) else ""
        self.order: Literal["<", ">", "|", "="] = "<"

    def set_state(self, state: tuple) -> None:
        self.order = state[1] if state[1] in ("<", ">", "|", "=") else "<"

    def dtype(self) -> np.dtype | None:
        """The plain NumPy type, None for objects, dates and records."""
        if self.code[:1] not in READABLE_KINDS or not self.code[1:].isdigit() or len(self.code) > 8:
            return None
        return np.dtype(self.code).newbyteorder(self.order if self.order in "<>" else "=")


class PickledArray:
    """Stands for `numpy.ndarray`: shape, type and bytes as the pickle has them."""

    def __init__(self, *_: Any):
        self.shape: tuple[int, ...] = ()
        self.type: PickledType = PickledType("")
        self.fortran = False
        self.data: Any = b""

    def set_state(self, state: tuple) -> None:
        self.shape, self.type, self.fortran, self.data = state[-4:]

    def array(self, name: str) -> np.ndarray | None:
        """The array, None for one that holds objects or dates; UnusableInput where bytes are missing."""
        dtype = self.type.dtype() if isinstance(self.type, PickledType) else None
        if dtype is None or not isinstance(self.data, (bytes, bytearray)):
            return None
        shape = tuple(self.shape)
        if not all(type(size) is int and size >= 0 for size in shape):
            raise UnusableInput(f"{name} has a damaged shape; write it again")
        if math.prod(shape) * dtype.itemsize != len(self.data):
            raise UnusableInput(
                f"{name} declares {dtype.name} {shape}, {len(self.data)} bytes are there; write it again"
            )
        return np.frombuffer(self.data, dtype).reshape(shape, order="F" if self.fortran else "C")


def _from_buffer(data: Any, dtype: PickledType, shape: tuple[int, ...], order: str) -> PickledArray:
    array = PickledArray()
    array.set_state((shape, dtype, order == "F", data))
    return array


def _scalar(dtype: PickledType, data: bytes = b"") -> Any:
    plain = dtype.dtype()
    if plain is None or len(data) != plain.itemsize or not data:
        raise UnusableInput("a NumPy scalar in the pickle is no plain number or text")
    return np.frombuffer(data, plain)[0].item()


def _reconstruct(*_: Any) -> PickledArray:
    return PickledArray()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1")


NUMPY_NAMES: dict[tuple[str, str], Callable[..., Any]] = {("_codecs", "encode"): _encode}
for _core in ("numpy.core", "numpy._core"):
    NUMPY_NAMES[f"{_core}.multiarray", "_reconstruct"] = _reconstruct
    NUMPY_NAMES[f"{_core}.multiarray", "scalar"] = _scalar
    NUMPY_NAMES[f"{_core}.numeric", "_frombuffer"] = _from_buffer
NUMPY_NAMES["numpy", "ndarray"] = PickledArray
NUMPY_NAMES["numpy", "dtype"] = PickledType
NUMPY_NAMES["collections", "OrderedDict"] = dict


class SafeUnpickler(pickle._Unpickler):
    """An unpickler whose names all come from a table and that builds stand-ins and plain containers alone."""

    # The standard library's unpickler has these; what is known of its types leaves them out.
    stack: list[Any]
    read: Callable[[int], bytes]
    append: Callable[[Any], None]

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)

    def __init__(
        self, file: BinaryIO | mmap.mmap, name: str, table: Mapping[tuple[str, str], Callable[..., Any]]
    ):
        super().__init__(file, encoding="latin1")
        self.name = name
        self.table = table

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        try:
            return self.table[module, name]
        except KeyError:
            raise UnusableInput(
                f"{self.name} refers to {module}.{name}, which is neither an array nor a plain container; "
                "nothing was run; save plain float arrays instead"
            ) from None

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        if not any(self.stack[-1] is known for known in self.table.values()):
            raise UnusableInput(f"{self.name} calls something that is no array; nothing was run")
        self.stack[-1] = self.stack[-1](*arguments)

    def load_build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], dict):
            # The attributes of an OrderedDict, such as the version notes of a state dict.
            return
        if not isinstance(self.stack[-1], (PickledArray, PickledType)):
            raise UnusableInput(f"{self.name} sets the state of something that is no array; nothing was run")
        self.stack[-1].set_state(state)

    def load_bytearray8(self) -> None:
        size = int.from_bytes(self.read(8), "little")
        data = self.read(size)
        if len(data) != size:
            raise EOFError("the pickle is cut short")
        self.append(data)

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    # These make objects in other ways than the two above; no array needs them.
    for _code in (
        pickle.INST,
        pickle.OBJ,
        pickle.NEWOBJ,
        pickle.NEWOBJ_EX,
        pickle.EXT1,
        pickle.EXT2,
        pickle.EXT4,
    ):
        dispatch.pop(_code[0])


def load_pickle(path: str) -> Any:
    """The object in a pickle file: plain containers, numbers, text and `PickledArray`."""
    with (
        reading(path),
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        return SafeUnpickler(mapped, path, NUMPY_NAMES).load()
