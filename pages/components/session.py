"""What one session holds beside its settings: opened data and running jobs, freed when its tab is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.components import sweeper


@dataclass(eq=False)
class Held:
    """`studies` by what reopens them, `jobs` as `(key, job)` by slot, `asked` what is to be opened next,
    `encoding` what is to be encoded next as `(key, work)`, `encoded` what the last encoding has to say,
    `second` the diagnosis of another source against the data in use, by both of them, `runs` the training
    run in use by the state of its files, `ahead` what is to be prepared before it is asked for."""

    studies: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, tuple[str, Any]] = field(default_factory=dict)
    asked: tuple[str, Any, Any] | None = None
    encoding: tuple[str, Any] | None = None
    encoded: Any = None
    second: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Any] = field(default_factory=dict)
    ahead: Any = None

    def release(self) -> None:
        """Stop what runs and let go of the data."""
        for _, job in self.jobs.values():
            job.cancel()
        self.jobs.clear()
        self.drop_studies()
        self.second.clear()
        self.runs.clear()
        self.asked = self.encoding = self.encoded = None

    def stop_preparing(self) -> None:
        """Leave out what was to be prepared and has not begun."""
        if self.ahead is not None:
            self.ahead.cancel()
            self.ahead = None

    def drop_studies(self) -> None:
        """Let go of the data, and of what was computed or is being prepared from them."""
        self.stop_preparing()
        for study in self.studies.values():
            study.release()
        self.studies.clear()
        sweeper.soon()


# Streamlit empties a cache of this scope as soon as the browser is gone, unlike `st.session_state`.
@st.cache_resource(scope="session", on_release=Held.release, show_spinner=False)
def held() -> Held:
    """This session's own."""
    return Held()
