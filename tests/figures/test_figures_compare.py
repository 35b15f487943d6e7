import dataclasses

import numpy as np
import pytest
import result_cases

import realign_core as rc
from realign_core.figures import clouds, mapped
from realign_core.figures.bars import chance
from realign_core.figures.labels import LETTER, LINE, PLOT_PIXELS, label_places

figures = rc.figures


def points(figure):
    return clouds.drawn_points(figure)


def test_one_panel_for_the_source_and_each_method_all_with_the_target(result):
    figure = figures.comparison(result)
    panels = [name for name in result.methods if name != "identity"]
    assert len(points(figure)) == 2 * (len(panels) + 1)
    for target in points(figure)[::2]:
        np.testing.assert_array_equal(target.x, result.view.target_points[:, 0])
        np.testing.assert_array_equal(target.y, result.view.target_points[:, 1])
    for trace, name in zip(points(figure)[3::2], panels):
        np.testing.assert_array_equal(trace.x, result.methods[name].view.points[:, 0])
        assert list(trace.customdata) == list(result.projection.source_rows)


def test_panels_share_axes_of_equal_scale(result):
    layout = figures.comparison(result).layout
    axes = [layout[key] for key in layout if key.startswith(("xaxis", "yaxis"))]
    assert sum(axis.matches is None for axis in axes) == 2
    leader = next(axis for axis in axes if axis.matches is None and axis.scaleanchor)
    assert leader.scaleratio == 1


def test_many_points_go_to_webgl_and_many_panels_come_back_from_it(result):
    many = np.random.default_rng(0).standard_normal((2000, 3)).astype(np.float32)
    view = dataclasses.replace(result.view, target_points=many, source_points=many)
    rows = np.arange(2000)
    projection = dataclasses.replace(result.projection, target_rows=rows, source_rows=rows)
    methods = {
        name: dataclasses.replace(method, view=dataclasses.replace(method.view, points=many))
        for name, method in result.methods.items()
    }
    large = dataclasses.replace(result, view=view, projection=projection, methods=methods)
    few = figures.comparison(large, methods=["realign", "c3"])
    assert {trace.type for trace in points(few)} == {"scattergl"}
    assert len(few.data[0].x) == 2000
    assert points(few)[0].marker.opacity < points(figures.comparison(result))[0].marker.opacity
    every = figures.comparison(large)
    assert {trace.type for trace in every.data} == {"scatter"}
    assert max(len(trace.x) for trace in every.data) <= clouds.SVG_POINTS


def test_spectra_and_densities_are_those_of_the_views(result):
    spectra, cosines = figures.mapped_spectra(result), figures.cosine_densities(result)
    for name, place in (("realign", 4), ("c3", 2)):
        view = result.methods[name].view
        line = spectra.data[2 * place + 1]
        np.testing.assert_allclose(line.y, view.spectrum[: len(line.y)])
        density = cosines.data[2 * place + 1].y
        np.testing.assert_allclose(density, mapped.density(view.histogram))
        assert sum(density) * 0.01 == pytest.approx(1)


def test_bars_carry_held_out_scores_with_intervals_and_in_sample_beside(result):
    figure = figures.score_bars(result, ("retention",))
    held, inside = (trace for trace in figure.data if trace.type == "bar")
    methods = list(result.methods.values())
    assert list(held.x) == [method.held_out["retention"] for method in methods]
    assert list(inside.x) == [method.in_sample["retention"] for method in methods]
    high = np.array(held.x) + np.array(held.error_x.array)
    low = np.array(held.x) - np.array(held.error_x.arrayminus)
    bounds = np.array([method.interval["retention"] for method in methods])
    np.testing.assert_allclose(low, np.minimum(bounds[:, 0], held.x), atol=1e-12)
    np.testing.assert_allclose(high, np.maximum(bounds[:, 1], held.x), atol=1e-12)


def test_chance_and_perfect_lines_stand_where_they_should(result):
    n = result.judged["held_out_source"]
    assert chance(result, "retention") == pytest.approx(5 / (n - 1))
    assert chance(result, "mixing_source") == pytest.approx(n / (2 * n - 1))
    assert chance(result, "cosine_js") is None
    figure = figures.score_bars(result, ("mixing_source",))
    lines = {trace.name: trace.x[0] for trace in figure.data if trace.type == "scatter"}
    assert lines["chance"] == pytest.approx(n / (2 * n - 1))
    assert lines["perfect (target against target)"] == result.reference["mixing_source"]


@pytest.mark.parametrize("reached", ["entropy_mixing_target", "centroid_gap"])
def test_the_trade_off_has_a_mark_a_method_and_turns_over_what_should_be_small(result, reached):
    figure = figures.trade_off(result, kept="omega", reached=reached)
    for trace, method in zip(points(figure), result.methods.values()):
        assert (trace.x[0], trace.y[0]) == (method.held_out["omega"], method.held_out[reached])
    low, high = figure.layout.yaxis.range
    assert (low > high) == (reached == "centroid_gap")
    assert len(figure.layout.annotations) == len(result.methods)


def test_collapsed_methods_are_marked(result):
    method = result.methods["blockwise"]
    shrunk = dataclasses.replace(method, held_out={**method.held_out, "trace_ratio": 0.05})
    collapsed = dataclasses.replace(result, methods={**result.methods, "blockwise": shrunk})
    assert any("collapsed" in (a.text or "") for a in figures.comparison(collapsed).layout.annotations)
    assert any("collapsed" in text for text in figures.score_bars(collapsed).layout.yaxis.ticktext)
    assert any("collapsed" in (a.text or "") for a in figures.trade_off(collapsed).layout.annotations)


def test_labels_of_markers_on_one_spot_do_not_meet():
    labels = ["Mean shift", "ReAlign", "Rotation", "C3"]
    shifts = label_places(labels, [0.9] * 4, [0.9] * 4, [])
    boxes = [
        (x - LETTER * len(label) / 2, x + LETTER * len(label) / 2, y - LINE / 2, y + LINE / 2)
        for label, (x, y) in zip(labels, shifts)
    ]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]
    assert all(0.9 * PLOT_PIXELS[0] + box[1] <= PLOT_PIXELS[0] + 3 for box in boxes)


def test_a_method_of_the_users_own_cannot_write_mark_up_into_a_figure(result):
    method = dataclasses.replace(result.methods["realign"], name="<b>mine</b>")
    own = dataclasses.replace(result, methods={"<b>mine</b>": method})
    headings = [a.text for a in figures.comparison(own).layout.annotations]
    assert "<b>&lt;b&gt;mine&lt;/b&gt;</b>" in headings


def test_a_single_method_draws(any_result):
    assert figures.comparison(any_result).data


def test_no_fitted_method_leaves_a_sentence():
    nobody = dataclasses.replace(result_cases.case("single"), methods={"realign": None})
    for figure in (figures.score_bars(nobody), figures.trade_off(nobody)):
        assert len(figure.layout.annotations) == 1
