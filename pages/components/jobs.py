"""Work that takes longer than a second: in a thread, with progress and a way to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from logging import getLogger
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from pages.components import session
from pages.components.words import plain
from realign_core.checkpoint import checked_by, counted_by, told_to
from realign_core.glossary import count
from realign_core.validation import UnusableInput

POLL_SECONDS = 0.3
PATIENCE_SECONDS = 1.0


class Cancelled(Exception):
    """The reader asked to stop."""


class Job:
    """One running computation; `report` is its progress callback and raises `Cancelled` once stopped."""

    def __init__(self, work: Callable[[Callable[[str], None]], Any]):
        self.stage = "starting"
        self._pass, self._rows = 1, (0, 0)
        self.started = time.monotonic()
        self.value: Any = None
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def report(self, stage: str) -> None:
        """Note what is being done; raises `Cancelled` where it is to stop."""
        self.check()
        self._pass, self._rows = 1, (0, 0)
        self.stage = stage

    def rows(self, done: int, of: int) -> None:
        """Note how many rows a pass has read; fewer than before, or of others, are another pass."""
        before, whole = self._rows
        if whole and (done < before or of != whole):
            self._pass += 1
        self._rows = done, of

    @property
    def share(self) -> float | None:
        """How much of the present pass is done; None while no rows are read."""
        done, of = self._rows
        return done / of if of else None

    @property
    def doing(self) -> str:
        """What is being done, and how far it is, in words."""
        done, of = self._rows
        if not of:
            return self.stage
        turn = f", pass {self._pass}" if self._pass > 1 else ""
        return f"{self.stage}{turn} · {count(done)} of {count(of)} rows"

    def check(self) -> None:
        """Raise `Cancelled` where the work is to stop; long loops come here once a block."""
        if self._stop.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._stop.set()

    @property
    def done(self) -> bool:
        """Whether the work has ended, one way or another."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait a while; whether the work has ended."""
        self._thread.join(seconds)
        return self.done

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def _run(self, work: Callable[[Callable[[str], None]], Any]) -> None:
        try:
            with checked_by(self.check), told_to(self.report), counted_by(self.rows):
                self.value = work(self.report)
        except BaseException as error:
            if not isinstance(error, (Cancelled, UnusableInput)):
                getLogger(__name__).exception("job failed")
            # Its traceback would keep the frames, and with them the data, for as long as the error is known.
            error.__cause__ = error.__context__ = None
            self.error = error.with_traceback(None)


def run(key: str, work: Callable[[Callable[[str], None]], Any]) -> Any:
    """The result of `work(progress)`, named by `key` within this session.

    Returns at once where it takes under a second. Otherwise shows progress and a Cancel button, and raises
    `StopException`, which ends the page or the section until the work is done (`st.stop` would also end the
    sections after it); a cancelled job leaves a sentence and a button to start it again. Jobs
    whose keys begin alike, up to the first bar, replace each other.
    """
    slot = f"job_{key.split('|')[0]}"
    jobs = session.held().jobs
    held = jobs.get(slot)
    if held is None or held[0] != key:
        if held is not None:
            held[1].cancel()
        held = jobs[slot] = (key, Job(work))
    job = held[1]
    if job.cancelled:
        st.info("Stopped. Nothing was lost: what had been computed is kept.")
        st.button("Start again", on_click=_forget, args=(slot,), key=f"{slot}_again")
        raise StopException
    if not job.wait(PATIENCE_SECONDS):
        _watch(slot)
        raise StopException
    jobs.pop(slot, None)
    if isinstance(job.error, UnusableInput):
        raise job.error
    if job.error is not None:
        raise RuntimeError("the computation failed") from job.error
    return job.value


@st.fragment(run_every=POLL_SECONDS)
def _watch(slot: str) -> None:
    _, job = session.held().jobs.get(slot, (None, None))
    if job is None or job.done or job.cancelled:
        st.rerun()
    left, right = st.columns([6, 1], vertical_alignment="center")
    seconds = time.monotonic() - job.started
    left.markdown(f"Working: {plain(job.doing)} · {seconds:.0f} s")
    right.button("Cancel", key=f"{slot}_cancel", on_click=_cancel, args=(slot,), width="stretch")
    if job.share is not None:
        st.progress(job.share)


def _cancel(slot: str) -> None:
    # By name: what a widget calls is kept for as long as its session, and must not keep the job.
    held = session.held().jobs.get(slot)
    if held:
        held[1].cancel()


def _forget(slot: str) -> None:
    session.held().jobs.pop(slot, None)
