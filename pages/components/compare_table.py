"""The methods table: held-out first, in-sample beside, best marked, unresolved greyed."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.components import definitions, theme
from realign_core.comparison import Comparison
from realign_core.figures.table import Cell, Column, Row, Table, comparison_table
from realign_core.figures.theme import LABELS, Palette, method_colour, palette
from realign_core.glossary import SCORES, count, shown

CHOICES = {
    "Overview": (
        "omega",
        "psi",
        "centroid_gap",
        "entropy_mixing_source",
        "entropy_mixing_target",
        "covariance_discrepancy",
        "trace_ratio",
        "recall_at_1",
    ),
    "Source kept": ("retention", "omega", "phi", "psi"),
    "Target reached": (
        "centroid_gap",
        "mixing_source",
        "mixing_target",
        "entropy_mixing_source",
        "entropy_mixing_target",
        "cosine_js",
        "covariance_discrepancy",
        "alpha",
    ),
    "Pairs": (
        "paired_cosine",
        "recall_at_1",
        "recall_at_5",
        "recall_at_10",
        "recall_at_1_reverse",
        "recall_at_5_reverse",
        "recall_at_10_reverse",
        "zero_shot",
        "anisotropy",
    ),
}


def show(result: Comparison) -> None:
    """One group of scores at a time, so that nothing has to be scrolled sideways."""
    offered = [name for name in CHOICES if name != "Pairs" or result.dataset.paired]
    group = st.segmented_control(
        "Scores", offered, default="Overview", key="table_scores", label_visibility="collapsed"
    )
    scores = CHOICES[group or "Overview"]
    table = comparison_table(result, scores)
    st.html(_html(table, result, theme.dark()))
    with st.container(horizontal=True, gap="medium"):
        definitions.popover([column.score for column in table.columns], key="terms_table")
        with st.popover("All numbers", type="tertiary", key="all_numbers"):
            st.dataframe(result.table().T, height=500)


def _html(table: Table, result: Comparison, dark: bool) -> str:
    p = palette(dark)
    head = "".join(_header(column) for column in table.columns)
    body = "".join(_row(row, p, dark) for row in table.rows)
    if any(column.reference is not None for column in table.columns):
        cells = "".join(f"<td>{shown(column.reference)}</td>" for column in table.columns)
        body += (
            f'<tr class="reference"><th scope="row">Perfect<div>target against target</div></th>{cells}</tr>'
        )
    return (
        f"<style>{_style(p)}</style><table class='methods'><caption>{_caption(table, result)}</caption>"
        f"<thead><tr><th scope='col'>Method</th>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _caption(table: Table, result: Comparison) -> str:
    if not table.held_out:
        return "In-sample scores: too few rows are left to hold out, so nothing is marked as best."
    rows = result.judged["held_out_source"]
    return (
        f"Held-out, on {count(rows)} source rows, with 95 % intervals; in-sample below. "
        "★ best of its column. ≈ and grey: this sample cannot tell it from the best."
    )


def _header(column: Column) -> str:
    words = {"↑": "higher is better", "↓": "lower is better"}.get(column.arrow, "")
    # The arrow stays beside the last word where the heading wraps.
    arrow = f'\u00a0<span aria-label="{words}" title="{words}">{column.arrow}</span>' if words else ""
    return (
        f'<th scope="col" title="{escape(SCORES[column.score].meaning)}">{escape(column.label)}{arrow}</th>'
    )


def _row(row: Row, p: Palette, dark: bool) -> str:
    badges = "".join(f'<span class="badge">{escape(badge)}</span>' for badge in row.badges)
    dot = f'<span class="dot" style="background:{method_colour(row.method, dark)}"></span>'
    label = escape(LABELS.get(row.method, row.method))
    cells = "".join(_cell(cell) for cell in row.cells)
    gone = ' class="collapsed"' if "collapsed" in row.badges else ""
    return f'<tr{gone}><th scope="row">{dot}{label}<div>{badges}</div></th>{cells}</tr>'


def _cell(cell: Cell) -> str:
    mark = "★ " if cell.best else "≈ " if cell.tied else ""
    kind = ' class="best"' if cell.best else ' class="tied"' if cell.tied else ""
    interval = f"<small>{cell.interval}</small>" if cell.interval else ""
    inside = f"<small>in-sample {cell.in_sample_text}</small>" if cell.in_sample is not None else ""
    return f"<td{kind}><span>{mark}{cell.text.strip()}</span>{interval}{inside}</td>"


def _style(p: Palette) -> str:
    return f"""
.methods {{ width: 100%; border-collapse: collapse; font-size: .875rem;
  font-variant-numeric: tabular-nums; }}
.methods caption {{ caption-side: bottom; text-align: left; color: {p.muted}; padding: .5rem 0 0;
  font-size: .8rem; }}
.methods th, .methods td {{ padding: .4rem .5rem; border-bottom: 1px solid {p.grid}; vertical-align: top; }}
.methods thead th {{ text-align: right; font-weight: 600; vertical-align: bottom; font-size: .8rem; }}
.methods thead th:first-child, .methods tbody th {{ text-align: left; font-weight: 600; }}
.methods tbody th {{ min-width: 8.5rem; }}
.methods td {{ text-align: right; white-space: nowrap; }}
.methods small {{ display: block; color: {p.muted}; font-size: .72rem; font-weight: 400; }}
.methods .best span {{ font-weight: 700; }}
.methods .tied span {{ color: {p.muted}; }}
.methods .collapsed td {{ opacity: .55; }}
.methods .reference th, .methods .reference td {{ color: {p.muted}; font-weight: 400; border-bottom: none; }}
.methods .reference div {{ font-size: .72rem; }}
.methods .dot {{ display: inline-block; width: .6rem; height: .6rem; border-radius: 2px;
  margin-right: .4rem; }}
.methods .badge {{ display: inline-block; font-weight: 400; font-size: .7rem; color: {p.muted};
  border: 1px solid {p.muted}; border-radius: 3px; padding: 0 .3rem; margin: .15rem .25rem 0 0; }}
"""
