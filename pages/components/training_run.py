"""One training run under study: its snapshots on disk and what was tracked through them so far."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pages.components.memo import Memo
from realign_core.glossary import count
from realign_core.training.path import PathStep, Plane
from realign_core.training.snapshots import (
    NAME,
    RECORD,
    Snapshot,
    SnapshotFolder,
    open_snapshots,
    read_snapshot,
)
from realign_core.validation import UnusableInput

if TYPE_CHECKING:
    import pandas as pd

PLANES = {"gap": "gap, first and last", "spread": "principal axes"}
KEPT_TABLES = 24
BLOCK = 1 << 22


@dataclass(eq=False)
class Run:
    """`digest` is of every byte of the files; tables are kept by reference step and energy.

    `paths` are the probe set's ways through each of the two `PLANES`, read along with the first table.
    """

    name: str
    digest: str
    snapshots: SnapshotFolder
    paths: dict[str, tuple[Plane, list[PathStep]]] = field(default_factory=dict)
    _tables: Memo = field(default_factory=lambda: Memo(KEPT_TABLES))

    @classmethod
    def open(cls, folder: Path, name: str, progress: Callable[[str], None]) -> Run:
        """List the snapshots and take the digest of the files; the embeddings are read when tracked."""
        progress("digest of the files")
        snapshots = open_snapshots(folder)
        return cls(name, digest_of(folder), snapshots)

    def has(self, reference: int, energy: float) -> bool:
        """Whether the table is known."""
        return (reference, energy) in self._tables

    def table(self, reference: int, energy: float, progress: Callable[[str], None]) -> pd.DataFrame:
        """What `GapTracker.to_frame` gives; the first time, the path through the plane is read along."""
        return self._tables.get((reference, energy), lambda: self._track(reference, energy, progress))

    def _track(self, reference: int, energy: float, progress: Callable[[str], None]) -> pd.DataFrame:
        from realign_core.training.tracker import GapTracker

        paths: dict[str, tuple[Plane, list[PathStep]]] = (
            {} if self.paths else {name: (plane, []) for name, plane in self._planes().items()}
        )
        reached = self.snapshots.names[0]

        def read() -> Iterator[Snapshot]:
            nonlocal reached
            total = len(self.snapshots)
            for number, snapshot in enumerate(self.snapshots, start=1):
                reached = self.snapshots.names[number - 1]
                progress(f"step {count(snapshot.step)}, snapshot {number} of {total}")
                for plane, path in paths.values():
                    path.append(plane.place(snapshot))
                yield snapshot

        try:
            table = GapTracker.replay(read(), reference_step=reference, energy=energy).to_frame()
        except UnusableInput as error:
            # The reader names the file, the tracker only what is wrong with the arrays.
            named = any(name in str(error) for name in self.snapshots.names)
            raise error if named else UnusableInput(f"{reached}: {error}") from error
        chance = self.snapshots.record.get("chance")
        if isinstance(chance, float) and 0 < chance <= 1:
            # Retrieval may have been taken among more pairs than the snapshots hold.
            table["chance"] = chance
        self.paths = self.paths or paths
        return table

    def _planes(self) -> dict[str, Plane]:
        first, last = (
            read_snapshot(os.path.join(self.snapshots.folder, self.snapshots.names[end])) for end in (0, -1)
        )
        if first.image_embeddings.shape != last.image_embeddings.shape:
            return {}
        return {"gap": Plane.of_gaps(first, last), "spread": Plane.principal(last)}


def reference_of(steps: tuple[int, ...], wanted: int) -> int:
    """The first snapshot at or after the step that is wanted; a third of the way for -1 or none such."""
    goal = wanted if 0 <= wanted <= steps[-1] else steps[-1] / 3
    return next(step for step in steps if step >= goal)


def run_files(folder: Path) -> list[str]:
    """Names of the files of a run in a folder, sorted."""
    try:
        return sorted(name for name in os.listdir(folder) if NAME.fullmatch(name) or name == RECORD)
    except OSError:
        return []


def state_of(folder: Path) -> str:
    """Names, sizes and times of the files: while it stays, they need not be read again."""
    found = [str(folder)]
    for name in run_files(folder):
        try:
            seen = (folder / name).stat()
        except OSError as error:
            raise UnusableInput(f"{name} cannot be read: {error.strerror}; see who may read it") from error
        found.append(f"{name} {seen.st_size} {seen.st_mtime_ns}")
    return "\n".join(found)


def digest_of(folder: Path) -> str:
    """Full digest of the run's files, names included; no sampling."""
    digest = hashlib.blake2b(digest_size=16)
    for name in run_files(folder):
        try:
            with (folder / name).open("rb") as file:
                digest.update(f"{name} {os.fstat(file.fileno()).st_size}\n".encode())
                while block := file.read(BLOCK):
                    digest.update(block)
        except OSError as error:
            raise UnusableInput(f"{name} cannot be read: {error.strerror}; see who may read it") from error
    return digest.hexdigest()
