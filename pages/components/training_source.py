"""Which training run a session looks at: the bundled one, or a folder that the operator allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.components import jobs, session, settings, sources
from pages.components.training_run import Run, run_files, state_of
from realign_core.training.snapshots import open_snapshots
from realign_core.validation import UnusableInput

if TYPE_CHECKING:
    import pandas as pd


def bundled() -> Path | None:
    """The folder of the bundled run, where there is one."""
    folder = Path(str(files("realign_core.samples"))) / "training"
    return folder if run_files(folder) else None


def chosen() -> tuple[Path, str] | None:
    """Folder and name of the run to look at; None where none is named and none is bundled.

    Raises `UnusableInput` for a folder that may not be read.
    """
    text = settings.get("run").strip()
    if not text:
        folder = bundled()
        return (folder, "Bundled run") if folder else None
    folder = sources.allowed_path(text)
    for name in run_files(folder):
        # A link inside the folder may lead out of what the operator allows.
        sources.allowed_path(str(folder / name))
    return folder, text


def steps_of(folder: Path) -> tuple[int, ...]:
    """Steps of the snapshots in a folder, by their names alone."""
    with _as_named():
        return open_snapshots(folder).steps


def current(folder: Path, name: str, reference: int) -> tuple[Run, pd.DataFrame]:
    """The run and its table at a reference step and this session's energy; read in the background."""
    store = _shared() if folder == bundled() else session.held().runs
    energy = settings.get("energy")
    with _as_named():
        state = state_of(folder)
        run = store.get(state)
        if run is None or not run.has(reference, energy):
            work = _reader(folder, name, run, reference, energy)
            run = jobs.run(f"training|{state}|{reference}|{energy}", work)
            # One run at a time, as its files are now.
            store.clear()
            store[state] = run
        return run, run.table(reference, energy, lambda _: None)


def _reader(
    folder: Path, name: str, run: Run | None, reference: int, energy: float
) -> Callable[[Callable[[str], None]], Run]:
    known = run

    def work(progress: Callable[[str], None]) -> Run:
        opened = known or Run.open(folder, name, progress)
        opened.table(reference, energy, progress)
        return opened

    return work


@contextmanager
def _as_named() -> Iterator[None]:
    """Errors inside name files as the reader does, without the folders above them."""
    try:
        yield
    except UnusableInput as error:
        raise UnusableInput(sources.as_named(str(error))) from error


@st.cache_resource(show_spinner=False)
def _shared() -> dict[str, Run]:
    """The bundled run, one for all sessions."""
    return {}
