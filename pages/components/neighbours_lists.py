"""A row's nearest neighbours before and after each method, kept and lost told apart by sign and colour."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from pages.components import neighbours_choice, rowcards, settings, theme, thumbnails
from pages.components.study import Study
from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.comparison.inspection import Neighbourhood, neighbourhood
from realign_core.figures.theme import LABELS, Palette, method_colour, palette
from realign_core.glossary import listed, shown

SHOWN = 20
ABREAST = 3
"""Methods in one table, so that it stays within the page."""


def show(study: Study, result: Comparison, row: int) -> None:
    """The row, and a table of its neighbours."""
    st.html(rowcards.card(study, row))
    side = neighbours_choice.side_of(result)
    rows = result.rows[side]
    place = np.flatnonzero(rows.source == row)
    if not len(place):
        st.info(_why_not(result, side, row))
        if side == "held-out":
            st.button(
                "Look at all rows in-sample",
                key="show_in_sample",
                on_click=settings.choose,
                args=("judged", "in-sample"),
            )
        return
    found = {
        name: neighbourhood(rows, method.view.after[side], int(place[0]), result.settings.k)
        for name, method in neighbours_choice.methods_of(result).items()
    }
    st.markdown(plain(_sentence(result, found)))
    p, dark = palette(theme.dark()), theme.dark()
    names = list(found)
    for start in range(0, len(names), ABREAST):
        some = {name: found[name] for name in names[start : start + ABREAST]}
        st.html(f"<style>{_style(p)}</style>{_table(study, rows.source, some, dark)}")
    k = next(iter(found.values())).before.shape[0]
    limit = f" The nearest {SHOWN} of {k} are listed; the counts are of all {k}." if k > SHOWN else ""
    st.caption(
        "✓ was a neighbour before and still is, + is new, ✗ was lost. Numbers at the right are cosines with "
        f"the row.{limit}"
    )


def _sentence(result: Comparison, found: dict[str, Neighbourhood]) -> str:
    """How many neighbours each method kept, beside what it keeps of rows on average."""
    kept, usual = [], []
    for name, after in found.items():
        _, shares = neighbours_choice.shares_of(result, result.fitted[name])
        kept.append(f"{LABELS.get(name, name)} keeps {int(after.kept.sum())}")
        usual.append(shown(float(shares.mean()) * len(after.kept)))
    k = len(next(iter(found.values())).kept)
    return f"Of its {k} nearest neighbours {listed(kept)}. Over all rows the average is {listed(usual)}."


def _why_not(result: Comparison, side: str, row: int) -> str:
    if side == "held-out":
        return (
            f"Row {row} is on the side that methods were fitted to, so it has no held-out neighbours. Choose "
            "another row, or look at all rows in-sample."
        )
    return (
        f"Row {row} is not in the sample of {len(result.rows[side].source)} rows on which methods are judged."
    )


def _table(study: Study, numbers: np.ndarray, found: dict[str, Neighbourhood], dark: bool) -> str:
    first = next(iter(found.values()))
    head = "<th scope='col'>Before any map</th>"
    for name, after in found.items():
        dot = f'<span class="dot" style="background:{method_colour(name, dark)}"></span>'
        label = escape(LABELS.get(name, name))
        head += f"<th scope='col'>{dot}{label}: kept {int(after.kept.sum())} of {len(after.kept)}</th>"
    body = ""
    for rank in range(min(SHOWN, len(first.before))):
        cells = _cell(
            study, int(numbers[first.before[rank]]), first.before_cosines[rank], _fates(found, rank)
        )
        for after in found.values():
            sign = ('<b class="kept" title="kept">✓</b>') if after.stayed[rank] else _NEW
            cells += _cell(study, int(numbers[after.after[rank]]), after.after_cosines[rank], "", sign)
        body += f"<tr><th scope='row'>{rank + 1}</th>{cells}</tr>"
    return (
        "<table class='lists'><thead><tr><th scope='col'><span class='hidden'>Rank</span></th>"
        f"{head}</tr></thead><tbody>{body}</tbody></table>"
    )


_NEW = '<b class="new" title="new">+</b>'


def _fates(found: dict[str, Neighbourhood], rank: int) -> str:
    kept = [LABELS.get(name, name) for name, after in found.items() if after.kept[rank]]
    lost = [LABELS.get(name, name) for name, after in found.items() if not after.kept[rank]]
    parts = []
    if kept:
        parts.append(f'<span class="kept">✓ {escape(", ".join(kept))}</span>')
    if lost:
        parts.append(f'<span class="lost">✗ {escape(", ".join(lost))}</span>')
    return f"<small>{' '.join(parts)}</small>"


def _cell(study: Study, row: int, cosine: float, below: str, sign: str = "") -> str:
    data = thumbnails.of_row(study, row)
    picture = f'<img src="{data}" alt="">' if data else ""
    caption = rowcards.caption_of(study, row)
    label = rowcards.label_of(study, row)
    facts = f"<small>{escape(' · '.join(filter(None, (rowcards.name_of(study, row), label))))}</small>"
    words = f"<span>{escape(caption)}</span>{facts}" if caption else facts
    return (
        f"<td><div class='row'>{sign}{picture}<div class='words'>{words}{below}</div>"
        f"<span class='cosine'>{cosine:.3f}</span></div></td>"
    ).replace("-0.", "\u22120.")


def _style(p: Palette) -> str:
    return f"""
.lists {{ width: 100%; border-collapse: collapse; table-layout: fixed; font-size: .82rem; }}
.lists th, .lists td {{ padding: .3rem .5rem; border-bottom: 1px solid {p.grid}; vertical-align: top;
  text-align: left; }}
.lists th:first-child {{ width: 2rem; color: {p.muted}; font-weight: 400; text-align: right; }}
.lists thead th {{ font-weight: 600; }}
.lists .row {{ display: flex; gap: .45rem; align-items: flex-start; }}
.lists .words {{ flex: 1; min-width: 0; overflow-wrap: anywhere; }}
.lists small {{ display: block; color: {p.muted}; font-size: .74rem; }}
.lists .cosine {{ font-variant-numeric: tabular-nums; color: {p.muted}; }}
.lists img {{ width: 44px; height: 44px; object-fit: cover; border-radius: 3px; flex: none; }}
.lists .kept {{ color: {p.target}; }}
.lists .new, .lists .lost {{ font-weight: 600; }}
.lists .dot {{ display: inline-block; width: .6rem; height: .6rem; border-radius: 2px; margin-right: .4rem; }}
.lists .hidden {{ position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }}
"""
