"""The settings in the browser's address, written over the current entry of its history.

Streamlit's own way adds an entry for every change, and one more for every page that is turned to: Back would
step through positions of a slider, each of which writes itself again, and never reach the page before.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

KEY = "address"

# Called again with every change of its data, without an end to the call before: one timer serves them all.
_WRITE = """
let query = "", timer = null;
const write = () => {
    const wanted = new URLSearchParams(query);
    // What concerns Streamlit itself stays.
    for (const [name, value] of new URLSearchParams(location.search)) {
        if (name.startsWith("embed")) wanted.append(name, value);
    }
    const search = wanted.size ? `?${wanted}` : "";
    if (search !== location.search) {
        history.replaceState(history.state, "", location.pathname + search + location.hash);
    }
};
export default function ({ data }) {
    query = data.query;
    write();
    // A page that is turned to comes with an address of its own, before or after this runs.
    timer ??= setInterval(write, 300);
    return () => {
        clearInterval(timer);
        timer = null;
    };
}
"""
_writer = st.components.v2.component("gapscope_address", js=_WRITE)


def write(texts: Mapping[str, str]) -> None:
    """Have the browser's address end in these settings and no others."""
    # It shows nothing, so it must take no room from the heading that it stands beside.
    _writer(key=KEY, data={"query": urlencode(texts)}, width="content")
