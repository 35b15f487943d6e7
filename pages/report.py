from pages.components import frame

with frame.page("Report") as study:
    pass
