"""Compare: alignment methods side by side, on rows they were not fitted to."""

from pages.components import (
    compare_controls,
    compare_costs,
    compare_figures,
    compare_findings,
    compare_table,
    comparing,
    frame,
    rows_used,
)

with frame.page("Compare") as study, frame.section():
    compare_controls.show(study)
    result = comparing.without_training(study)
    with frame.section(holds_up=False):
        comparing.train(study)
    rows_used.scores(result)
    with frame.section():
        compare_costs.warn(result)
    with frame.section():
        compare_findings.show(result)
    with frame.section():
        compare_figures.linked(study, result)
    with frame.section():
        compare_figures.costs(study, result)
    with frame.section("The numbers"):
        compare_table.show(result)
    compare_figures.others(study, result)
