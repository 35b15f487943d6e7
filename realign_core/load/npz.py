"""`.npz`: stored members are mapped in place, compressed ones are unpacked as they are read."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from realign_core.load.arrays import ArrayRows, WindowRows
from realign_core.load.batches import RowSource
from realign_core.load.members import Contents, Member, Sidecar, type_name
from realign_core.load.npy import check_bytes, mapped_member, read_header
from realign_core.load.provenance import METADATA_KEY, parsed
from realign_core.load.sidecars import sidecar_keys
from realign_core.load.spool import SpooledRows
from realign_core.validation import UnusableInput

# Deflate cannot shrink data more than 1032-fold; real embeddings shrink less than 3-fold.
LARGEST_RATIO = 200
FREE_BYTES = 64 << 20
CHUNK_BYTES = 1 << 23
LARGEST_PROVENANCE = 4 << 20


def contents(path: str) -> Contents:
    """The arrays of an archive, by key."""
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        members = tuple(_member(path, archive, info) for info in infos)

    def sidecar() -> Sidecar:
        small = {member.key: member for member in members if len(member.shape) == 1 and member.kind in "USiu"}
        with zipfile.ZipFile(path) as archive:
            return sidecar_keys({key: _column(archive, f"{path}:{key}", key) for key in small if key})

    def provenance() -> dict[str, Any] | None:
        if all(member.key != METADATA_KEY for member in members):
            return None
        with zipfile.ZipFile(path) as archive, archive.open(f"{METADATA_KEY}.npy") as file:
            text = np.lib.format.read_array(io.BytesIO(file.read(LARGEST_PROVENANCE)), allow_pickle=False)
        return parsed(str(text))

    return Contents(path, "npz", members, sidecar, provenance=provenance)


def data_offset(path: str, info: zipfile.ZipInfo) -> int:
    """Where the bytes of a stored member begin; UnusableInput unless they lie inside the file."""
    with open(path, "rb") as file:
        file.seek(info.header_offset)
        header = file.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise UnusableInput(f"{path}:{info.filename} is damaged: no entry where the archive lists it")
        name, extra = struct.unpack("<HH", header[26:30])
        offset = info.header_offset + 30 + name + extra
        if offset + info.file_size > file.seek(0, 2) or info.compress_size != info.file_size:
            raise UnusableInput(f"{path}:{info.filename} is cut short; write the file again")
    return offset


def _member(path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    key = info.filename.removesuffix(".npy")
    name = f"{path}:{key}"
    if info.flag_bits & 1:
        raise UnusableInput(f"{name} is encrypted; save it without a password")
    if info.file_size > FREE_BYTES and info.file_size > LARGEST_RATIO * info.compress_size:
        raise UnusableInput(
            f"{name} would unpack {info.compress_size} bytes to {info.file_size}, as no embeddings do; "
            "it was left packed"
        )
    with archive.open(info) as file:
        shape, fortran, dtype = read_header(file, name)
        header = file.tell()
    check_bytes(name, shape, dtype, info.file_size - header)
    if info.compress_type == zipfile.ZIP_STORED:
        return mapped_member(key, path, shape, dtype, data_offset(path, info) + header, fortran=fortran)
    return _packed(path, info, key, shape, dtype, header, fortran=fortran)


def _packed(
    path: str,
    info: zipfile.ZipInfo,
    key: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    header: int,
    *,
    fortran: bool,
) -> Member:
    stored = shape[::-1] if fortran else shape
    width = max(1, math.prod(stored[1:] if fortran else stored[-1:]))
    flat = math.prod(shape) // width, width

    def blocks() -> Iterator[np.ndarray]:
        size = max(1, CHUNK_BYTES // (width * dtype.itemsize)) * width * dtype.itemsize
        with zipfile.ZipFile(path) as archive, archive.open(info) as file:
            file.read(header)
            while chunk := file.read(size):
                yield np.frombuffer(chunk, dtype).reshape(-1, width)

    def rows(part: int | None) -> RowSource:
        spooled = SpooledRows(f"{path}:{key}", flat, dtype.newbyteorder("="), blocks)
        if fortran:
            whole = spooled.read(0, flat[0]).reshape(stored).T
            return ArrayRows(whole if part is None else whole[part])
        if part is None:
            return spooled
        return WindowRows(spooled, part * shape[1], (part + 1) * shape[1])

    name, kind = type_name(dtype)
    return Member(key, tuple(shape), name, rows, kind)


def _column(archive: zipfile.ZipFile, name: str, key: str) -> np.ndarray | None:
    with archive.open(f"{key}.npy") as file:
        shape, _, dtype = read_header(file, name)
        return np.frombuffer(file.read(), dtype)[: shape[0]]
