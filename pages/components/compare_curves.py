"""The trade-off of the comparison: a mark a method, or on demand a curve a dial with the best for a need."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import charts, comparing, frame, jobs, settings
from pages.components.study import Study
from pages.components.words import plain
from realign_core.comparison import Comparison, TradeOffCurves
from realign_core.comparison.dials import DIALS, Dial, quick_dials
from realign_core.figures.comparison_list import described_trade_off
from realign_core.figures.theme import LABELS
from realign_core.figures.tradeoff_curves import described_curves
from realign_core.findings import need_findings
from realign_core.glossary import SCORES, listed

KEPT = ("omega", "retention", "psi", "phi")
REACHED = (
    "entropy_mixing_target",
    "entropy_mixing_source",
    "mixing_target",
    "mixing_source",
    "centroid_gap",
    "cosine_js",
    "covariance_discrepancy",
)
WISHES = {
    "none": ("Points", "methods as they are set"),
    "quick": ("Curves", "each method along its dial"),
    "all": ("Curves and AnisoAlign", "which trains, up to a minute a value"),
}


def show(study: Study, result: Comparison) -> Callable[[], None] | None:
    """The figure with its axes beside it, and with curves the best for each need.

    Where curves are asked for and not known, points stand there meanwhile, and what is given back judges
    the curves: to be called when the rest of the page is drawn, as waiting ends the page's run.
    """
    left, right = st.columns([3, 1], gap="large")
    with right:
        wish = _wish()
        kept, reached = _axes()
    dials = DIALS if wish == "all" else quick_dials()
    with left:
        if wish == "none" or not study.has_curves(result.settings, dials):
            place = st.container()
            words = described_trade_off(
                result, reached, "trade-off", "Source kept against target reached", kept=kept
            )
            charts.described(words, drawing=comparing.drawn(study, result, words, kept, reached))
            return None if wish == "none" else partial(_judge, study, result, dials, place)
        curves = study.curves(result.settings, dials)
        words = described_curves(result, curves, kept=kept, reached=reached)
        charts.described(words, drawing=comparing.drawn(study, result, words, kept, reached, wish))
    with frame.section():
        _best(result, curves)
    return None


def _wish() -> str:
    """What the reader asks for: points, curves, or curves with the one that trains."""
    wish = settings.bind(
        "curves",
        st.radio,
        "Show",
        tuple(WISHES),
        format_func=lambda wish: WISHES[wish][0],
        captions=[about for _, about in WISHES.values()],
        help="Curves turn one dial of each method: C3's noise, blockwise's shrinkage, ReAlign's strength, "
        "rotation's Bures share and AnisoAlign's bounds. They are judged in the background, on the same rows "
        "as the methods.",
    )
    return str(wish)


def _axes() -> tuple[str, str]:
    for name, label, offered in (
        ("kept", "Across: source kept", KEPT),
        ("reached", "Up: target reached", REACHED),
    ):
        # An address may name anything.
        if settings.get(name) not in offered:
            settings.put(name, offered[0])
        settings.bind(name, st.selectbox, label, offered, format_func=lambda score: SCORES[score].label)
    kept, reached = settings.get("kept"), settings.get("reached")
    for score in (kept, reached):
        st.caption(plain(SCORES[score].meaning))
    return kept, reached


def _judge(study: Study, result: Comparison, dials: tuple[Dial, ...], place: DeltaGenerator) -> None:
    """Judge the curves in the background, with progress in `place`; then draw the page anew."""
    chosen = result.settings

    def work(progress: Callable[[str], None]) -> None:
        study.curves(chosen, dials, lambda stage: progress(_readable(stage)))

    names = ",".join(dial.name for dial in dials)
    with place, frame.section():
        jobs.run(f"curves|{study.digest}|{names}|{comparing.key_of(chosen)}", work)
        st.rerun()


def _readable(stage: str) -> str:
    """What is being judged, with the method's name for people."""
    method, comma, rest = stage.partition(",")
    first, space, counted = method.partition(" ")
    return f"{LABELS.get(first, first)}{space}{counted}{comma}{rest}"


def _best(result: Comparison, curves: TradeOffCurves) -> None:
    """The best for each need, and what was left out of the curves."""
    found = need_findings(result, curves)
    if found:
        st.markdown("###### Best for a need, over every value above")
        items = "".join(f"<li>{escape(finding.text)}</li>" for finding in found)
        st.html(f'<ul style="margin:0;padding-left:1.2rem;line-height:1.45">{items}</ul>')
        st.caption(
            "The highest of many values reads a little high, as it was picked on these rows; neither its "
            "interval nor that of its lead allows for that. The oracle path and the negative control are "
            "never named."
        )
    missing = [
        f"{LABELS.get(curve.method, curve.method)} at {text} ({reason})"
        for curve in curves.curves
        for text, reason in curve.left_out
    ]
    if missing:
        st.caption(plain(f"Left out, as it could not be fitted: {listed(missing)}."))
