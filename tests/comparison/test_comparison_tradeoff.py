"""Curves along the methods' dials: what each point is, what bounds them, and what is left out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import oracles
import pytest
import torch

import realign_core as rc
from realign_core.alignment import create
from realign_core.comparison import Bench, Settings, trade_off_curves
from realign_core.comparison.dials import DIALS, Dial, quick_dials
from realign_core.comparison.oracle_path import OraclePath

N, D = 80, 10
SETTINGS = Settings(bootstrap=30, k=5)


def rows(n=N, d=D, seed=0):
    generator = np.random.default_rng(seed)
    base = generator.standard_normal((n, d)) / np.sqrt(np.arange(1, d + 1))
    x = base + 0.2 * generator.standard_normal((n, d)) + 1
    y = base + 0.2 * generator.standard_normal((n, d)) - 0.5
    return x, y


def data(n=N, d=D, **options):
    return rc.EmbeddingPair.from_arrays(*rows(n, d), **{"paired": "yes", **options})


def dial(name: str) -> Dial:
    return next(each for each in DIALS if each.name == name)


@pytest.fixture(scope="module")
def bench():
    return Bench(data(), SETTINGS)


@pytest.fixture(scope="module")
def found(bench):
    return trade_off_curves(bench)


def test_every_value_of_every_quick_dial_is_judged_held_out_with_intervals(found):
    assert found.held_out
    assert [curve.method for curve in found.curves] == ["c3", "blockwise", "realign", "rotation"]
    for curve in found.curves:
        assert [point.value for point in curve.points] == list(dial(curve.method).all_values)
        assert sum(point.default for point in curve.points) == 1
        assert not curve.left_out
        for point in curve.points:
            assert {"omega", "centroid_gap", "psi"} <= set(point.scores.interval)
            assert len(point.scores.replicates["omega"].values) == SETTINGS.bootstrap


@pytest.mark.parametrize("name", ["c3", "blockwise", "realign", "rotation"])
def test_the_default_point_is_the_method_as_compared(name, bench, found):
    judged, _ = bench.judge(name)
    (point,) = (p for curve in found.curves for p in curve.points if curve.method == name and p.default)
    assert point.scores.values == judged.held_out
    assert point.scores.interval == judged.interval


def test_only_the_fixed_shrinkages_lie_on_blockwises_line(found):
    (curve,) = (curve for curve in found.curves if curve.method == "blockwise")
    assert [point.value for point in curve.line] == [None, 0.01, 0.05, 0.2, 0.5, 1.0]
    assert [point.value for point in curve.points if not point.on_line] == ["oas"]


def test_ends_of_dials_meet_where_they_must(bench, found):
    at = {(p.method, p.value): p.scores.values for p in found.points}
    shift = bench.judge_shown("mean_shift")[0].values
    assert at["c3", 0.0] == shift
    for score, value in at["identity", None].items():
        # Doing nothing fits no mean, so its sampling floor alone is another.
        if value is not None and not score.startswith("sampling_floor"):
            assert at["realign", 0.0][score] == pytest.approx(value, abs=1e-9), score
    assert at["identity", None]["omega"] == 1


def test_the_oracle_path_runs_from_mean_shift_to_the_target(bench, found):
    first, *_, last = found.oracle.points
    assert (first.value, last.value) == (0.0, 1.0)
    shift = bench.judge_shown("mean_shift")[0].values
    for score, value in shift.items():
        found_value = first.scores.values[score]
        if value is None:
            assert found_value is None, score
        else:
            assert found_value == pytest.approx(value, rel=1e-9, abs=1e-12), score
    assert last.scores.values["centroid_gap"] < 1e-14
    assert last.scores.values["covariance_discrepancy"] < 1e-13
    assert last.scores.values["recall_at_1"] == last.scores.values["recall_at_1_reverse"] == 1
    gaps = [point.scores.values["paired_cosine"] for point in found.oracle.points]
    assert gaps == sorted(gaps)


def test_the_path_is_its_formula():
    x, y = (torch.from_numpy(oracles.unit(part)) for part in rows())
    path = OraclePath.fit(source=y[:40], target=x[:40])
    residual = (x - y).numpy()[:40]
    mean = residual.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(residual.T, bias=True))
    leading = vectors[:, ::-1][:, :4]
    a, b = x.numpy(), y.numpy()
    expected = b + mean + (a - b - mean) @ leading @ leading.T
    np.testing.assert_allclose(path.at(0.4, y, x), oracles.unit(expected), atol=1e-12)
    np.testing.assert_allclose(path.at(1.0, y, x), x, atol=1e-14)


def test_the_path_does_not_learn_from_the_judged_pairs(bench):
    side = bench.held_out
    path = OraclePath.fit(source=side.fit_source, target=side.fit_target)
    fitted = (side.fit_target - side.fit_source).mean(dim=0)
    np.testing.assert_allclose(path.mean, fitted, atol=1e-14)


@pytest.mark.parametrize(
    ("dim", "alphas"),
    [(100, (0, 0.05, 0.1, 0.2, 0.4, 0.7, 1)), (3, (0, 0.2, 0.4, 0.7, 1)), (1, (0, 1.0))],
)
def test_shares_that_round_to_the_same_directions_are_one(dim, alphas):
    kept = [round(alpha * dim) for alpha in OraclePath.alphas_of(dim)]
    assert kept == sorted(set(kept))
    assert kept[-1] == dim
    assert set(OraclePath.alphas_of(dim)) <= set(alphas)


def test_the_oracle_path_classifies_by_prototypes_of_the_fitted_pairs():
    labels = np.array(["cat", "dog", "elk"], dtype=object)[np.arange(N) % 3]
    bench = Bench(data(labels=labels), SETTINGS)
    oracle = trade_off_curves(bench, dials=[]).oracle
    shift = bench.judge_shown("mean_shift")[0].values["zero_shot"]
    assert oracle.points[0].scores.values["zero_shot"] == pytest.approx(shift, abs=1e-12)
    # At its end every fitted row is its partner, so that prototypes are means of fitted target rows.
    fit, judged = bench.split.fit_target, bench.split.judge_target
    x = oracles.unit(rows()[0])
    names = np.unique(labels)
    centres = oracles.unit([x[fit][labels[fit] == name].mean(axis=0) for name in names])
    right = names[(x[judged] @ centres.T).argmax(axis=1)] == labels[judged]
    assert oracle.points[-1].scores.values["zero_shot"] == pytest.approx(right.mean(), abs=1e-12)


def test_unpaired_sets_have_no_oracle():
    x, y = rows()
    apart = rc.EmbeddingPair.from_arrays(x, y[:70], paired="no")
    found = trade_off_curves(Bench(apart, SETTINGS), [dial("realign")])
    assert found.oracle is None
    assert all(point.scores.values["recall_at_1"] is None for point in found.points)


def test_few_rows_are_judged_in_sample_without_intervals():
    few = Bench(data(12), Settings(bootstrap=30, k=3))
    found = trade_off_curves(few, [dial("realign")])
    assert not found.held_out
    assert found.curves[0].points[-1].scores.values == few.judge("realign")[0].in_sample
    assert all(point.scores.interval == {} for point in found.points)
    assert found.oracle.points[-1].scores.values["centroid_gap"] < 1e-14


def test_what_cannot_be_fitted_is_left_out_with_its_reason(bench):
    broken = replace(dial("realign"), values=(0.5, 3.0), default=1.0)
    (curve,) = trade_off_curves(bench, [broken]).curves
    assert [point.value for point in curve.points] == [0.5]
    ((text, reason),) = curve.left_out
    assert text == "strength 3"
    assert "strength is 3.0; it must lie in [0, 1]" in reason


def test_other_options_of_a_method_stay_and_the_dials_own_give_way(bench):
    own = {"blockwise": {"shrinkage": 0.9}, "c3": {"sigma": 5.0}}
    settings = replace(SETTINGS, energy=0.5, method_options=own)
    asked = []

    def keep(key, make):
        asked.append(key)
        return make()

    trade_off_curves(bench, [dial("blockwise"), dial("c3")], settings=settings, keep=keep)
    blockwise = [options for name, options in asked if name == "blockwise"]
    assert all('"energy": 0.5' in options for options in blockwise)
    assert blockwise[-1] == '{"energy": 0.5}'
    assert ("c3", "{}") in asked


def test_what_is_kept_is_not_judged_again(bench, monkeypatch):
    known = {}

    def keep(key, make):
        if key not in known:
            known[key] = make()
        return known[key]

    first = trade_off_curves(bench, [dial("realign")], keep=keep)

    def refuse(*_, **__):
        raise AssertionError("judged again")

    monkeypatch.setattr(Bench, "judge_shown", refuse)
    monkeypatch.setattr(Bench, "judge_pairs", refuse)
    again = trade_off_curves(bench, [dial("realign")], keep=keep)
    assert [p.scores for p in again.points] == [p.scores for p in first.points]
    assert len(known) == 2 + 5 + len(first.oracle.points)


def test_progress_is_told_each_value_and_may_stop(bench):
    said = []
    trade_off_curves(bench, [dial("rotation")], progress=said.append)
    total = 2 + 6 + len(OraclePath.alphas_of(D))
    assert [text.split("(")[-1] for text in said] == [f"{i} of {total})" for i in range(1, total + 1)]
    assert said[2] == f"rotation, Bures 0 (3 of {total})"

    def stop(stage):
        raise KeyboardInterrupt(stage)

    with pytest.raises(KeyboardInterrupt, match="identity"):
        trade_off_curves(bench, progress=stop)


@pytest.mark.parametrize("each", DIALS, ids=lambda each: each.name)
def test_dials_name_settings_that_the_methods_have(each):
    known = create(each.name).settings()
    assert set(each.sets) <= set(known)
    texts = [each.text(value) for value in each.all_values]
    assert len(set(texts)) == len(texts)
    assert each.default in each.all_values
    assert each.options_at(each.default, 64) == {}
    for value in each.all_values:
        assert set(each.options_at(value, 64)) <= set(each.sets)


def test_noise_counts_in_its_default_and_bounds_move_together():
    assert dial("c3").options_at(2.0, 64)["sigma"] == pytest.approx(2 * 0.25 / 8)
    bounds = dial("anisoalign").options_at(4.0, 64)
    assert bounds == pytest.approx({"phase_bound": 0.2, "radius_bound": 0.08, "rest_bound": 0.08})
    assert dial("anisoalign").options(100.0, 64)["phase_bound"] == math.pi
    assert [each.name for each in DIALS if each not in quick_dials()] == ["anisoalign"]
