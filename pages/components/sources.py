"""Where data comes from: bundled samples, uploads, paths under the operator's folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import streamlit as st

from pages.components import jobs, session, settings
from pages.components.digests import digest_of_files
from pages.components.study import Study
from pages.components.uploads import diagnose_another
from realign_core.diagnostics import Diagnosis
from realign_core.load import EmbeddingPair, load_pair
from realign_core.load.filestates import FileStates
from realign_core.load.places import is_url
from realign_core.samples import PREFIX, sample_card, sample_names, sample_path
from realign_core.validation import UnusableInput

DATA_ROOT = "GAPSCOPE_DATA_ROOT"
DEFAULT_SAMPLE = "sample:scenes"
LONGEST_SHOWN = 60


def current() -> Study:
    """The study of this session; opens what the URL names, or the default sample.

    Raises `UnusableInput` where the named data cannot be opened.
    """
    origin = settings.get("data")
    if origin.startswith(PREFIX):
        if origin.removeprefix(PREFIX) not in sample_names():
            origin = DEFAULT_SAMPLE
            settings.put("data", origin)
        return sample(origin.removeprefix(PREFIX))
    studies = session.held().studies
    if origin not in studies:
        if not origin.startswith("path:"):
            raise UnusableInput(
                "The server no longer holds the uploaded data: it is freed when its tab closes or loses its "
                "connection. Upload it again, or open a sample."
            )
        parts = _path_parts(origin)
        if not 1 <= len(parts) <= 2:
            raise UnusableInput("this link names no file to open; name one or two, or open a sample")
        _hold(origin, jobs.run(f"open|{origin}", lambda progress: _read_path(parts, progress)))
    return studies[origin]


def origin() -> str:
    """What reopens the data in use."""
    return settings.get("data")


def open_sample(name: str) -> None:
    """Make a bundled sample this session's data."""
    settings.put("data", PREFIX + name)


def path_reader(target: str, source: str) -> Callable[[Callable[[str], None]], Study]:
    """What reads files under the operator's folder; raises `UnusableInput` for a path outside it."""
    parts = [part.strip() for part in (target, source) if part.strip()]
    for part in parts:
        _keyed(part)
    return lambda progress: _read_path(parts, progress)


def use(study: Study) -> None:
    """Make a study that was read just now this session's data; what it held before is freed."""
    origin = f"upload:{study.digest}" if study.origin == "upload" else study.origin
    _hold(origin, study)
    settings.put("data", origin)


def read_again() -> None:
    """Let go of the data in use, so that their files are read anew."""
    session.held().drop_studies()


def _hold(origin: str, study: Study) -> None:
    held = session.held()
    if held.studies.get(origin) is not study:
        held.drop_studies()
    held.studies[origin] = study


def data_root() -> Path | None:
    """The folder from which server paths may be read, if the operator named one."""
    root = os.environ.get(DATA_ROOT)
    return Path(root).resolve() if root else None


def allowed_path(text: str) -> Path:
    """A path under the operator's folder; links that lead out of it are refused."""
    root = data_root()
    if root is None:
        raise UnusableInput("this server reads no paths; start it with --data FOLDER to allow one")
    if is_url(text):
        raise UnusableInput(
            f"{text[:LONGEST_SHOWN]!r} is a URL; this server opens no others than files inside its folder"
        )
    try:
        path = (root / text).resolve()
        path.exists()
    except (ValueError, OSError, RuntimeError):
        # Characters or a length that no file system takes, or links that lead in a circle.
        raise UnusableInput(
            f"{text[:LONGEST_SHOWN]!r} cannot be the name of a file; name one inside the folder"
        ) from None
    if path != root and root not in path.parents:
        raise UnusableInput(
            f"{text} lies outside the folder that this server may read; name a path inside it"
        )
    return path


def as_named(text: str) -> str:
    """A sentence about files, without the folder that the operator allows."""
    root = data_root()
    return text.replace(f"{root}{os.sep}", "") if root else text


def command_paths(study: Study) -> list[str]:
    """What the command line calls this data."""
    if study.origin.startswith(PREFIX):
        return [study.origin]
    if study.origin.startswith("path:"):
        return [_keyed(part) for part in _path_parts(study.origin)]
    report = study.pair.report
    return list(dict.fromkeys((report.path_target, report.path_source)))


@st.cache_resource(max_entries=4, show_spinner=False)
def sample(name: str) -> Study:
    """A bundled sample, held once for all sessions."""
    path = sample_path(PREFIX + name)
    return Study.of(load_pair(path), name=sample_card(name)["title"], origin=PREFIX + name)


def _read_path(parts: list[str], progress: Callable[[str], None]) -> Study:
    progress("reading every row once")
    paths = tuple(map(_keyed, parts))
    files = FileStates.of(paths)
    try:
        pair = load_pair(*paths)
        digest = digest_of_files(pair, paths, files)
    except UnusableInput as error:
        raise UnusableInput(as_named(str(error))) from error
    return Study(pair, " and ".join(parts), _path_origin(parts), digest, files)


def diagnose_path(text: str, pair: EmbeddingPair, seed: int, progress: Callable[[str], None]) -> Diagnosis:
    """A file under the operator's folder as another source to the target of `pair`."""
    path = _keyed(text.strip())
    try:
        return diagnose_another(path, pair, seed, progress, trusted=True)
    except UnusableInput as error:
        raise UnusableInput(as_named(str(error))) from error


def _path_origin(parts: list[str]) -> str:
    # The bar parts the two paths, so a bar inside one is escaped.
    return "path:" + "|".join(quote(part, safe="/:,+=@ ") for part in parts)


def _path_parts(origin: str) -> list[str]:
    return [unquote(part) for part in origin.removeprefix("path:").split("|") if part]


def _keyed(text: str) -> str:
    path = allowed_path(text)
    if not path.exists() and ":" in text:
        head, _, key = text.rpartition(":")
        return f"{allowed_path(head)}:{key}"
    return str(path)
