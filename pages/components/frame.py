"""What stands around every page: heading, data in use, theme, errors in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger

import streamlit as st

from pages.components import settings, sources, theme
from pages.components.study import Study
from realign_core.validation import UnusableInput


@contextmanager
def page(title: str) -> Iterator[Study]:
    """Heading, theme and this session's data around a page; afterwards the settings go into the URL.

    Where the data cannot be opened, says why and stops the page.
    """
    theme.watch()
    st.title(title)
    try:
        study = sources.current()
        report = study.pair.report
    except UnusableInput as error:
        st.error(str(error))
        st.button("Open the bundled sample", on_click=sources.open_sample, args=("scenes",))
        settings.sync_url()
        st.stop()
    rows = f"{report.n_target:,} pairs"
    if not report.paired:
        rows = f"{report.n_target:,} target and {report.n_source:,} source rows, unpaired"
    st.caption(f"{study.name} · {rows} · {report.dim} dimensions".replace(",", "\u202f"))
    yield study
    settings.sync_url()


@contextmanager
def section(title: str | None = None) -> Iterator[None]:
    """A part of a page: what goes wrong in it is said in it, and the rest of the page stays."""
    if title:
        st.subheader(title)
    try:
        yield
    except UnusableInput as error:
        st.error(str(error))
    except MemoryError:
        st.error("This needs more memory than the server has; read fewer rows.")
    except Exception as error:
        getLogger(__name__).exception("section failed")
        st.error(f"This part failed unexpectedly ({type(error).__name__}); the server's log says where.")
