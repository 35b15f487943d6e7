"""Jobs: at once where they are quick, cancelled at their next step, and told apart by key."""

from __future__ import annotations

import gc
import threading
import types
import weakref

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import jobs
from pages.components.jobs import Cancelled, Job
from realign_core.checkpoint import checkpoint
from realign_core.validation import UnusableInput


def page() -> None:
    """A page that waits for work which the test holds."""
    import streamlit as st
    from tests_state import WORK

    from pages.components import jobs

    try:
        st.write(f"found {jobs.run(WORK.key, WORK.work)}")
    except ValueError as error:
        st.error(str(error))


@pytest.fixture
def work(monkeypatch):
    """What the page computes; the test decides when it ends."""
    import sys
    import types

    state = types.SimpleNamespace(
        key="slow|1", go=threading.Event(), started=threading.Event(), calls=0, error=None
    )

    def compute(progress):
        state.calls += 1
        progress("counting")
        state.started.set()
        while not state.go.wait(0.01):
            progress("counting")
        if state.error:
            raise state.error
        return 42

    state.work = compute
    module = types.ModuleType("tests_state")
    module.WORK = state
    monkeypatch.setitem(sys.modules, "tests_state", module)
    yield state
    state.go.set()


def test_quick_work_answers_in_the_same_run(work):
    work.go.set()
    at = AppTest.from_function(page).run()
    assert at.markdown[0].value == "found 42"
    assert not at.button


def test_slow_work_shows_what_it_does_and_ends_with_its_result(work, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.05)
    at = AppTest.from_function(page).run()
    assert "Working: counting" in at.markdown[0].value
    work.go.set()
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 10)
    at.run()
    assert at.markdown[0].value == "found 42"
    assert work.calls == 1


def test_cancelling_says_so_at_once_and_work_can_start_again(work, held, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.05)
    at = AppTest.from_function(page).run()
    (_, job) = held.jobs["job_slow"]
    at.button(key="job_slow_cancel").click().run()
    assert "Stopped" in at.info[0].value
    assert job.wait(1)
    assert isinstance(job.error, Cancelled)
    work.go.set()
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 10)
    at.button(key="job_slow_again").click().run()
    assert at.markdown[0].value == "found 42"


def test_another_key_stops_the_work_that_nobody_waits_for(work, held, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.05)
    at = AppTest.from_function(page).run()
    (_, first) = held.jobs["job_slow"]
    work.key = "slow|2"
    at.run()
    assert first.cancelled
    assert first.wait(1)


def test_unusable_input_reaches_the_page_as_itself(work):
    work.error = UnusableInput("no rows; give some")
    work.go.set()
    at = AppTest.from_function(page).run()
    assert at.error[0].value == "no rows; give some"
    assert not at.button


def test_a_closed_tab_stops_its_jobs_and_frees_its_data(work, held, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.05)
    AppTest.from_function(page).run()
    (_, job) = held.jobs["job_slow"]
    held.studies["path:x"] = types.SimpleNamespace(release=lambda: None)
    held.release()
    assert job.wait(1)
    assert not held.jobs
    assert not held.studies


def test_long_loops_stop_at_their_next_block():
    reached = threading.Event()

    def loop(progress):
        while True:
            checkpoint()
            reached.set()

    job = Job(loop)
    assert reached.wait(2)
    job.cancel()
    assert job.wait(1)
    assert isinstance(job.error, Cancelled)


def test_what_a_stopped_job_worked_on_is_freed():
    class Rows:
        pass

    rows, reached = Rows(), threading.Event()
    known = weakref.ref(rows)

    def start(rows):
        def loop(progress):
            while True:
                reached.set()
                progress("reading" if rows else "")

        return Job(loop)

    job = start(rows)
    del rows
    assert reached.wait(2)
    job.cancel()
    assert job.wait(1)
    gc.collect()
    assert isinstance(job.error, Cancelled)
    assert known() is None


def test_rows_are_counted_pass_by_pass_in_every_stage():
    job = Job(lambda progress: None)
    assert job.share is None
    job.report("moments")
    job.rows(500, 1000)
    # Two sets read in step are heard twice.
    job.rows(500, 1000)
    assert job.doing == "moments · 500 of 1\N{NARROW NO-BREAK SPACE}000 rows"
    assert job.share == 0.5
    job.rows(1000, 1000)
    job.rows(250, 1000)
    assert job.doing == "moments, pass 2 · 250 of 1\N{NARROW NO-BREAK SPACE}000 rows"
    job.report("drift")
    assert job.doing == "drift"
