"""Which row is looked at: by number, by its caption, from the selection, or among those harmed most."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components import rowcards, selection, settings
from pages.components.study import Study
from pages.components.words import plain
from realign_core.comparison import Comparison, MethodResult
from realign_core.comparison.inspection import most_harmed, shares_kept
from realign_core.comparison.result import JudgedRows
from realign_core.figures.theme import LABELS
from realign_core.glossary import count

FOUND = 8
HARMED = 8
CUT = 60


def side_of(result: Comparison) -> str:
    """Held-out or in-sample, as set; in-sample where nothing is held out."""
    return settings.get("judged") if settings.get("judged") in result.rows else "in-sample"


def methods_of(result: Comparison) -> dict[str, MethodResult]:
    """Methods that moved the rows."""
    return {name: method for name, method in result.methods.items() if method and name != "identity"}


def pick(study: Study, result: Comparison) -> int:
    """The widgets, and the number of the row that they name."""
    number, search, judged = st.columns([1, 3, 2], gap="medium", vertical_alignment="bottom")
    with judged:
        if "held-out" in result.rows:
            settings.bind(
                "judged",
                st.segmented_control,
                "Rows",
                ("held-out", "in-sample"),
                format_func={"held-out": "Held out", "in-sample": "All, in-sample"}.get,
                required=True,
                help="Held out: methods were not fitted to the rows that are shown. In-sample: they were.",
            )
    rows = result.rows[side_of(result)]
    start = settings.get("row")
    if start < 0 or start >= study.pair.report.n_source:
        start = _first(study, result, rows)
    with number:
        row = settings.bind(
            "row",
            st.number_input,
            "Row",
            min_value=0,
            max_value=study.pair.report.n_source - 1,
            step=1,
            to_widget=lambda _: start,
        )
    words = ""
    with search:
        if study.pair.captions is None:
            st.caption("These data have no captions to search; rows go by their number.")
        else:
            words = st.text_input("Search the captions", key="caption_search", placeholder="red ball")
    if study.pair.captions is not None and words.strip():
        _results(study, rows, words)
    _selected(study, rows)
    return row


def harmed(study: Study, result: Comparison) -> None:
    """The rows that a method harmed most; a click opens one."""
    methods = methods_of(result)
    if settings.get("method") not in methods:
        settings.put("method", next(iter(methods)))
    settings.bind(
        "method",
        st.selectbox,
        "Method",
        tuple(methods),
        format_func=lambda name: LABELS.get(name, name),
    )
    rows, shares = shares_of(result, methods[settings.get("method")])
    k = min(result.settings.k, rows.before.places.shape[1])
    with st.container(gap="xxsmall"):
        for place in most_harmed(shares, HARMED):
            row = int(rows.source[place])
            _button(study, row, f"kept {round(shares[place] * k)} of {k}", f"harmed_{row}")


def shares_of(result: Comparison, method: MethodResult) -> tuple[JudgedRows, np.ndarray]:
    """The judged rows and the share of neighbours that each of them kept."""
    side = side_of(result)
    rows = result.rows[side]
    return rows, shares_kept(rows, method.view.after[side], result.settings.k)


def _first(study: Study, result: Comparison, rows: JudgedRows) -> int:
    chosen = [row for row in selection.current(study).source if row in set(rows.source.tolist())]
    methods = methods_of(result)
    if chosen:
        return chosen[0]
    name = settings.get("method") if settings.get("method") in methods else next(iter(methods))
    return int(rows.source[most_harmed(shares_of(result, methods[name])[1], 1)[0]])


def _results(study: Study, rows: JudgedRows, words: str) -> None:
    found, wanted = [], words.lower().split()
    for row in rows.source:
        text = rowcards.caption_of(study, row).lower()
        if all(word in text for word in wanted):
            found.append(int(row))
    if not found:
        st.caption("No caption of the rows shown has all these words.")
        return
    with st.container(border=True):
        many = f"{count(len(found))} rows" if len(found) > 1 else "One row"
        st.caption(many + (f", the first {FOUND}:" if len(found) > FOUND else ":"))
        for row in found[:FOUND]:
            _button(study, row, "", f"found_{row}")


def _selected(study: Study, rows: JudgedRows) -> None:
    judged = set(rows.source.tolist())
    chosen = [row for row in selection.current(study).source if row in judged]
    if not chosen:
        return

    def take() -> None:
        if st.session_state["from_selection"] is not None:
            settings.choose("row", st.session_state["from_selection"])

    left, right = st.columns([5, 1], vertical_alignment="bottom")
    left.selectbox(
        f"From the {count(len(chosen))} rows selected in Compare",
        chosen,
        index=None,
        placeholder="Choose one of them",
        format_func=lambda row: _title(study, row),
        key="from_selection",
        on_change=take,
    )
    right.button("Clear", key="clear_selection", on_click=selection.clear, width="stretch")


def _button(study: Study, row: int, fact: str, key: str) -> None:
    text = (f"**{fact}** · " if fact else "") + plain(_title(study, row))
    st.button(text, key=key, type="tertiary", on_click=settings.choose, args=("row", row))


def _title(study: Study, row: int) -> str:
    caption = rowcards.caption_of(study, row)
    cut = caption if len(caption) <= CUT else caption[: CUT - 1] + "…"
    return f"{row}: {cut}" if cut else rowcards.name_of(study, row)
