"""Rows in words and pictures: number, label, caption and thumbnail."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from pages.components import selection, settings, theme, thumbnails
from pages.components.selection import Selection
from pages.components.study import Study
from realign_core.figures.theme import palette
from realign_core.glossary import count

PICTURES = 12
LISTED = 500
WIDTHS = {"row": 80, "label": 140}


def caption_of(study: Study, row: int) -> str:
    """The caption of a source row; empty where there is none."""
    captions = study.pair.captions
    return "" if captions is None or captions[row] is None else str(captions[row])


def label_of(study: Study, row: int) -> str:
    """The label of a pair's row; empty where there is none, and for source rows without a pair."""
    labels = study.pair.labels if study.pair.paired else None
    return "" if labels is None or labels[row] is None else str(labels[row])


def name_of(study: Study, row: int) -> str:
    """A row's number, with the identifier that the file gives it."""
    ids = study.pair.ids if study.pair.paired else None
    return f"row {row}" if ids is None else f"row {row} ({ids[row]})"


def selected(study: Study, chosen: Selection) -> None:
    """How many rows are selected and which, with ways to clear them and to look closer."""
    many = f"**{count(len(chosen.source))} pairs selected**"
    if not study.pair.paired:
        many = f"**{count(len(chosen.target))} target and {count(len(chosen.source))} source rows selected**"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(many, width="content")
        if chosen.source and st.button("Open in Neighbours", key="open_neighbours"):
            settings.put("row", chosen.source[0])
            st.switch_page("pages/neighbours.py")
        st.button("Clear", key="clear_selection", on_click=selection.clear)
    rows = chosen.source
    pictures = [(row, thumbnails.of_row(study, row)) for row in rows[:PICTURES]]
    shown = "".join(
        f'<img src="{data}" alt="{escape(caption_of(study, row) or name_of(study, row))}" '
        f'title="{escape(name_of(study, row))}" style="height:72px;border-radius:4px">'
        for row, data in pictures
        if data
    )
    if shown:
        st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.5rem">{shown}</div>')
    if rows and (study.pair.captions is not None or study.pair.labels is not None):
        table: dict[str, Sequence[object]] = {"row": rows[:LISTED]}
        if study.pair.labels is not None and study.pair.paired:
            table["label"] = [label_of(study, row) for row in rows[:LISTED]]
        if study.pair.captions is not None:
            table["caption"] = [caption_of(study, row) for row in rows[:LISTED]]
        height = 38 + 35 * min(5, len(table["row"]))
        widths = {name: st.column_config.Column(width=pixels) for name, pixels in WIDTHS.items()}
        st.dataframe(pd.DataFrame(table), hide_index=True, height=height, column_config=widths)
        if len(rows) > LISTED:
            st.caption(f"The first {LISTED} are listed.")


def card(study: Study, row: int) -> str:
    """One row as HTML: its picture, caption, number and label."""
    p = palette(theme.dark())
    data = thumbnails.of_row(study, row)
    picture = f'<img src="{data}" alt="" style="height:84px;border-radius:4px;flex:none">' if data else ""
    name, label = escape(name_of(study, row)), escape(label_of(study, row))
    caption = escape(caption_of(study, row)) or name.capitalize()
    facts = " · ".join(filter(None, (name if caption_of(study, row) else "", label)))
    return (
        f'<div style="display:flex;gap:.75rem;align-items:center">{picture}<div>'
        f'<div style="font-size:1.05rem">{caption}</div>'
        f'<div style="color:{p.muted};font-size:.85rem">{facts}</div></div></div>'
    )
