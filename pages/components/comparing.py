"""The comparison that a page shows, computed in the background where it takes a while."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from pages.components import choices, jobs, theme
from pages.components.study import Study
from pages.components.words import plain
from realign_core import alignment
from realign_core.comparison import Comparison, Settings
from realign_core.figures.described import Described
from realign_core.figures.theme import LABELS


def current(study: Study) -> Comparison:
    """The comparison under this session's settings, of every chosen method."""
    return _known(study, choices.comparison_settings(study), "comparison")


def without_training(study: Study) -> Comparison:
    """The comparison of the chosen methods but those whose network is still to be trained.

    Where no others are chosen it waits for them.
    """
    settings = choices.comparison_settings(study)
    waiting = to_train(study, settings)
    others = tuple(name for name in settings.methods or () if name not in waiting)
    if not waiting or not others:
        return current(study)
    return _known(study, replace(settings, methods=others), "comparison")


def train(study: Study) -> None:
    """Train what is still to be trained, with progress, then show the page with it."""
    settings = choices.comparison_settings(study)
    waiting = to_train(study, settings)
    if not waiting:
        return
    names = " and ".join(LABELS.get(name, name) for name in waiting)
    st.caption(plain(f"{names} trains a network and joins the others when that is done."))
    _known(study, settings, "training")
    st.rerun()


def to_train(study: Study, settings: Settings) -> tuple[str, ...]:
    """Chosen methods with a network that is not trained under these settings."""
    return tuple(
        name
        for name in settings.methods or ()
        if alignment.traits(alignment.create(name)).trained and not study.has_method(settings, name)
    )


def _known(study: Study, settings: Settings, slot: str) -> Comparison:
    if study.has_comparison(settings):
        return study.comparison(settings)

    def work(progress: Callable[[str], None]) -> Comparison:
        return study.comparison(settings, progress)

    return jobs.run(f"{slot}|{study.digest}|{key_of(settings)}", work)


def key_of(settings: Settings) -> str:
    """The settings as text, by which what follows from them is known."""
    return json.dumps(settings.to_dict(), sort_keys=True)


def drawn(study: Study, result: Comparison, words: Described, *more: str) -> go.Figure:
    """A figure of the comparison as this page's theme wants it, drawn once for its key and `more`."""
    dark = theme.dark()
    return study.drawn((words.key, key_of(result.settings), dark, *more), lambda: words.draw(dark))
