"""`.pt` and `.pth`: the pickle inside names tensors, whose storages are mapped. torch is not needed.

Only tensors in plain containers are read, as `torch.load(weights_only=True)` does; anything else that
the pickle names is refused and nothing of it is run.
"""

from __future__ import annotations

import io
import mmap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from realign_core.load.arrays import ArrayRows, mapping_under
from realign_core.load.batches import RowSource
from realign_core.load.faults import LEGACY_TORCH, reading
from realign_core.load.members import Contents, Member, check_shape
from realign_core.load.npz import data_offset
from realign_core.load.pickles import NUMPY_NAMES, PickledArray, SafeUnpickler
from realign_core.validation import UnusableInput

LARGEST_PICKLE = 64 << 20
# Storage class: NumPy type of its bits, and the name it goes by.
STORAGES = {
    "HalfStorage": ("<f2", "float16"),
    "BFloat16Storage": ("<u2", "bfloat16"),
    "FloatStorage": ("<f4", "float32"),
    "DoubleStorage": ("<f8", "float64"),
    "LongStorage": ("<i8", "int64"),
    "IntStorage": ("<i4", "int32"),
    "ShortStorage": ("<i2", "int16"),
    "CharStorage": ("i1", "int8"),
    "ByteStorage": ("u1", "uint8"),
    "BoolStorage": ("?", "bool"),
    "ComplexFloatStorage": ("<c8", "complex64"),
    "ComplexDoubleStorage": ("<c16", "complex128"),
}


@dataclass(frozen=True)
class StorageType:
    """Stands for a storage class of torch."""

    bits: np.dtype
    name: str


@dataclass(frozen=True)
class Storage:
    """A storage that a tensor refers to: its key in the file and how many numbers it holds."""

    type: StorageType
    key: str
    count: int


