"""Intervals: coverage on data of known truth, groups kept whole, leave-one-out by brute force."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from tolerances import COSINE32, SOLVED

from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.intervals import Replicates, Resampling, mean_variance
from realign_core.comparison.scoring import MapScores, score
from realign_core.diagnostics import angular
from realign_core.moments import Moments


def tensors(*arrays):
    return [torch.from_numpy(np.ascontiguousarray(rows)) for rows in arrays]


def resampling_of(x, z, *, paired=True, groups=None, bootstrap=200, seed=0):
    groups = None if groups is None else torch.from_numpy(groups)
    evaluation = Evaluation(x, z, paired=paired, k=5, groups=groups)
    return evaluation, Resampling(evaluation, bootstrap=bootstrap, seed=seed)


def gap_interval(x, z, seed, **options):
    x, z = tensors(x, z)
    paired = options.get("paired", True)
    _, resampling = resampling_of(x, z, seed=seed, **options)
    scores = MapScores({}, z, Moments.of(z), Moments.of(x - z) if paired else None)
    return Replicates("bootstrap", resampling.gap_replicates(scores)).interval(0)


def coverage(truth, draw, trials=250, **options):
    generator = np.random.default_rng(0)
    bounds = [gap_interval(*draw(generator), seed=trial, **options) for trial in range(trials)]
    return np.mean([low <= truth <= high for low, high in bounds])


SPREAD = np.array([1.0, 0.7, 0.5, 0.3, 0.2, 0.1])


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("truth", [0.0, 0.6, 2.0])
def test_the_interval_of_the_gap_covers_the_true_gap(truth, paired):
    shift = truth * np.eye(6)[1]

    def draw(generator):
        x = generator.standard_normal((60, 6)) * SPREAD + shift
        return x, generator.standard_normal((60 if paired else 45, 6)) * SPREAD

    assert coverage(truth, draw, paired=paired) >= 0.9


def grouped_pairs(generator):
    """Sixty groups of five rows that are almost one row."""
    groups = np.repeat(np.arange(60), 5)
    shared = generator.standard_normal((2, 60, 6)) * SPREAD
    x, z = (rows[groups] + 0.05 * generator.standard_normal((300, 6)) for rows in shared)
    return x + 0.6 * np.eye(6)[1], z, groups


def test_the_interval_of_the_gap_covers_it_for_groups_of_captions():
    generator = np.random.default_rng(0)
    bounds = {"whole": [], "torn": []}
    for trial in range(150):
        x, z, groups = grouped_pairs(generator)
        bounds["whole"].append(gap_interval(x, z, trial, groups=groups))
        bounds["torn"].append(gap_interval(x, z, trial))
    covered = {k: np.mean([low <= 0.6 <= high for low, high in v]) for k, v in bounds.items()}
    assert covered["whole"] >= 0.88
    # Negative control: rows taken for independent make the interval far too narrow.
    assert covered["torn"] < 0.75


def test_the_variance_of_a_mean_of_whole_units():
    generator = np.random.default_rng(1)
    rows = generator.standard_normal((40, 3))
    found = mean_variance(*tensors(rows), Moments.of(torch.from_numpy(rows)), np.arange(40))
    assert found == pytest.approx(np.trace(oracles.covariance(rows)) / 40)
    doubled = np.repeat(rows, 3, axis=0)
    found = mean_variance(
        *tensors(doubled), Moments.of(torch.from_numpy(doubled)), np.repeat(np.arange(40), 3)
    )
    assert found == pytest.approx(np.trace(oracles.covariance(rows)) / 40)


@pytest.mark.parametrize("grouped", [True, False])
def test_intervals_of_means_over_rows_cover_the_truth(grouped):
    generator = np.random.default_rng(2)
    size, covered = 4 if grouped else 1, []
    for trial in range(250):
        groups = np.repeat(np.arange(60), size)
        kept = np.repeat(generator.binomial(10, 0.8, 60) / 10, size)
        x, z = tensors(*generator.standard_normal((2, len(groups), 2)))
        _, resampling = resampling_of(x, z, groups=groups, seed=trial)
        weights = resampling.source_weights
        means = (weights @ torch.from_numpy(kept) / weights.sum(1)).numpy()
        low, high = Replicates("bootstrap", means).interval(0.8)
        covered.append(low <= 0.8 <= high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_groups_are_resampled_whole_and_share_their_weights():
    groups = np.random.default_rng(0).integers(0, 30, 100)
    x, z = tensors(*np.random.default_rng(0).standard_normal((2, 100, 3)))
    _, resampling = resampling_of(x, z, groups=groups)
    assert resampling.source_weights is resampling.target_weights
    for label in np.unique(groups):
        assert float(resampling.source_weights[:, groups == label].std(dim=1, correction=0).max()) == 0
        assert len(set(resampling.jackknife.source_label[groups == label])) == 1
    units = len(np.unique(groups))
    per_unit = resampling.source_weights[:, np.unique(groups, return_index=True)[1]]
    assert per_unit.sum(1).tolist() == [units] * 200


def mapped_pair(n=90, dim=5, n_z=None):
    generator = np.random.default_rng(4)
    x = oracles.unit(generator.standard_normal((n, dim)) / np.arange(1, dim + 1) + 0.3)
    n_z = n_z or n
    y = oracles.unit(generator.standard_normal((n_z, dim)) / np.arange(1, dim + 1))
    return x, y, oracles.unit(y + 0.3 + 0.2 * generator.standard_normal((n_z, dim)))


@pytest.mark.parametrize(
    ("paired", "n_x", "n_z"), [(True, 90, 90), (False, 90, 60), (False, 12, 90), (False, 60, 15)]
)
def test_leave_one_out_values_are_those_of_the_rows_that_are_left(paired, n_x, n_z):
    x, y, z = mapped_pair(n_x, n_z=n_z)
    groups = np.random.default_rng(0).integers(0, 35, n_x) if paired else None
    tx, ty, tz = tensors(x, y, z)
    evaluation = Evaluation(
        tx, ty, paired=paired, k=5, groups=None if groups is None else torch.from_numpy(groups)
    )
    resampling = Resampling(evaluation, bootstrap=5, seed=1)
    knife = resampling.jackknife
    assert knife.count == min(20, *((35,) if paired else (n_x, n_z)))
    found = knife.values(score(evaluation, tz, floor=None))
    for group in range(knife.count):
        a, b = knife.target_label != group, knife.source_label != group
        cx, cz = oracles.covariance(x[a]), oracles.covariance(z[b])
        expected = {
            "psi": oracles.pairwise_correlation(y[b], z[b]),
            "cosine_js": oracles.cosine_js(x[a], z[b]),
            "covariance_discrepancy": np.linalg.norm(cx - cz) / np.linalg.norm(cx),
            "alpha": oracles.power_law_exponent(cz),
        }
        if paired:
            expected["anisotropy"] = oracles.uncentred_anisotropy(x[a] - z[b])
        assert set(expected) == set(found)
        slack = {"psi": COSINE32, "cosine_js": 5e-3}
        for name, value in expected.items():
            assert found[name][group] == pytest.approx(value, abs=slack.get(name, SOLVED)), name


def test_leave_one_out_values_of_sampled_pairs_are_those_of_the_pairs_that_are_left(monkeypatch):
    monkeypatch.setattr(angular, "ALL_PAIRS_UP_TO", 10)
    monkeypatch.setattr(angular, "SAMPLED_PAIRS", 3000)
    x, y, z = mapped_pair()
    evaluation = Evaluation(*tensors(x, y), paired=True, k=5)
    knife = Resampling(evaluation, bootstrap=5, seed=1).jackknife
    found = knife.values(score(evaluation, *tensors(z), floor=None))
    i, j = (rows.numpy() for rows in (evaluation.source_pairs.i, evaluation.source_pairs.j))
    assert len(i) == 3000
    for group in range(knife.count):
        kept = (knife.source_label[i] != group) & (knife.source_label[j] != group)
        before, after, target = ((rows[i] * rows[j]).sum(1)[kept] for rows in (y, z, x))
        counts = [np.histogram(cosines, bins=200, range=(-1, 1))[0] for cosines in (target, after)]
        assert found["psi"][group] == pytest.approx(np.corrcoef(before, after)[0, 1], abs=COSINE32)
        assert found["cosine_js"][group] == pytest.approx(oracles.jensen_shannon(*counts), abs=5e-3)


def test_fewer_rows_than_dimensions_leave_the_same_exponents():
    x, y, z = mapped_pair(30, 50)
    evaluation = Evaluation(*tensors(x, y), paired=True, k=5)
    knife = Resampling(evaluation, bootstrap=5, seed=1).jackknife
    found = knife.values(score(evaluation, *tensors(z), floor=None))["alpha"]
    left = [z[knife.source_label != group] for group in range(knife.count)]
    assert found == pytest.approx([oracles.power_law_exponent(oracles.covariance(rows)) for rows in left])


def test_jackknife_groups_are_of_near_equal_size():
    _, resampling = resampling_of(*tensors(*np.random.default_rng(0).standard_normal((2, 107, 3))))
    sizes = np.bincount(resampling.jackknife.source_label)
    assert len(sizes) == 20
    assert sizes.max() - sizes.min() <= 1


def test_one_group_has_no_jackknife():
    x, y, z = mapped_pair(30)
    evaluation = Evaluation(*tensors(x, y), paired=True, k=5, groups=torch.zeros(30, dtype=torch.int64))
    resampling = Resampling(evaluation, bootstrap=5, seed=0)
    assert resampling.jackknife.values(score(evaluation, *tensors(z), floor=None)) == {}


def test_the_jackknife_interval_of_a_mean_is_the_textbook_one():
    values = np.random.default_rng(0).standard_normal(20)
    left_out = (values.sum() - values) / 19
    low, high = Replicates("jackknife", left_out).interval(values.mean())
    error = values.std(ddof=1) / np.sqrt(20)
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error))


def test_every_interval_holds_its_score_and_differences_share_resamples():
    x, y, z = mapped_pair()
    tx, ty, tz = tensors(x, y, z)
    evaluation = Evaluation(tx, ty, paired=True, k=5)
    resampling = Resampling(evaluation, bootstrap=200, seed=0)
    scores = score(evaluation, tz, floor=None)
    first, second = (resampling.replicates(scores) for _ in range(2))
    for name, found in first.items():
        low, high = found.interval(scores.values[name])
        if name != "centroid_gap":
            assert low <= scores.values[name] <= high, name
        assert np.abs(found.minus(second[name]).values).max() == 0
    missing = {n for n, v in scores.values.items() if v is not None} - set(first)
    assert missing == {"trace_ratio"}
    low, high = first["mixing"].interval(0)
    mean = (first["mixing_source"].values + first["mixing_target"].values) / 2
    assert np.allclose(first["mixing"].values, mean)
