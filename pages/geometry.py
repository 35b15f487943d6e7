from pages.components import frame

with frame.page("Geometry") as study:
    pass
