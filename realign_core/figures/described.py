"""A figure with all that must stand beside it: title, how to read it, text alternative, table, terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go

NO_VALUE = "There is nothing to show for these data; the figure says why."
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Described:
    """`draw(dark)` gives the figure; `alt` says in words what it shows, `columns` and `rows` hold its
    numbers; `terms` are keys of the glossary. `wide` figures want the whole width of a page.
    """

    key: str
    title: str
    reading: str
    alt: str
    columns: tuple[str, ...]
    rows: Rows
    terms: tuple[str, ...]
    draw: Callable[[bool], go.Figure]
    wide: bool = False

    @property
    def empty(self) -> bool:
        """Whether these data have no such figure; it then shows a sentence that says why."""
        return self.alt == NO_VALUE
