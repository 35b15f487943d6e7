"""Start Streamlit on the dashboard; arguments are those of `streamlit`.

Until the first visitor has met `st.navigation`, Streamlit takes the folder `pages` for pages of its own, and
a link straight to one of them would show it without the dashboard around it.
"""

import sys

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.cli import main

if __name__ == "__main__":
    PagesManager.uses_pages_directory = False
    sys.exit(main())
