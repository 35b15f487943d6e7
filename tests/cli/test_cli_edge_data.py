"""Odd data is analysed, with warnings, and null where a figure does not exist."""

import json

import numpy as np
import pytest
from cli_tools import make_pair, unit


@pytest.fixture
def analyze(cli, folder):
    """Analyse two arrays; gives the JSON, which holds no NaN or infinity, and its warnings as one text."""

    def refuse(name):
        raise AssertionError(f"{name} in the JSON")

    def run(target, source, *options):
        np.save("x.npy", target)
        np.save("y.npy", source)
        outcome = cli("analyze", "x.npy", "y.npy", *options, "--json", "-")
        assert outcome.status == 0, outcome.err
        found = json.loads(outcome.out, parse_constant=refuse)
        return found, "\n".join(found["dataset"]["warnings"])

    return run


def test_fewer_rows_than_dimensions(analyze):
    found, warnings = analyze(*make_pair(24, 40))
    assert "24 rows in 40 dimensions" in warnings
    assert found["methods"]["realign"]["in_sample"]["retention"] is not None
    assert found["shape"]["rank_u"] <= 24


def test_rows_that_are_not_normalised(analyze):
    target, source = make_pair()
    lengths = np.linspace(0.1, 30, 60, dtype="f4")[:, None]
    found, warnings = analyze(target * lengths, source * lengths)
    assert "The target is not normalised: norms run from 0.1 to 30" in warnings
    plain, _ = analyze(target, source)
    assert found["gap"]["centroid_distance"] == pytest.approx(plain["gap"]["centroid_distance"], rel=1e-5)
    raw, warnings = analyze(target * lengths, source * lengths, "--no-normalize")
    assert "Rows were not normalised" in warnings
    assert raw["gap"]["centroid_distance"] > 5 * found["gap"]["centroid_distance"]


def test_half_precision(analyze):
    target, source = make_pair()
    found, warnings = analyze(target.astype("f2"), source.astype("f2"))
    assert "stored in float16" in warnings
    plain, _ = analyze(target, source)
    assert found["gap"]["centroid_distance"] == pytest.approx(plain["gap"]["centroid_distance"], rel=2e-3)


def test_unpaired_rows_have_no_figures_of_pairs(analyze):
    target, source = make_pair()
    found, warnings = analyze(target, source[::-1])
    assert "treated as unpaired" in warnings
    assert found["dataset"]["groups"] is None
    assert found["residual"]["mean_distance"] is None
    assert found["shape"]["kappa_u"] is None
    assert "procrustes" not in found["methods"]
    assert found["methods"]["realign"]["in_sample"]["recall_at_1"] is None


@pytest.mark.parametrize("paired", ["auto", "yes", "no"])
def test_a_source_of_one_row_repeated(analyze, paired):
    target, source = make_pair()
    found, warnings = analyze(target, np.repeat(source[:1], 60, axis=0), "--paired", paired)
    assert "All 60 rows of the source are the same" in warnings
    assert found["methods"]["realign"] is None
    assert "realign could not be fitted" in warnings
    assert found["methods"]["mean_shift"]["in_sample"]["centroid_gap"] is not None


@pytest.mark.parametrize("paired", ["auto", "yes", "no"])
def test_a_target_of_one_row_repeated(analyze, paired):
    target, source = make_pair()
    found, warnings = analyze(np.repeat(target[:1], 60, axis=0), source, "--paired", paired)
    assert "All 60 rows of the target are the same" in warnings
    assert found["methods"]["identity"]["in_sample"]["trace_ratio"] is None


def test_rows_of_one_number_throughout(analyze):
    target, source = make_pair()
    source[4] = 0.5
    _, warnings = analyze(target, source)
    assert "1 constant rows" in warnings


def test_bad_rows_are_dropped_in_pairs(analyze):
    target, source = make_pair()
    target[3], source[7], source[9] = np.nan, 0, np.inf
    found, warnings = analyze(target, source)
    assert found["dataset"]["n_target"] == found["dataset"]["n_source"] == 57
    assert found["dataset"]["paired"] is True
    assert found["dataset"]["rows_dropped"] == {
        "target": 3,
        "source": 3,
        "reasons": {"NaN": 1, "infinite": 1, "zero norm": 1},
    }
    assert "The target has 1 unusable rows (1 NaN), dropped; first: row 3 of x.npy" in warnings


def test_rows_repeated_in_both_sets(analyze):
    target, source = make_pair(12)
    found, warnings = analyze(np.repeat(target, 5, axis=0), np.repeat(source, 5, axis=0), "--paired", "yes")
    assert "48 exact duplicates among 60 rows" in warnings
    assert found["dataset"]["groups"] == 12
    assert np.isfinite(found["methods"]["realign"]["in_sample"]["retention"])


@pytest.mark.parametrize("n", [2, 3, 4, 9, 21])
def test_very_few_rows(analyze, n):
    target, source = make_pair(n, 5)
    found, warnings = analyze(target, source, "--k", "1")
    assert found["dataset"]["n_target"] == n
    assert set(found["methods"]) >= {"identity", "realign", "rotation", "gaussian_ot"}
    if n < 20:
        assert found["methods"]["identity"]["held_out"] is None
        assert "only in-sample scores" in warnings


@pytest.mark.parametrize("d", [1, 2])
def test_very_few_dimensions(analyze, d):
    generator = np.random.default_rng(0)
    target = unit(generator.standard_normal((40, d)) + 1.5)
    source = unit(generator.standard_normal((40, d)) - 0.5)
    found, _ = analyze(target, source)
    assert found["dataset"]["dim"] == d


def test_opposite_sets(analyze):
    target, _ = make_pair()
    found, _ = analyze(target, -target)
    assert found["gap"]["centroid_distance"] == pytest.approx(2 * found["gap"]["mean_norm_target"], rel=1e-9)


def test_long_ids_and_captions_beside_the_rows(cli, folder):
    target, source = np.load("both.npy")
    np.savez("a.npz", image=target, text=source, ids=np.array(["x" * 5000] * 60), captions=["ü\n<b>"] * 60)
    outcome = cli("analyze", "a.npz", "--methods", "identity")
    assert outcome.status == 0, outcome.err
