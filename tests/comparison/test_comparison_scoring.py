"""Scores of a mapped source against naive oracles, and their sampling floors."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import COSINE32

from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.scoring import (
    PAIR_SCORES,
    SCORES,
    TARGET_REACHED,
    FloorWeights,
    score,
    score_reference,
)

FLOORS = ("sampling_floor", "sampling_floor_95")


def sets(n_x, n_z, dim, seed=0, spread=0.5):
    generator = np.random.default_rng(seed)
    n = max(n_x, n_z)
    base = generator.standard_normal((n, dim)) / np.sqrt(np.arange(1, dim + 1))
    x, y, z = (base + spread * generator.standard_normal((n, dim)) * 0.3 + 0.2 * i for i in range(3))
    return [oracles.unit(rows) for rows in (x[:n_x], y[:n_z], z[:n_z])]


def scored(x, y, z, *, paired=True, k=10, groups=None, labels=None, floor=None, **options):
    groups, classes = (None if part is None else torch.from_numpy(part) for part in (groups, labels))
    x, y, z = (torch.from_numpy(rows) for rows in (x, y, z))
    evaluation = Evaluation(x, y, paired=paired, k=k, groups=groups, classes=classes)
    return score(evaluation, z, floor=floor, **options).values


@settings(max_examples=25, deadline=None)
@given(st.integers(25, 90), st.integers(3, 12), st.integers(1, 24), st.integers(0, 999), st.booleans())
def test_every_score_is_the_oracles(n, dim, k, seed, grouped):
    x, y, z = sets(n, n, dim, seed)
    groups = None
    if grouped:
        groups = np.random.default_rng(seed).integers(0, n // 2, n)
    # Each class has rows of more than one group; some rows have no class.
    labels = np.random.default_rng(seed).permutation(np.arange(n) % 4 - 1)
    found = scored(x, y, z, k=k, groups=groups, labels=labels)
    expected = oracles.method_scores(x, y, z, k, groups, labels=labels)
    assert set(expected) == set(SCORES) - set(FLOORS)
    # A cosine on the edge of a bin may fall on either side of it.
    slack = {"cosine_js": 3 / (n * (n - 1) / 2)}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=slack.get(name, COSINE32), rel=1e-6), name


@pytest.mark.parametrize(("n_x", "n_z"), [(40, 70), (70, 40), (12, 30), (30, 12)])
def test_unpaired_sets_of_any_size_have_the_unpaired_scores(n_x, n_z):
    x, y, z = sets(n_x, n_z, 6)
    k = min(10, n_z - 1)
    found = scored(x, y, z, paired=False, k=k)
    expected = oracles.method_scores(x, y, z, k, paired=False)
    if n_z <= 20:
        expected["omega"] = None
    for name, value in expected.items():
        if name != "cosine_js":
            assert found[name] == (None if value is None else pytest.approx(value, abs=COSINE32)), name
    assert found["cosine_js"] == pytest.approx(expected["cosine_js"], abs=0.02)
    assert {found[name] for name in PAIR_SCORES} == {None}


@settings(max_examples=15, deadline=None)
@given(st.integers(25, 60), st.integers(0, 999))
def test_scores_by_direction_see_duplicates_and_ties(n, seed):
    generator = np.random.default_rng(seed)
    x, y, z = (oracles.unit(np.where(generator.standard_normal((n, 3)) > 0, 1.0, -1.0)) for _ in range(3))
    found, expected = scored(x, y, z), oracles.method_scores(x, y, z)
    for name in (
        "retention",
        "omega",
        "mixing",
        "mixing_source",
        "mixing_target",
        "recall_at_1",
        "recall_at_5",
    ):
        assert found[name] == pytest.approx(expected[name], abs=1e-12), name


def test_the_identity_keeps_everything_and_a_permutation_does_not():
    x, y, _ = sets(60, 60, 6)
    kept = scored(x, y, y)
    assert [kept[name] for name in ("retention", "omega")] == [1, 1]
    assert [kept[name] for name in ("phi", "psi")] == pytest.approx([1, 1], abs=1e-12)
    lost = scored(x, y, y[::-1].copy())
    assert max(lost[name] for name in ("retention", "omega", "phi", "psi")) < 0.7
    assert lost["mixing"] == pytest.approx(kept["mixing"])
    assert lost["centroid_gap"] == pytest.approx(kept["centroid_gap"])


def test_a_perfect_map_reaches_the_target():
    x, y, _ = sets(60, 60, 6)
    found = scored(x, y, x)
    for name, value in {
        "centroid_gap": 0, "covariance_discrepancy": 0, "cosine_js": 0, "trace_ratio": 1,
        "paired_cosine": 1, "recall_at_1": 1, "recall_at_1_reverse": 1,
    }.items():  # fmt: skip
        assert found[name] == pytest.approx(value, abs=1e-12), name
    assert found["anisotropy"] is None


def noise_floor(covariance):
    trace = np.trace(covariance)
    nu = trace**2 / np.trace(covariance @ covariance)
    from scipy.stats import chi2

    return math.sqrt(trace), math.sqrt(trace) * math.sqrt(chi2.ppf(0.95, nu) / nu)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("n_fit", [None, 80])
def test_the_four_sampling_floors(paired, n_fit):
    n_x, n_z = (50, 50) if paired else (50, 35)
    x, y, z = sets(n_x, n_z, 6)
    weights = [1 / n + (1 / n_fit if n_fit else 0) for n in (n_x, n_z)]
    found = scored(x, y, z, paired=paired, floor=FloorWeights(*weights))
    if paired:
        noise = weights[0] * oracles.covariance(x - z)
    else:
        noise = weights[0] * oracles.covariance(x) + weights[1] * oracles.covariance(z)
    assert [found[name] for name in FLOORS] == pytest.approx(noise_floor(noise), rel=1e-10)
    bare = scored(x, y, z, paired=paired)
    assert [bare[name] for name in FLOORS] == [None, None]


def test_the_reference_is_a_set_against_its_own_other_half():
    x, y, _ = sets(300, 300, 5)
    evaluation = Evaluation(*(torch.from_numpy(rows) for rows in (x[:150], y[:150])), paired=True)
    found = score_reference(evaluation, torch.from_numpy(x[150:]), FloorWeights(1 / 150, 1 / 150))
    assert set(found) == set(TARGET_REACHED)
    expected = oracles.method_scores(x[:150], y[:150], x[150:], paired=False)
    for name in TARGET_REACHED:
        if name not in FLOORS:
            assert found[name] == pytest.approx(expected[name], abs=2e-3), name
    noise = oracles.covariance(x[:150]) / 150 + oracles.covariance(x[150:]) / 150
    assert [found[name] for name in FLOORS] == pytest.approx(noise_floor(noise))
    assert found["mixing"] == pytest.approx(0.5, abs=0.05)
    assert found["centroid_gap"] < found["sampling_floor_95"]


@pytest.mark.parametrize(
    ("n", "nulls"), [(2, {"retention", "omega", "psi", "mixing"}), (3, {"omega", "psi"}), (12, {"omega"})]
)
def test_small_sets_have_null_scores(n, nulls):
    x, y, z = sets(n, n, 4)
    found = scored(x, y, z, k=min(10, n - 1) if n > 2 else 3)
    for name in nulls:
        assert found[name] is None, name
    assert found["centroid_gap"] is not None
    assert all(value is None or math.isfinite(value) for value in found.values())


def test_sets_without_variance_have_null_scores():
    x, y, z = sets(40, 40, 4)
    flat = np.tile(x[:1], (40, 1))
    constant = scored(flat, y, z)
    assert (constant["covariance_discrepancy"], constant["trace_ratio"]) == (None, None)
    collapsed = scored(x, y, flat)
    assert (collapsed["alpha"], collapsed["psi"]) == (None, None)
    assert collapsed["trace_ratio"] == pytest.approx(0, abs=1e-12)
    assert all(v is None or math.isfinite(v) for v in [*constant.values(), *collapsed.values()])


def test_a_copying_method_has_no_mixing():
    x, y, z = sets(40, 40, 4)
    found = scored(x, y, z, mixing=False)
    assert {found[name] for name in SCORES if "mixing" in name} == {None}
    assert found["cosine_js"] is not None


@pytest.mark.parametrize("scale", [1e-20, 1, 1e20])
def test_scores_of_directions_do_not_see_lengths(scale):
    x, y, z = sets(40, 40, 4)
    found, plain = scored(x * scale, y * scale, z * scale), scored(x, y, z)
    for name in SCORES:
        if plain[name] is not None and name != "centroid_gap":
            assert found[name] == pytest.approx(plain[name], rel=1e-6), name
    assert found["centroid_gap"] == pytest.approx(plain["centroid_gap"] * scale)
