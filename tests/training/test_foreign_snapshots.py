"""Snapshot files and records from elsewhere: whatever their bytes, they are read or refused in a sentence."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from realign_core.training.path import Plane
from realign_core.training.snapshots import open_snapshots, read_snapshot
from realign_core.validation import UnusableInput

NAMES = ("image_embeddings", "text_embeddings")


def rows(dtype: str = "f4") -> np.ndarray:
    drawn = np.random.default_rng(0).standard_normal((6, 4))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(dtype)


def saved(folder: Path, dtype: str = "f4") -> Path:
    path = folder / "step_000010.npz"
    np.savez(path, **dict.fromkeys(NAMES, rows(dtype)))
    return path


def with_header(path: Path, text: str) -> None:
    """Both members begin with the header `text`, whose numbers are not there."""
    header = text.encode() + b" " * (-(11 + len(text)) % 64) + b"\n"
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.writestr(f"{name}.npy", member)


def of_shape(shape: str) -> str:
    return f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"


def without_suffix(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.writestr(name, "numbers")


def changed(path: Path, local: int, central: int, value: int) -> None:
    """A byte of the first entry, in front of its data and in the list at the end."""
    data = bytearray(path.read_bytes())
    data[data.find(b"PK\x03\x04") + local] = value
    data[data.find(b"PK\x01\x02") + central] = value
    path.write_bytes(bytes(data))


def damaged_lzma(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    data = bytearray(path.read_bytes())
    data[70:140] = b"\xff" * 70
    path.write_bytes(bytes(data))


DAMAGE = {
    "no suffix": without_suffix,
    "1e17 numbers": lambda path: with_header(path, of_shape("(1000000000000, 100000)")),
    "1e22 numbers": lambda path: with_header(path, of_shape("(10000000000000000000000, 4)")),
    "less than nothing": lambda path: with_header(path, of_shape("(-1, 4)")),
    "a cut header": lambda path: with_header(path, "{'descr': '<f4', 'fortran_order'"),
    "a nested header": lambda path: with_header(path, "(" * 5000),
    "unknown packing": lambda path: changed(path, 8, 10, 99),
    "encrypted": lambda path: changed(path, 6, 8, 1),
    "damaged lzma": damaged_lzma,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_archive_is_refused_by_its_name(tmp_path, kind):
    path = saved(tmp_path)
    DAMAGE[kind](path)
    with pytest.raises(UnusableInput) as caught:
        read_snapshot(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8", "<f8"])
def test_every_byte_order_is_read_and_placed(tmp_path, dtype):
    snapshot = read_snapshot(saved(tmp_path, dtype))
    np.testing.assert_allclose(snapshot.image_embeddings, rows(), atol=1e-3)
    assert np.isfinite(Plane.principal(snapshot).place(snapshot).image).all()


@pytest.mark.skipif(np.dtype("longdouble").itemsize == 8, reason="long double is float64 here")
def test_extended_precision_is_refused(tmp_path):
    with pytest.raises(
        UnusableInput, match=r"step_000010.npz: image_embeddings holds float.*float16, 32 or 64"
    ):
        read_snapshot(saved(tmp_path, "longdouble"))


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"parameters": ' + "9" * 4000 + "}", '{"parameters": ' + "9" * 5000 + "}"],
    ids=["nested", "4000 digits", "5000 digits"],
)
def test_a_record_beyond_measure_is_refused_by_its_name(tmp_path, text):
    saved(tmp_path)
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(UnusableInput, match=r"record\.json .*mend or remove it") as caught:
        open_snapshots(tmp_path)
    assert len(str(caught.value)) < 400
