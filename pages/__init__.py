"""The pages, which run under `app.py` alone.

Until the first visitor has met `st.navigation`, Streamlit takes this folder for pages of its own, and a link
straight to one of them would show it without the dashboard around it. Such a run starts again here, before
anything slow is imported.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

if PagesManager.uses_pages_directory:
    PagesManager.uses_pages_directory = False
    st.rerun()
