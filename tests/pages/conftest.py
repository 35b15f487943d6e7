"""Pages run as Streamlit's own test harness runs them: the script in this process, no browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from patience import HANGING
from streamlit.testing.v1 import AppTest

from pages.components import jobs, session

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Jobs on small data end before the page goes on, however busy the machine is."""
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 60.0)


@pytest.fixture(autouse=True)
def held(monkeypatch) -> session.Held:
    """What the session under test holds; the harness gives every run the same session id."""
    own = session.Held()
    monkeypatch.setattr(session, "held", lambda: own)
    return own


@pytest.fixture
def opened() -> Callable[..., AppTest]:
    """`opened("geometry", energy="0.9")`: the app at a page, with settings in the URL."""

    def open_page(page: str = "data", **query: str) -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=HANGING)
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        return at if page == "data" else at.switch_page(f"pages/{page}.py").run()

    return open_page
