from pages.components import frame

with frame.page("Drift") as study:
    pass
