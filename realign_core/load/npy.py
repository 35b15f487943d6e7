"""`.npy`: a header that is checked against the file before anything is mapped, then a memory map."""

from __future__ import annotations

import math
import warnings
from typing import IO, Literal

import numpy as np

from realign_core.load.arrays import ArrayRows, mapping_under
from realign_core.load.batches import RowSource
from realign_core.load.faults import reading
from realign_core.load.members import Contents, Member, check_shape, type_name
from realign_core.load.places import is_url, open_binary, shown, size_of
from realign_core.validation import UnusableInput

MAGIC = b"\x93NUMPY"


def read_header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, Fortran order and type of the array at the file's position, which moves past the header."""
    try:
        version = np.lib.format.read_magic(file)
        form = np.lib.format
        readers = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, fortran, dtype = readers[version](file)
    except Exception as error:
        raise UnusableInput(f"{name} has a damaged .npy header; write it again with numpy.save") from error
    check_shape(name, shape)
    return shape, fortran, dtype


def check_bytes(name: str, shape: tuple[int, ...], dtype: np.dtype, available: int) -> None:
    """Raise UnusableInput unless exactly the bytes that the header declares are there."""
    if dtype.hasobject:
        raise UnusableInput(f"{name} holds Python objects; save a plain float array")
    declared = math.prod(shape) * dtype.itemsize
    if declared != available:
        fault = "is cut short" if available < declared else "has bytes left over"
        raise UnusableInput(
            f"{name} {fault}: its header declares {declared} bytes of {dtype.name} {shape}, "
            f"{available} are there; write it again"
        )


def contents(path: str) -> Contents:
    """The one array of an `.npy` file, mapped when it is read."""
    with open_binary(path) as file:
        shape, fortran, dtype = read_header(file, path)
        offset = file.tell()
    check_bytes(path, shape, dtype, size_of(path) - offset)
    member = mapped_member(None, path, shape, dtype, offset, fortran=fortran)
    note = f"{shown(path)} lies column by column (Fortran order), so it was copied to a temporary file."
    return Contents(path, "npy", (member,), note=note if fortran and is_url(path) else None)


def mapped_member(
    key: str | None,
    path: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    offset: int,
    *,
    fortran: bool = False,
    name: str | None = None,
) -> Member:
    """A member that maps `shape` numbers of `dtype` at `offset` of a file when its rows are asked for.

    Of a file behind a URL ranges of bytes are fetched instead, or the whole where rows do not lie together.
    `name="bfloat16"` reads 16-bit words as such; any other name is only the type's.
    """

    def rows(part: int | None) -> RowSource:
        if is_url(path):
            return _remote_rows(part)
        return _mapped_rows(path, part)

    def _remote_rows(part: int | None) -> RowSource:
        if fortran:
            from realign_core.load.copied import CopiedRows, copy_of

            copy = copy_of(path)
            return CopiedRows(_mapped_rows(copy.path, part), copy)
        from realign_core.load.ranged import RangedRows

        size = math.prod(shape[1:]) * dtype.itemsize
        return RangedRows(path, (shape[-2], shape[-1]), dtype, offset + (part or 0) * size, dtype=known)

    def _mapped_rows(path: str, part: int | None) -> RowSource:
        order: Literal["F", "C"] = "F" if fortran else "C"
        with reading(path):
            mapped = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape, order=order)
        array = np.asarray(mapped if part is None else mapped[part])
        return ArrayRows(array, dtype=known, mapped=mapping_under(mapped), name=path)

    known, kind = type_name(dtype)
    if name is not None:
        known, kind = name, "f" if name == "bfloat16" else kind
    return Member(key, tuple(shape), known, rows, kind)
