from pages.components import frame

with frame.page("Compare") as study:
    pass
