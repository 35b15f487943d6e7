"""The dashboard: page set-up and navigation, nothing else. Start it with `make app`."""

from realign_core.waiting import wait_briefly

wait_briefly()

from pathlib import Path

import streamlit as st

from pages.components import warming

ICON = Path(__file__).parent / "pages" / "components" / "icon.png"
PAGES = {
    "Data": "data",
    "Geometry": "geometry",
    "Phantom drift": "drift",
    "Compare": "compare",
    "Neighbours": "neighbours",
    "Encode": "encode",
    "Training": "training",
    "Report": "report",
}

warming.start()
st.set_page_config(page_title="Gapscope", page_icon=str(ICON), layout="wide")
st.navigation(
    [st.Page(f"pages/{file}.py", title=title, default=file == "data") for title, file in PAGES.items()],
    position="top",
).run()
