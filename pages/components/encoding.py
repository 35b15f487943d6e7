"""Uploaded images and captions on their way to a study: work that can be stopped and taken up again."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pages.components import sources
from pages.components.study import Study
from pages.components.uploads import safe_name, write_upload
from realign_core.encode import (
    Captions,
    Encoding,
    ImageLimits,
    ImageSet,
    ModelChoice,
    Plan,
    Skipped,
    encode_folder,
    from_lines,
    make_plan,
    read_captions,
)
from realign_core.encode.models import load_encoder
from realign_core.encode.skipped import sentences
from realign_core.load import load_pair
from realign_core.load.folders import natural_key
from realign_core.load.sets import write_sets
from realign_core.validation import UnusableInput

LIMITS = ImageLimits(count=5_000, one=30 << 20, total=1 << 30)
MOST_CAPTIONS = 25_000
FEWEST_PAIRS = 2
SHARD_ROWS = 500
BATCH = 32
FILE = "encoded.parquet"


@dataclass(frozen=True, eq=False)
class Encoded:
    """What came of it: the study, what was skipped, and sentences worth knowing."""

    study: Study
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


class EncodingWork:
    """Called by a job, as often as it is started; finished shards stay from one call to the next.

    `images` are uploaded images and archives, `table` an uploaded file of captions, or else `lines` are.
    """

    def __init__(
        self, images: Sequence[Any], table: Any | None, lines: str, choose: Callable[[], ModelChoice]
    ):
        self.files = [*images, *([table] if table is not None else [])]
        self._images, self._table, self._lines, self._choose = images, table, lines, choose
        self._place = Path(tempfile.mkdtemp(prefix="gapscope-"))
        weakref.finalize(self, shutil.rmtree, self._place, ignore_errors=True)

    def __call__(self, progress: Callable[[str], None]) -> Encoded:
        """Raises UnusableInput, with names as they were uploaded."""
        try:
            return self._run(progress)
        except UnusableInput as error:
            text = str(error).replace(f"{self._place}/", "")
            raise UnusableInput(sources.as_named(text)) from error

    def _run(self, progress: Callable[[str], None]) -> Encoded:
        choice = self._choose()
        progress("taking over the files")
        captions = self._captions()
        with closing(self._listed()) as images:
            plan = make_plan(images, captions)
            if len(plan.rows) > MOST_CAPTIONS:
                raise UnusableInput(
                    f"there are {len(plan.rows)} captions, the limit here is {MOST_CAPTIONS}; "
                    "use the command line"
                )
            progress("loading the model")
            encoder = load_encoder(choice)
            encoding = encode_folder(
                plan,
                encoder,
                self._place / "shards",
                batch=BATCH,
                shard_rows=SHARD_ROWS,
                resume=True,
                progress=progress,
            )
            notes = tuple(_notes(encoder.notes, encoding, plan))
        if encoding.rows < FEWEST_PAIRS:
            why = "; ".join(sentences(encoding.skipped))
            raise UnusableInput(
                f"only one pair is left, at least {FEWEST_PAIRS} are needed; {why or 'give more images'}"
            )
        progress("reading every row once")
        pair = load_pair(self._place / "shards", paired="yes")
        report = replace(
            pair.report, path_target=FILE, path_source=FILE, warnings=(*pair.report.warnings, *notes)
        )
        study = Study.of(
            replace(pair, report=report), name=f"Encoded with {_called(choice)}", origin="upload"
        )
        return Encoded(study, encoding.skipped, notes)

    def _captions(self) -> Captions:
        if self._table is not None and self._lines.strip():
            raise UnusableInput("captions were given as a file and as lines; remove one of them")
        if self._table is None:
            return from_lines(self._lines)
        name = safe_name(self._table)
        path = self._place / "captions" / name
        if not path.exists():
            write_upload(self._table, path)
        return read_captions(path, name=name)

    def _listed(self) -> ImageSet:
        """The images by file name, each archive's in its place."""
        found = ImageSet(limits=LIMITS)
        try:
            for index, file in sorted(enumerate(self._images), key=lambda item: natural_key(item[1].name)):
                name = safe_name(file)
                path = self._place / "images" / str(index) / name
                if not path.exists():
                    write_upload(file, path)
                if path.suffix.lower() == ".zip":
                    found.add_zip(path, name)
                else:
                    found.add_file(path, name, shown=name)
            found.check("the upload")
        except BaseException:
            found.close()
            raise
        return found


def _called(choice: ModelChoice) -> str:
    return "the bundled model" if choice.folder is None or choice.name == "bundled" else choice.folder.name


def _notes(said: Sequence[str], encoding: Encoding, plan: Plan) -> list[str]:
    found = [*said]
    found += [f"{text[0].upper()}{text[1:]}." for text in sentences(encoding.skipped)]
    if plan.images is not None and plan.images.others:
        others = plan.images.others
        found.append(f"Files without an image suffix were left out: {len(others)} (first: {others[0]}).")
    if encoding.cut:
        found.append(f"Captions longer than the model reads were cut at its length: {encoding.cut}.")
    return found


def as_file(study: Study) -> bytes:
    """The embeddings of a study as a .parquet file, with captions, labels and where they come from."""
    pair = study.pair
    columns = {
        name: [None if value is None else str(value) for value in values]
        for name, values in (
            ("image_path", pair.image_paths),
            ("caption", pair.captions),
            ("label", pair.labels),
        )
        if values is not None
    }
    with tempfile.TemporaryDirectory(prefix="gapscope-") as place:
        path = Path(place) / FILE
        write_sets(
            path,
            {"image": pair.target, "text": pair.source},
            n=len(pair.target),
            dim=pair.report.dim,
            dtype=str(np.dtype(pair.report.dtype_target)),
            columns=columns,
            provenance=pair.report.provenance_target or {},
        )
        return path.read_bytes()
