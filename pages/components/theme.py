"""Light or dark, and a rerun when the reader switches: figures do not follow a switch by themselves."""

from __future__ import annotations

import streamlit as st

KEY = "theme_watch"

_WATCH = """
let known = null, tell = null, timer = null;
const read = () => {
    const [r, g, b] = getComputedStyle(document.querySelector(".stApp")).backgroundColor.match(/\\d+/g);
    return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};
const look = () => {
    const dark = read();
    if (dark === known) return;
    known = dark;
    tell("dark", dark);
};
// Called again with every change of its data, without an end to the call before: one timer serves them all.
export default function ({ data, setStateValue }) {
    // What the server knows already needs no answer: that would run the page once more.
    known = data.dark;
    tell = setStateValue;
    look();
    timer ??= setInterval(look, 400);
    return () => {
        clearInterval(timer);
        timer = null;
    };
}
"""
# Streamlit writes white on its primary colour, which leaves 2.3:1 on the dark theme's sky blue.
_ON_SKY = """<style>
[data-testid="stBaseButton-primary"]:enabled p, .stMultiSelect span[title], .stMultiSelect span[title] ~ * {
    color: #0d1115 !important;
}
</style>"""
_watcher = st.components.v2.component("gapscope_theme", js=_WATCH)


def watch() -> None:
    """Notice which theme the browser shows."""
    # What the watcher has told since the last run is known before it is called again.
    told = st.session_state.get(KEY) or {}
    # It shows nothing, so it must take no room from the heading that it stands beside.
    result = _watcher(
        key=KEY,
        data={"dark": bool(told.get("dark", dark()))},
        on_dark_change=lambda: None,
        default={"dark": dark()},
        width="content",
    )
    st.session_state["dark"] = bool(result.dark)
    if result.dark:
        st.html(_ON_SKY)


def dark() -> bool:
    """Whether figures are to be drawn for a dark page."""
    return st.session_state.get("dark", _first_guess())


def _first_guess() -> bool:
    return getattr(st.context.theme, "type", None) == "dark"
