"""What stands around every page: heading, data in use, theme, errors in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import getLogger

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import StopException

from pages.components import address, settings, sources, stepper_keys, sweeper, theme
from pages.components.study import Study
from pages.components.words import plain
from realign_core.glossary import count
from realign_core.validation import UnusableInput


@contextmanager
def page(title: str, *, without_data: Callable[[], None] | None = None) -> Iterator[Study]:
    """Heading, theme and this session's data around a page; afterwards the settings go into the URL.

    Where the data cannot be opened, says why, shows `without_data` and stops the page.
    """
    with bare_page(title) as about:
        study = None
        with section():
            study = sources.current()
        if study is None:
            if without_data:
                without_data()
            else:
                st.button("Open the bundled sample", on_click=sources.open_sample, args=("scenes",))
            st.stop()
        about.caption(plain(_in_use(study)))
        _changed(study)
        settings.fit(study.pair.report)
        yield study


@contextmanager
def bare_page(title: str) -> Iterator[DeltaGenerator]:
    """Heading and theme around a page without this session's data; gives the place beside the heading."""
    sweeper.start()
    heading = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with heading:
        st.title(title, anchor=False, width="content")
        about = st.container(width="stretch")
        theme.watch()
        stepper_keys.listen()
    try:
        yield about
    finally:
        with heading:
            address.write(settings.in_url())


@contextmanager
def section(title: str | None = None, *, holds_up: bool = True) -> Iterator[None]:
    """A part of a page: what goes wrong in it is said in it, and the rest of the page stays.

    With `holds_up=False` the rest is also shown while this part still computes.
    """
    if title:
        st.subheader(title, anchor=False)
    try:
        yield
    except UnusableInput as error:
        st.error(plain(sources.as_named(str(error))))
    except MemoryError:
        st.error("This needs more memory than the server has; read fewer rows.")
    except StopException:
        if holds_up:
            raise
    except Exception as error:
        getLogger(__name__).exception("section failed")
        st.error(f"This part failed unexpectedly ({type(error).__name__}); the server's log says where.")


def _changed(study: Study) -> None:
    """Say where a file of the data is no longer what was read, and offer to read it again."""
    changed = study.files and study.files.changed
    if not changed:
        return
    words, offer = st.columns([5, 1], vertical_alignment="center")
    words.warning(
        plain(sources.as_named(changed)) + " What stands here is from the rows as they were; nothing new is "
        "computed from them."
    )
    offer.button("Read it again", key="read_again", on_click=sources.read_again, width="stretch")


def _in_use(study: Study) -> str:
    report = study.pair.report
    rows = f"{count(report.n_target)} pairs"
    if not report.paired:
        rows = f"{count(report.n_target)} target and {count(report.n_source)} source rows, unpaired"
    return f"{study.name} · {rows} · {report.dim} dimensions"
