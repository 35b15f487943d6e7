import dataclasses

import pytest
import result_cases

from realign_core.figures.table import comparison_table
from realign_core.findings import best_method, may_win
from realign_core.glossary import shown


def changed(result, name, **scores):
    """`result` with other held-out scores for a method."""
    method = result.methods[name]
    method = dataclasses.replace(method, held_out={**method.held_out, **scores})
    return dataclasses.replace(result, methods={**result.methods, name: method})


def cell(table, method, score):
    column = [c.score for c in table.columns].index(score)
    return next(row.cells[column] for row in table.rows if row.method == method)


def test_cells_hold_values_and_intervals_to_three_digits(result):
    table = comparison_table(result)
    found = cell(table, "realign", "omega")
    method = result.methods["realign"]
    assert found.value == method.held_out["omega"]
    assert (found.low, found.high) == method.interval["omega"]
    assert found.text.strip("\u2007") == shown(found.value)
    assert found.in_sample == method.in_sample["omega"]
    assert table.held_out


def test_decimal_points_stand_under_each_other(result):
    for column in zip(*(row.cells for row in comparison_table(result).rows)):
        behind = {len(c.text) - c.text.index(".") for c in column if "." in c.text and "10" not in c.text}
        assert len(behind) <= 1


def test_the_best_and_what_cannot_be_told_from_it_are_marked(result):
    table = comparison_table(result)
    best = best_method(result, "omega")
    values = {name: m.held_out["omega"] for name, m in result.methods.items() if may_win(m, "omega")}
    assert best == max(values, key=values.get)
    assert cell(table, best, "omega").best
    for name in values:
        found = cell(table, name, "omega")
        assert found.tied == (name != best and not result.resolved(best, name, "omega"))


def test_lower_wins_where_lower_is_better(result):
    best = best_method(changed(result, "c3", centroid_gap=1e-6), "centroid_gap")
    assert best == "c3"


def test_collapsed_methods_controls_and_paired_ones_win_nothing(result):
    collapsed = changed(result, "blockwise", trace_ratio=0.05, paired_cosine=0.999)
    assert best_method(collapsed, "paired_cosine") != "blockwise"
    alive = changed(result, "blockwise", trace_ratio=0.9, paired_cosine=0.999)
    assert best_method(alive, "paired_cosine") == "blockwise"
    for name in ("random_target", "procrustes"):
        assert best_method(changed(result, name, cosine_js=0.0, omega=1.0), "cosine_js") != name
    assert best_method(result, "omega") != "identity"


def test_scores_without_a_better_side_are_not_marked(result):
    table = comparison_table(result, ["trace_ratio", "alpha"])
    assert not any(c.best or c.tied for row in table.rows for c in row.cells)
    assert [column.arrow for column in table.columns] == ["", ""]


def test_badges_say_what_a_reader_must_know(result):
    badges = {row.method: row.badges for row in comparison_table(result).rows}
    assert badges["c3"] == ("adds noise",)
    assert badges["procrustes"] == ("uses pairs",)
    assert badges["random_target"] == ("negative control",)
    collapsed = comparison_table(changed(result, "blockwise", trace_ratio=0.05))
    assert "collapsed" in {row.method: row.badges for row in collapsed.rows}["blockwise"]


def test_in_sample_values_stand_in_where_nothing_was_held_out():
    few = result_cases.case("few")
    table = comparison_table(few)
    assert not table.held_out
    assert cell(table, "realign", "centroid_gap").value == pytest.approx(
        few.methods["realign"].in_sample["centroid_gap"]
    )
    assert not any(c.best or c.tied for row in table.rows for c in row.cells)


def test_scores_that_nobody_has_are_left_out():
    unpaired = comparison_table(result_cases.case("unpaired"), ["omega", "paired_cosine"])
    assert [column.score for column in unpaired.columns] == ["omega"]
