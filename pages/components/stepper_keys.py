"""Arrow keys, Home and End for the steppers inside figures, which plotly leaves to the mouse."""

from __future__ import annotations

import streamlit as st

_LISTEN = """
const INSET = 10; // Plotly's distance from the end of the rail to the first and the last step.
const stepper = (group) => group.closest(".js-plotly-plot")?._fullLayout?.sliders?.[0];
const describe = (group) => {
    const state = stepper(group);
    if (!state) return;
    const label = state.steps[state.active]?.label ?? "";
    for (const [name, value] of Object.entries({
        tabindex: 0, role: "slider", "aria-label": "step of the figure", "aria-valuemin": 0,
        "aria-valuemax": state.steps.length - 1, "aria-valuenow": state.active, "aria-valuetext": label,
    })) {
        if (group.getAttribute(name) !== String(value)) group.setAttribute(name, value);
    }
};
const press = (event) => {
    const group = event.target.closest?.("g.slider-container");
    const state = group && stepper(group);
    if (!state) return;
    const last = state.steps.length - 1;
    const wanted = {
        ArrowRight: state.active + 1, ArrowUp: state.active + 1, ArrowLeft: state.active - 1,
        ArrowDown: state.active - 1, Home: 0, End: last,
    }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const step = Math.min(Math.max(wanted, 0), last);
    const rail = group.querySelector(".slider-rail-touch-rect");
    const box = rail.getBoundingClientRect();
    const place = {
        clientX: box.left + INSET + (step / last) * (box.width - 2 * INSET),
        clientY: box.top + box.height / 2, bubbles: true,
    };
    rail.dispatchEvent(new MouseEvent("mousedown", place));
    rail.dispatchEvent(new MouseEvent("mouseup", place));
    group.focus();
};
export default function () {
    const look = () => document.querySelectorAll(".js-plotly-plot g.slider-container").forEach(describe);
    look();
    const timer = setInterval(look, 400);
    // Before anybody else: Streamlit has keys of its own.
    document.addEventListener("keydown", press, true);
    return () => {
        clearInterval(timer);
        document.removeEventListener("keydown", press, true);
    };
}
"""
_keys = st.components.v2.component("gapscope_stepper_keys", js=_LISTEN)


def listen() -> None:
    """Let the keyboard move the steppers of this page's figures."""
    # It shows nothing, so it must take no room.
    _keys(key="stepper_keys", width="content")
