"""Uploaded files as a study; they reach the disk for as long as they are read, and no longer."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components.columns import attach, read_columns
from pages.components.study import Study
from realign_core.diagnostics import Diagnosis, diagnose
from realign_core.load import EmbeddingPair, load_pair
from realign_core.load.pair import Paired
from realign_core.load.report import LoadReport
from realign_core.validation import UnusableInput

LONGEST_NAME = 120
TABLES = ("parquet", "arrow", "feather", "csv", "tsv")
SUFFIXES = ("npy", "npz", "pt", "pth", "safetensors", *TABLES)


@dataclass(frozen=True)
class Upload:
    """What was given: `target` alone may hold both sets; `folder` instead is a folder's files; `columns` has
    captions, labels or image paths by row."""

    target: Any | None = None
    source: Any | None = None
    folder: Sequence[Any] = ()
    columns: Any | None = None
    paired: Paired = "auto"

    def read(self, progress: Callable[[str], None]) -> Study:
        """Load the files. Raises `UnusableInput`, with names as they were uploaded."""
        with tempfile.TemporaryDirectory(prefix="gapscope-") as place:
            progress("taking over the files")
            try:
                return self._load(Path(place), progress)
            except UnusableInput as error:
                raise UnusableInput(_pattern(place).sub("", str(error))) from error

    @property
    def files(self) -> list[Any]:
        """Every uploaded file."""
        return [file for file in (self.target, self.source, *self.folder, self.columns) if file is not None]

    def _load(self, place: Path, progress: Callable[[str], None]) -> Study:
        if self.folder:
            paths = [_write_folder(self.folder, place / "folder")]
        else:
            roles = {"target": self.target, "source": self.source}
            paths = [
                write_upload(file, place / role / safe_name(file)) for role, file in roles.items() if file
            ]
        progress("reading every row once")
        pair = load_pair(*map(str, paths), paired=self.paired, trusted=False)
        if self.columns is not None:
            progress("reading captions and labels")
            columns = write_upload(self.columns, place / "columns" / safe_name(self.columns))
            pair = attach(pair, read_columns(columns), name=columns.name)
        pair = replace(pair, report=_as_uploaded(pair.report, str(place)))
        return Study.of(pair, name=" and ".join(path.name for path in paths), origin="upload")


def diagnose_source(file: Any, pair: EmbeddingPair, seed: int, progress: Callable[[str], None]) -> Diagnosis:
    """An uploaded file as another source to the target of `pair`; raises `UnusableInput` as `read` does."""
    with tempfile.TemporaryDirectory(prefix="gapscope-") as place:
        progress("taking over the file")
        try:
            path = write_upload(file, Path(place) / "source" / safe_name(file))
            return diagnose_another(str(path), pair, seed, progress, trusted=False)
        except UnusableInput as error:
            raise UnusableInput(_pattern(place).sub("", str(error))) from error


def diagnose_another(
    path: str, pair: EmbeddingPair, seed: int, progress: Callable[[str], None], *, trusted: bool
) -> Diagnosis:
    """The rows of a file as another source to the target of `pair`, paired where the rows say so."""
    progress("reading every row once")
    asked: Paired = "auto" if pair.paired else "no"
    other = load_pair(pair.target, path, paired=asked, normalize=pair.normalize, trusted=trusted)
    return diagnose(other, seed=seed, progress=progress)


def drop(files: Sequence[Any]) -> None:
    """Let go of uploaded bytes, which the server would otherwise keep until the tab is closed."""
    context = get_script_run_ctx()
    remove = None if context is None else getattr(context.uploaded_file_mgr, "remove_file", None)
    if context is None or remove is None:
        return
    for file in files:
        remove(session_id=context.session_id, file_id=file.file_id)


def write_upload(file: Any, path: Path) -> Path:
    """The uploaded bytes as a file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file.seek(0)
    with path.open("wb") as out:
        shutil.copyfileobj(file, out)
    return path


def _write_folder(uploaded: Sequence[Any], place: Path) -> Path:
    """The files at their relative paths; the folder itself where all of them lie in one."""
    for file in uploaded:
        parts = [_safe(part) for part in PurePosixPath(file.name.replace("\\", "/")).parts]
        write_upload(file, place.joinpath(*parts))
    inside = list(place.iterdir())
    known = {"img_emb", "text_emb", "metadata"}
    if len(inside) == 1 and inside[0].is_dir() and inside[0].name not in known:
        return inside[0]
    return place


def safe_name(file: Any) -> str:
    """The file's own name, without folders."""
    return _safe(PurePosixPath(file.name.replace("\\", "/")).name)


def _safe(name: str) -> str:
    """A file name that stays in its folder and that the disk can hold; its suffix is kept."""
    name = name.replace("\0", "").replace("/", "_")
    if name in ("", ".", ".."):
        return "unnamed"
    stem, suffix = os.path.splitext(name)
    while len((stem + suffix).encode()) > LONGEST_NAME and stem:
        stem = stem[:-1]
    return stem + suffix


def _pattern(place: str) -> re.Pattern[str]:
    """The folder that held the upload, with the part of it that its role gave."""
    return re.compile(re.escape(place + os.sep) + r"(?:target|source|columns|folder)/?")


def _as_uploaded(report: LoadReport, place: str) -> LoadReport:
    """The report without the place; the role stands before two names that are alike."""
    paths = report.path_target, report.path_source
    alike = paths[0] != paths[1] and Path(paths[0]).name == Path(paths[1]).name
    pattern = re.compile(re.escape(place + os.sep)) if alike else _pattern(place)

    def named(text: str) -> str:
        return pattern.sub("", text)

    return replace(
        report,
        path_target=named(paths[0]),
        path_source=named(paths[1]),
        warnings=tuple(map(named, report.warnings)),
    )
