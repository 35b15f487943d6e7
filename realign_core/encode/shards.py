"""A folder in clip-retrieval's layout, finished shard by shard, and the record that lets a run go on.

`encode.json` beside `img_emb/`, `text_emb/` and `metadata/` lists the finished shards; it is written after a
shard's files, so that a shard is whole or does not count. A record without shards is there from the start:
files beside it are those of a run that was killed, not somebody else's.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
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
        self._made_folder = self._made_record = False

    def start(self, planned: Sequence[int], has: Collection[str], *, resume: bool) -> None:
        """Take over the finished shards, or make the folder. Raises UnusableInput where it cannot.

        `planned` are the rows of each shard before any is skipped; `has` names the folders of a whole shard.
        Shards that are not as the record has them are forgotten, to be encoded again.
        """
        lost: list[Shard] = []
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
            listed = sorted(map(_shard, found["shards"]), key=lambda shard: shard.number)
            often = Counter(shard.number for shard in listed)
            for shard in listed:
                whole = often[shard.number] == 1 and self._is_whole(shard, planned, has)
                (self.shards if whole else lost).append(shard)
        try:
            self._made_folder = not os.path.isdir(self.folder)
            self.folder.mkdir(exist_ok=True)
            self._made_record = found is None
            for shard in lost:
                for name in (IMAGES, TEXTS, METADATA):
                    self._path(name, shard.number).unlink(missing_ok=True)
            if found is None or lost:
                self.save()
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def discard(self) -> None:
        """Remove the record, and the folder, if this run made them and they hold no rows."""
        if not self._made_record or any(shard.rows for shard in self.shards):
            return
        self._remove_empty()
        (self.folder / RECORD).unlink(missing_ok=True)
        if self._made_folder:
            _remove_if_empty(self.folder)

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
                        written.append(self._new_path(name, shard.number))
                        n, dim = rows.shape
                        write_rows(written[-1], rows, n=n, dim=dim, dtype=dtype)
                written.append(self._new_path(METADATA, shard.number))
                write_metadata(written[-1], columns, self.provenance)
            self.shards = sorted([*self.shards, shard], key=lambda each: each.number)
            self.save()
        except BaseException:
            # A shard that is not counted must not be read as if it were; an interruption may come right after
            # the record was renamed into its place.
            if not self._is_counted(shard.number):
                self.shards = [each for each in self.shards if each.number != shard.number]
                for path in written:
                    path.unlink(missing_ok=True)
                self._remove_empty()
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
        return [self._path(name, shard.number) for shard in self.shards if shard.rows]

    def _is_counted(self, number: int) -> bool:
        record = read_record(self.folder)
        return record is not None and any(entry["number"] == number for entry in record["shards"])

    def _is_whole(self, shard: Shard, planned: Sequence[int], has: Collection[str]) -> bool:
        """Whether the shard is one of this run's, and its files have as many rows as the record says."""
        import pyarrow.parquet as pq

        try:
            known = 0 <= shard.number < len(planned) and shard.rows >= 0
            if not known or shard.rows + sum(each.rows for each in shard.skipped) != planned[shard.number]:
                return False
            if not shard.rows:
                return True
            for name in has:
                # Mapping also finds a file that is shorter than its header says.
                rows = np.load(self._path(name, shard.number), mmap_mode="r")
                if rows.ndim != 2 or len(rows) != shard.rows:
                    return False
            return pq.read_metadata(self._path(METADATA, shard.number)).num_rows == shard.rows
        except Exception:
            # Readers of damaged files raise errors of many kinds; the remedy is the same for each.
            return False

    def _path(self, name: str, number: int) -> Path:
        return self.folder / name / f"{name}_{number}.{'parquet' if name == METADATA else 'npy'}"

    def _new_path(self, name: str, number: int) -> Path:
        path = self._path(name, number)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(path.parent, error) from error
        return path

    def _remove_empty(self) -> None:
        for name in (IMAGES, TEXTS, METADATA):
            _remove_if_empty(self.folder / name)


def _remove_if_empty(folder: Path) -> None:
    # It may hold files, or not be there at all.
    with suppress(OSError):
        folder.rmdir()


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of a folder; None where there is none. Raises UnusableInput for a damaged one."""
    path = folder / RECORD
    if not os.path.isfile(path):
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
    if os.path.isdir(folder):
        if any(folder.iterdir()):
            raise UnusableInput(f"{folder} holds other files; name a new or empty folder")
        if not os.access(folder, os.W_OK):
            raise UnusableInput(f"{folder} cannot be written: permission denied; choose another place")
        return
    if os.path.exists(folder):
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
