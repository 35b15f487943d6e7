"""The part of a figure that the reader zoomed to, so that a figure drawn anew shows the same part."""

from __future__ import annotations

import streamlit as st

_WATCH = """
export default function ({ data, setStateValue }) {
    let seen = null;
    const listen = () => {
        const plot = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
        if (!plot || plot === seen || !plot.on) return;
        seen = plot;
        plot.on("plotly_relayout", () => {
            const { xaxis, yaxis } = plot._fullLayout;
            const free = xaxis.autorange && yaxis.autorange;
            setStateValue("ranges", free ? null : [...xaxis.range, ...yaxis.range]);
        });
    };
    listen();
    const timer = setInterval(listen, 300);
    return () => clearInterval(timer);
}
"""
_watcher = st.components.v2.component("gapscope_zoom", js=_WATCH)


def ranges_for(chart: str, drawing: tuple) -> list[float] | None:
    """Axis ranges `[x0, x1, y0, y1]` with which `drawing` is to start; None for the whole of it.

    They change only together with the drawing: a new range alone would make the browser draw it anew.
    """
    result = _watcher(
        key=f"zoom_{chart}", data={"chart": chart}, on_ranges_change=lambda: None, default={"ranges": None}
    )
    held, start = st.session_state.get(f"zoom_start_{chart}", (None, None))
    if held != drawing:
        start = result.ranges if held is not None and held[0] == drawing[0] else None
        st.session_state[f"zoom_start_{chart}"] = (drawing, start)
    return start
