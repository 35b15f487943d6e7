"""A folder in clip-retrieval's layout, finished shard by shard, and the record that lets a run go on.

`encode.json` beside `img_emb/`, `text_emb/` and `metadata/` lists the finished shards; it is written after a
shard's files, so that a shard is whole or does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from realign_core.encode.skipped import Skipped
from realign_core.load import atomic_file, atomic_text, write_rows
from realign_core.load.atomic import unwritable
from realign_core.load.provenance import METADATA_KEY
from realign_core.validation import UnusableInput

RECORD = "encode.json"
IMAGES, TEXTS, METADATA = "img_emb", "text_emb", "metadata"
LARGEST_RECORD = 256 << 20


@dataclass(frozen=True)
class Shard:
    """A finished shard: its number, rows, what was skipped in it, and captions cut at the model's length."""

    number: int
    rows: int
    skipped: tuple[Skipped, ...]
    cut: int


class ShardFolder:
    """`settings` must be equal for a run to go on; `provenance` stands in every metadata file."""

    def __init__(self, folder: str | os.PathLike, settings: dict[str, Any], provenance: dict[str, Any]):
        self.folder = Path(folder)
        self.settings = json.loads(json.dumps(settings))
        self.provenance = provenance
        self.shards: list[Shard] = []

    def start(self, *, resume: bool) -> None:
        """Take over the finished shards, or make the folder. Raises UnusableInput where it cannot."""
        found = read_record(self.folder)
        if found is None:
            check_new(self.folder)
        elif not resume:
            raise _not_empty(self.folder)
        else:
            changed = [name for name, value in self.settings.items() if found["settings"].get(name) != value]
            if changed:
                raise UnusableInput(
                    f"{self.folder} was begun with other {' and '.join(changed)}; repeat the command as it "
                    "was, or name another folder"
                )
            self.shards = [_shard(entry) for entry in found["shards"]]
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def add(
        self,
        shard: Shard,
        images: np.ndarray | None,
        texts: np.ndarray | None,
        columns: dict[str, Sequence[Any]],
        dtype: str,
    ) -> None:
        """Write a shard's rows `(rows, d)` and columns, then count it; an empty one has no files."""
        written: list[Path] = []
        try:
            if shard.rows:
                for name, rows in ((IMAGES, images), (TEXTS, texts)):
                    if rows is not None:
                        written.append(self._path(name, shard.number, "npy"))
                        n, dim = rows.shape
                        write_rows(written[-1], rows, n=n, dim=dim, dtype=dtype)
                written.append(self._path(METADATA, shard.number, "parquet"))
                write_metadata(written[-1], columns, self.provenance)
            self.shards.append(shard)
            self.save()
        except BaseException:
            # A shard that is not counted must not be read as if it were; an interruption may come right after
            # the record was renamed into its place.
            if not self._is_counted(shard.number):
                for path in written:
                    path.unlink(missing_ok=True)
            raise

    def save(self, *, complete: bool = False) -> None:
        """Write the record."""
        found = {
            "complete": complete,
            "settings": self.settings,
            "provenance": self.provenance,
            "shards": [asdict(shard) for shard in self.shards],
        }
        atomic_text(self.folder / RECORD, json.dumps(found, indent=1, ensure_ascii=False) + "\n")

    def files(self, name: str) -> list[Path]:
        """The finished files of `img_emb`, `text_emb` or `metadata`, in order."""
        suffix = "parquet" if name == METADATA else "npy"
        return [self._path(name, shard.number, suffix) for shard in self.shards if shard.rows]

    def _is_counted(self, number: int) -> bool:
        record = read_record(self.folder)
        return record is not None and any(entry["number"] == number for entry in record["shards"])

    def _path(self, name: str, number: int, suffix: str) -> Path:
        place = self.folder / name
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(place, error) from error
        return place / f"{name}_{number}.{suffix}"


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of a folder; None where there is none. Raises UnusableInput for a damaged one."""
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found["settings"], dict):
            raise ValueError("no settings")
        for entry in found["shards"]:
            _shard(entry)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnusableInput(f"{path} is damaged ({error}); name another folder") from error
    return found


def check_new(folder: Path) -> None:
    """Raise UnusableInput unless the folder can be made, or is there and empty."""
    if folder.is_dir():
        if any(folder.iterdir()):
            raise UnusableInput(f"{folder} holds other files; name a new or empty folder")
        if not os.access(folder, os.W_OK):
            raise UnusableInput(f"{folder} cannot be written: permission denied; choose another place")
        return
    if folder.exists():
        raise UnusableInput(f"{folder} is a file; name a folder, or a .parquet, .npz or .safetensors file")
    parent = Path(os.path.realpath(folder)).parent
    if not parent.is_dir():
        raise UnusableInput(f"{folder} cannot be written: there is no folder {parent}; make it first")
    if not os.access(parent, os.W_OK):
        raise UnusableInput(f"{folder} cannot be written: permission denied; choose another place")


def write_metadata(path: Path, columns: dict[str, Sequence[Any]], provenance: dict[str, Any]) -> None:
    """A parquet file of text columns, with the provenance among its schema's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    table = table.replace_schema_metadata({METADATA_KEY: json.dumps(provenance, ensure_ascii=False)})
    try:
        with atomic_file(path) as file:
            pq.write_table(table, file)
    except OSError as error:
        raise unwritable(path, error) from error


def _not_empty(folder: Path) -> UnusableInput:
    return UnusableInput(f"{folder} already holds an encoding; add --resume to go on, or name another folder")


def _shard(entry: dict[str, Any]) -> Shard:
    skipped = tuple(Skipped(**one) for one in entry["skipped"])
    return Shard(int(entry["number"]), int(entry["rows"]), skipped, int(entry["cut"]))
