"""The comparison that a page shows, computed in the background where it takes a while."""

from __future__ import annotations

import json
from collections.abc import Callable

import plotly.graph_objects as go

from pages.components import choices, jobs, theme
from pages.components.study import Study
from realign_core.comparison import Comparison, Settings
from realign_core.figures.described import Described


def current(study: Study) -> Comparison:
    """The comparison under this session's settings."""
    settings = choices.comparison_settings(study)
    if study.has_comparison(settings):
        return study.comparison(settings)

    def work(progress: Callable[[str], None]) -> Comparison:
        return study.comparison(settings, progress)

    return jobs.run(f"comparison|{study.digest}|{key_of(settings)}", work)


def key_of(settings: Settings) -> str:
    """The settings as text, by which what follows from them is known."""
    return json.dumps(settings.to_dict(), sort_keys=True)


def drawn(study: Study, result: Comparison, words: Described, *more: str) -> go.Figure:
    """A figure of the comparison as this page's theme wants it, drawn once for its key and `more`."""
    dark = theme.dark()
    return study.drawn((words.key, key_of(result.settings), dark, *more), lambda: words.draw(dark))
