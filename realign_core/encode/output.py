"""An encoding as one file: both sets, the columns beside them and where they come from."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from realign_core.checkpoint import checkpoint
from realign_core.encode.run import Encoding
from realign_core.encode.shards import IMAGES, METADATA, TEXTS, check_new, read_record
from realign_core.load import check_writable
from realign_core.load.atomic import unwritable
from realign_core.load.opening import READERS
from realign_core.load.places import refuse_url
from realign_core.load.sets import SETS_WRITERS, write_sets
from realign_core.validation import UnusableInput


def check_out(out: str, *, resume: bool) -> bool:
    """Whether `out` is a folder, else one file. Raises UnusableInput where it must not be written."""
    if not out or "\0" in out:
        raise UnusableInput("--out is empty; name a folder, or a .parquet, .npz or .safetensors file")
    refuse_url(out, "encodings are")
    try:
        os.lstat(out)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        # A name that is too long would be found only once everything is encoded.
        raise unwritable(f"--out {out}", error) from error
    suffix = os.path.splitext(out)[1].lower()
    if suffix in SETS_WRITERS and not os.path.isdir(out):
        check_writable(out, suffixes=tuple(SETS_WRITERS))
        if resume:
            raise UnusableInput(
                f"--resume goes on with a folder, and {out} is one file; name a folder, or leave --resume out"
            )
        return False
    if suffix in READERS and not os.path.isdir(out):
        raise UnusableInput(
            f"--out {out} cannot hold images and captions together; name a folder, or a "
            f"{', '.join(SETS_WRITERS)} file"
        )
    folder = Path(out)
    if read_record(folder) is None:
        check_new(folder)
    elif not resume:
        raise UnusableInput(f"{out} already holds an encoding; add --resume to go on, or name another folder")
    return True


@contextmanager
def shards_beside(out: str) -> Iterator[str]:
    """A folder for the shards of one file on the disk of that file, gone afterwards."""
    parent = os.path.dirname(os.path.realpath(out))
    place = tempfile.mkdtemp(prefix=".encode-", dir=parent)
    try:
        yield os.path.join(place, "shards")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def write_encoding(path: str | os.PathLike, encoding: Encoding) -> tuple[str, ...]:
    """Write the shards as one `.parquet`, `.npz` or `.safetensors` file, whole or not at all.

    The sets are called image and text. Returns the columns that the format has no room for.
    """
    shards = encoding.shards
    sets = {
        name: _Blocks(files)
        for name, files in (("image", shards.files(IMAGES)), ("text", shards.files(TEXTS)))
        if files and files[0].exists()
    }
    columns = _columns(shards.files(METADATA))
    dtype = shards.provenance["stored"]
    return write_sets(
        path,
        sets,
        n=encoding.rows,
        dim=encoding.dim,
        dtype=dtype,
        columns=columns,
        provenance=shards.provenance,
    )


class _Blocks:
    """A re-iterable over the rows of the shards, mapped."""

    def __init__(self, files: list[Path]):
        self.files = files

    def __iter__(self) -> Iterator[np.ndarray]:
        for file in self.files:
            checkpoint()
            yield np.load(file, mmap_mode="r")


def _columns(files: list[Path]) -> dict[str, list[str | None]]:
    import pyarrow.parquet as pq

    found: dict[str, list[str | None]] = {}
    for file in files:
        for name, values in pq.read_table(file).to_pydict().items():
            found.setdefault(name, []).extend(values)
    return found
