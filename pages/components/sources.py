"""Where data comes from: bundled samples, uploads, paths under the operator's folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components import settings
from pages.components.study import Study
from realign_core.load import LoadReport, load_pair
from realign_core.validation import UnusableInput

DATA_ROOT = "GAPSCOPE_DATA_ROOT"
DEFAULT_SAMPLE = "sample:scenes"
UPLOADS = ("npy", "npz", "pt", "pth", "safetensors", "parquet", "arrow", "feather", "csv", "tsv")


@dataclass(frozen=True)
class Card:
    """What a bundled sample is and how it was made."""

    name: str
    title: str
    about: str
    rows: int
    dimension: int


def samples() -> list[Card]:
    """The bundled samples, the default first."""
    folder = files("realign_core.samples") / "data"
    cards = []
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name, reverse=True):
        if path.name.endswith(".json"):
            card = json.loads(path.read_text())
            name = path.name.removesuffix(".json")
            cards.append(Card(name, card["title"], card["about"], card["rows"], card["dimension"]))
    return cards


def current() -> Study:
    """The study of this session; opens what the URL names, or the default sample.

    Raises `UnusableInput` where the named data cannot be opened.
    """
    origin = settings.get("data")
    if origin.startswith("sample:"):
        return _sample(origin.removeprefix("sample:"))
    if origin.startswith("path:"):
        target, _, source = origin.removeprefix("path:").partition("|")
        return _from_path(target, source or None)
    return _uploaded(settings.get("data"))


def open_sample(name: str) -> None:
    """Make a bundled sample this session's data."""
    settings.put("data", f"sample:{name}")


def open_path(target: str, source: str) -> None:
    """Make files under the operator's folder this session's data."""
    _from_path(target, source or None)
    settings.put("data", f"path:{target}|{source}" if source else f"path:{target}")


def open_upload(target: Any, source: Any | None, paired: str) -> None:
    """Make uploaded files this session's data."""
    study = _read_upload(target, source, paired)
    token = f"upload:{study.digest}"
    st.session_state["upload"] = None
    _hold_upload.clear()
    _hold_upload(token, study)
    settings.put("data", token)


def data_root() -> Path | None:
    """The folder from which server paths may be read, if the operator named one."""
    root = os.environ.get(DATA_ROOT)
    return Path(root).resolve() if root else None


def allowed_path(text: str) -> Path:
    """A path under the operator's folder; links that lead out of it are refused."""
    root = data_root()
    if root is None:
        raise UnusableInput("this server reads no paths; start it with --data FOLDER to allow one")
    path = (root / text).resolve()
    if path != root and root not in path.parents:
        raise UnusableInput(
            f"{text} lies outside the folder that this server may read; name a path inside it"
        )
    return path


def command_paths(study: Study) -> list[str]:
    """What the command line calls this data."""
    if study.origin.startswith("sample:"):
        return [study.origin]
    if study.origin.startswith("path:"):
        return [_keyed(part) for part in study.origin.removeprefix("path:").split("|")]
    report = study.pair.report
    return list(dict.fromkeys((report.path_target, report.path_source)))


@st.cache_resource(max_entries=4, show_spinner=False)
def _sample(name: str) -> Study:
    known = {card.name: card for card in samples()}
    if name not in known:
        raise UnusableInput(f"there is no sample {name!r}; choose one of {', '.join(known)}")
    path = files("realign_core.samples") / "data" / f"{name}.parquet"
    return Study.of(load_pair(str(path)), name=known[name].title, origin=f"sample:{name}")


@st.cache_resource(scope="session", max_entries=2, show_spinner=False)
def _from_path(target: str, source: str | None) -> Study:
    # A key such as file.npz:image is no part of the path that is checked.
    paths = [_keyed(part) for part in (target, source) if part]
    pair = load_pair(*paths)
    origin = f"path:{target}|{source}" if source else f"path:{target}"
    return Study.of(pair, name=" and ".join(part for part in (target, source) if part), origin=origin)


def _keyed(text: str) -> str:
    path = allowed_path(text)
    if not path.exists() and ":" in text:
        head, _, key = text.rpartition(":")
        return f"{allowed_path(head)}:{key}"
    return str(path)


@st.cache_resource(scope="session", max_entries=1, show_spinner=False)
def _hold_upload(token: str, _study: Study) -> Study:
    return _study


def _uploaded(token: str) -> Study:
    # The held study is the only one under its token; a missing one was freed with its connection.
    return _hold_upload(token, _Missing())


class _Missing:
    """Stands where an uploaded study has gone."""

    def __getattr__(self, name: str) -> Any:
        raise UnusableInput(
            "the uploaded data is no longer held by the server; upload it again on the Data page"
        )


def _read_upload(target: Any, source: Any | None, paired: str) -> Study:
    with tempfile.TemporaryDirectory(prefix="gapscope-") as folder:
        paths = []
        for role, upload in (("target", target), ("source", source)):
            if upload is not None:
                path = Path(folder) / role / Path(upload.name).name
                path.parent.mkdir()
                with path.open("wb") as file:
                    upload.seek(0)
                    shutil.copyfileobj(upload, file)
                paths.append(str(path))
        try:
            pair = load_pair(*paths, paired=paired, trusted=False)
        except UnusableInput as error:
            raise UnusableInput(str(error).replace(folder + os.sep, "")) from error
        pair = replace(pair, report=_named_as_uploaded(pair.report, folder))
        return Study.of(pair, name=" and ".join(Path(path).name for path in paths), origin="upload")


def _named_as_uploaded(report: LoadReport, folder: str) -> LoadReport:
    """Without the folder that held the upload; with the role before two names that are alike."""
    alike = len({Path(path).name for path in (report.path_target, report.path_source)}) == 1
    prefix = re.escape(folder + os.sep) + ("" if alike and report.path_target != report.path_source else r"\w+/")

    def named(text: str) -> str:
        return re.sub(prefix, "", text)

    return replace(
        report,
        path_target=named(report.path_target),
        path_source=named(report.path_source),
        warnings=tuple(map(named, report.warnings)),
    )