@dataclass(frozen=True)
class PickledTensor:
    """Stands for a tensor: a strided view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild(storage: Any, offset: int, shape: tuple, strides: tuple, *_: Any) -> PickledTensor:
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or not all(type(n) is int and n >= 0 for n in numbers):
        raise UnusableInput("a tensor has a damaged shape; save the file again")
    return PickledTensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(data: PickledTensor, *_: Any) -> PickledTensor:
    return data


def _ignored(*_: Any) -> None:
    return None


NAMES: dict[tuple[str, str], Any] = {
    **NUMPY_NAMES,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch._utils", "_rebuild_tensor"): _rebuild,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch", "Size"): tuple,
    ("torch", "device"): _ignored,
}
for _class, (_bits, _name) in STORAGES.items():
    NAMES["torch", _class] = StorageType(np.dtype(_bits), _name)


class TorchUnpickler(SafeUnpickler):
    """Reads the pickle of a torch file; storages are noted, not loaded."""

    def persistent_load(self, pid: Any) -> Storage:
        kind, storage, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(storage, StorageType) or type(count) is not int or count < 0:
            raise UnusableInput(f"{self.name} refers to a storage of an unknown type; save it as float32")
        return Storage(storage, str(key), count)


def contents(path: str) -> Contents:
    """The tensors of a file, by key; nested containers give keys joined with dots."""
    with open(path, "rb") as file:
        legacy = file.read(len(LEGACY_TORCH)) == LEGACY_TORCH
    value, offsets = _read_legacy(path) if legacy else _read_zip(path)
    members = tuple(_member(path, key, tensor, offsets) for key, tensor in _walk(None, value, depth=0))
    if not members:
        raise UnusableInput(f"{path} holds no tensor; save a tensor or a dict of tensors")
    return Contents(path, "torch", members)


def _read_zip(path: str) -> tuple[Any, Callable[[Storage], int]]:
    with zipfile.ZipFile(path) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        main = next((name for name in infos if name.endswith("/data.pkl") or name == "data.pkl"), None)
        if main is None:
            raise UnusableInput(
                f"{path} is a zip archive but no torch file; give it the suffix .npz if it is one"
            )
        root = main.removesuffix("data.pkl")
        if infos[main].file_size > LARGEST_PICKLE:
            raise UnusableInput(f"{path} lists too many tensors; save the one that is needed")
        order = infos.get(f"{root}byteorder")
        if order is not None and archive.read(order)[:16].strip() != b"little":
            raise UnusableInput(f"{path} was written on a big-endian machine; save it again on this one")
        with archive.open(main) as file:
            value = TorchUnpickler(io.BytesIO(file.read(LARGEST_PICKLE)), path, NAMES).load()

    def offset_of(storage: Storage) -> int:
        info = infos.get(f"{root}data/{storage.key}")
        if info is None:
            raise UnusableInput(f"{path} lacks the storage {storage.key!r} of a tensor; save it again")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise UnusableInput(f"{path} was packed again after saving; save it with torch.save")
        _check_storage(path, storage, info.file_size)
        return data_offset(path, info)

    return value, offset_of


def _read_legacy(path: str) -> tuple[Any, Callable[[Storage], int]]:
    storages: dict[str, Storage] = {}

    class Noting(TorchUnpickler):
        def persistent_load(self, pid: Any) -> Storage:
            storage = super().persistent_load(pid)
            return storages.setdefault(storage.key, storage)

    offsets: dict[str, int] = {}
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        # Magic number, protocol and system, the value, then the storages' keys in order of their data.
        for _ in range(2):
            SafeUnpickler(mapped, path, {}).load()
        if not SafeUnpickler(mapped, path, {}).load().get("little_endian", True):
            raise UnusableInput(f"{path} was written on a big-endian machine; save it again on this one")
        value = Noting(mapped, path, NAMES).load()
        keys = SafeUnpickler(mapped, path, {}).load()
        position = mapped.tell()
        for key in keys:
            count = int.from_bytes(mapped[position : position + 8], "little")
            storage = storages.get(str(key))
            if storage is None or count != storage.count:
                raise UnusableInput(f"{path} has damaged storages; save it again")
            _check_storage(path, storage, len(mapped) - position - 8)
            offsets[str(key)] = position + 8
            position += 8 + count * storage.type.bits.itemsize

    def offset_of(storage: Storage) -> int:
        if storage.key not in offsets:
            raise UnusableInput(f"{path} lacks the storage {storage.key!r} of a tensor; save it again")
        return offsets[storage.key]

    return value, offset_of


def _check_storage(path: str, storage: Storage, available: int) -> None:
    declared = storage.count * storage.type.bits.itemsize
    if declared > available:
        raise UnusableInput(
            f"{path} is cut short: a tensor declares {declared} bytes of {storage.type.name}, "
            f"{available} are there; save it again"
        )


def _walk(key: str | None, value: Any, *, depth: int) -> Iterator[tuple[str | None, PickledTensor]]:
    if isinstance(value, PickledTensor):
        yield key, value
    elif isinstance(value, PickledArray):
        raise UnusableInput("a .pt file with NumPy arrays inside; save tensors, or the arrays as .npz")
    elif isinstance(value, (dict, list, tuple)) and depth < 4:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            inner = str(name) if key is None else f"{key}.{name}"
            yield from _walk(inner, item, depth=depth + 1)


def _member(path: str, key: str | None, tensor: PickledTensor, offset_of: Callable[[Storage], int]) -> Member:
    name = path if key is None else f"{path}:{key}"
    check_shape(name, tensor.shape)
    reach = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True)) + 1
    count = int(np.prod(tensor.shape, dtype=object))
    storage = tensor.storage
    if 0 not in tensor.shape and (reach > storage.count or count > storage.count):
        raise UnusableInput(
            f"{name} declares {count} numbers, shape {tensor.shape}, over {storage.count} stored ones; "
            "save it again (tensor.contiguous() first, if it was expanded)"
        )
    start = offset_of(storage)
    bits = storage.type.bits

    def rows(part: int | None) -> RowSource:
        with reading(path):
            flat = np.memmap(path, dtype=bits, mode="r", offset=start, shape=(storage.count,))
        strides = tuple(stride * bits.itemsize for stride in tensor.strides)
        view = np.lib.stride_tricks.as_strided(np.asarray(flat)[tensor.offset :], tensor.shape, strides)
        array = view if part is None else view[part]
        return ArrayRows(array, dtype=storage.type.name, mapped=mapping_under(flat), name=path)

    kind = "f" if storage.type.name == "bfloat16" else bits.kind
    return Member(key, tensor.shape, storage.type.name, rows, kind)
