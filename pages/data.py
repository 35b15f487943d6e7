"""Data: the gap in one sentence, other data to open, and what was found in the rows."""

from pages.components import charts, diagnosing, frame, headline, loadreport, openers, rows_used
from realign_core.figures.geometry_list import geometry_figures

with frame.page("Data", without_data=openers.show) as study:
    with frame.section(holds_up=False):
        diagnosis = diagnosing.current(study)
        headline.show(diagnosis)
        rows_used.statistics(study)
        charts.described(geometry_figures(diagnosis)[0])
    with frame.section("Open other data", holds_up=False):
        openers.show()
    with frame.section("What was loaded"):
        loadreport.show(study)
