"""What numbers mean, one click away: meaning, formula, range and source from the glossary."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from realign_core.glossary import term

BETTER = {"up": " Higher is better.", "down": " Lower is better.", None: ""}


def popover(keys: Iterable[str], *, key: str, label: str = "Definitions") -> None:
    """A button that opens the entries of these glossary keys."""
    with st.popover(label, type="tertiary", key=key):
        show(keys)


def show(keys: Iterable[str]) -> None:
    """The entries one below the other."""
    st.markdown("\n\n".join(map(_entry, keys)))


def help_of(key: str) -> str:
    """An entry as the tooltip of a metric or a widget."""
    return _entry(key)


def _entry(key: str) -> str:
    entry = term(key)
    # Two ticks, so that a tick in a formula would not end it.
    return (
        f"**{entry.label}.** {entry.meaning}{BETTER[entry.better]}  \n"
        f"`` {entry.formula} ``  \n"
        f"Range: {entry.range}. Source: {entry.source}."
    )
