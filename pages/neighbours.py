from pages.components import frame

with frame.page("Neighbours") as study:
    pass
