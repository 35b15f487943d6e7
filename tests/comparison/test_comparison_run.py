"""The whole comparison: agreement with real figures, contracts, sampling, and what cannot be fitted."""

from __future__ import annotations

import json
import math

import numpy as np
import oracles
import pytest
from tolerances import GOLDEN, GOLDEN_SENSITIVE, GOLDEN_ZERO

import realign_core as rc
from realign_core.alignment import registry
from realign_core.comparison import SCORES

GENERATOR = np.random.default_rng(0)
SENSITIVE = ("kappa", "correlation", "cosine_js", "alpha")


def pair(n=80, dim=6, n_source=None, seed=0, **options):
    generator = np.random.default_rng(seed)
    base = generator.standard_normal((n, dim)) / np.sqrt(np.arange(1, dim + 1))
    x = base + 0.2 * generator.standard_normal((n, dim)) + 1
    y = base + 0.2 * generator.standard_normal((n, dim)) - 0.5
    return rc.EmbeddingPair.from_arrays(x, y[:n_source], **options)


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    else:
        yield path, value


@pytest.fixture(scope="module")
def real(real_set):
    path, golden = real_set
    found = rc.compare(rc.load_pair(path), methods=list(golden["methods"]), energy=0.99)
    return found.to_dict(), golden


def test_real_figures_agree_with_an_independent_implementation(real):
    found, golden = real
    for path, expected in leaves(golden):
        value = found
        for key in path:
            value = value[key]
        loose = any(word in part for part in path[-2:] for word in SENSITIVE)
        relative = GOLDEN_SENSITIVE if loose else GOLDEN
        assert value == pytest.approx(expected, rel=relative, abs=GOLDEN_ZERO), "/".join(path)


def test_the_published_effects_show_on_real_figures(real_set):
    path, _ = real_set
    unshrunk = {"blockwise": {"shrinkage": None}}
    found = rc.compare(rc.load_pair(path), methods=["realign", "blockwise"], method_options=unshrunk)
    realign, blockwise = (found.methods[name].in_sample["retention"] for name in ("realign", "blockwise"))
    assert blockwise < realign - 0.3
    # The figures themselves are stated for two modalities.
    if "coco" in path.name:
        assert blockwise < 0.35
        assert realign == pytest.approx(0.907, abs=0.005)
        assert found.diagnosis.residual.anisotropy == pytest.approx(28.3, abs=0.05)


KEYS = {
    "dataset": "n_target n_source dim paired paired_cosine shuffled_cosine pairing_z pairing_t groups "
    "rows_dropped norm_target norm_source warnings",
    "gap": "centroid_distance sampling_floor sampling_floor_95 mean_norm_target mean_norm_source "
    "trace_target trace_source",
    "frame": "rank energy eigenvalues",
    "decomposition": "total_energy pmb_norm cob_norm u_residual_energy v_residual_energy energy_coverage",
    "shape": "kappa_u kappa_v kappa_eff_u kappa_eff_v rank_u rank_v bias_noise_angle bias_noise_angles "
    "bias_noise_shares bias_noise_null eigenvalues_u eigenvalues_v",
    "residual": "anisotropy effective_dimension_ratio ratio_energy ratio_distance mean_distance "
    "centred_distance eigenvalues",
    "shared": "spectral_correlation subspace_overlap subspace_overlap_baseline covariance_discrepancy "
    "effective_rank_target effective_rank_source alpha_target alpha_source kappa_target kappa_source",
    "isotropic": "kappa_u kappa_v kappa_eff_u kappa_eff_v anisotropy effective_dimension_ratio alpha",
    "drift": "anchor anchor_trace centroid_shift",
    "coupling": "spectral_norm explained_variance explained_variance_in_sample",
    "tool": "name version",
    "settings": "methods energy k split seed device c3_sigma bootstrap normalize",
}


@pytest.mark.parametrize("paired", ["yes", "no"])
def test_the_json_has_every_key_and_no_nan(paired):
    found = rc.compare(pair(paired=paired), methods=["identity", "realign", "c3"], energy=0.9).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) is not None
    assert found["schema_version"] == 1
    for section, keys in KEYS.items():
        if section == "coupling" and paired == "no":
            assert found["coupling"] is None
            continue
        assert set(keys.split()) <= set(found[section]), section
    assert {"target", "source", "reasons"} <= set(found["dataset"]["rows_dropped"])
    assert {"min", "mean", "max"} <= set(found["dataset"]["norm_target"])
    assert {
        "measured",
        "radial",
        "tangential",
        "predicted",
        "predicted_tangential",
        "direction_cosine",
    } <= set(found["drift"]["anchor"])
    for name, method in found["methods"].items():
        assert set(SCORES) == set(method["in_sample"]) == set(method["held_out"]), name
        assert {"interval", "uses_pairs", "seconds"} <= set(method)
        assert {"fit", "transform"} <= set(method["seconds"])
        assert all(low <= high for low, high in method["interval"].values())
    assert found["reference"]["mixing"] is not None
    if paired == "no":
        assert {found["methods"]["realign"]["held_out"][name] for name in ("anisotropy", "recall_at_1")} == {
            None
        }


def test_in_sample_and_held_out_scores_are_the_oracles():
    data = pair(seed=3)
    found = rc.compare(data, methods=["realign"], seed=5).methods["realign"]
    x, y = (oracles.unit(np.asarray(rows)) for rows in (data.target, data.source))
    order = np.random.default_rng(5).permutation(80)
    fit, judge = order[:40], order[40:]
    inside = oracles.method_scores(x, y, oracles.realign(y, x))
    scale = np.sqrt(np.trace(oracles.covariance(x[fit])) / np.trace(oracles.covariance(y[fit])))
    mu_x, mu_y = x[fit].mean(0), y[fit].mean(0)
    step = [oracles.unit(mu_x + scale * (rows - mu_y)) for rows in (y[fit], y[judge])]
    outside = oracles.method_scores(x[judge], y[judge], oracles.unit(step[1] - step[0].mean(0) + mu_x))
    for values, expected in ((found.in_sample, inside), (found.held_out, outside)):
        for name, value in expected.items():
            assert values[name] == pytest.approx(value, abs=2e-3 if name == "cosine_js" else 2e-6), name


@pytest.mark.parametrize("paired", ["yes", "no"])
def test_floors_follow_what_a_method_fits(paired):
    data = pair(paired=paired)
    methods = ["identity", "realign"] + (["procrustes"] if paired == "yes" else [])
    found = rc.compare(data, methods=methods, split=0.25)
    assert found.methods["realign"].in_sample["sampling_floor"] is None
    for name in set(methods) - {"realign"}:
        assert found.methods[name].in_sample["sampling_floor"] > 0
    identity = found.methods["identity"]
    assert identity.in_sample["sampling_floor"] == pytest.approx(found.diagnosis.gap.sampling_floor)
    x, y = (oracles.unit(np.asarray(rows)) for rows in (data.target, data.source))
    generator = np.random.default_rng(0)
    order = generator.permutation(80)
    rows = [order[20:], order[20:] if paired == "yes" else generator.permutation(80)[20:]]
    spread = np.trace(oracles.covariance(x[rows[0]] - y[rows[1]]))
    if paired == "no":
        spread = np.trace(oracles.covariance(x[rows[0]])) + np.trace(oracles.covariance(y[rows[1]]))
    assert identity.held_out["sampling_floor"] == pytest.approx(math.sqrt(spread / 60))
    if paired == "yes":
        fit = order[:20]
        z = rc.ReAlign().fit(source=y[fit], target=x[fit]).transform(y[rows[1]])
        noise = np.trace(oracles.covariance(x[rows[0]] - z)) * (1 / 60 + 1 / 20)
        assert found.methods["realign"].held_out["sampling_floor"] == pytest.approx(math.sqrt(noise))


def test_a_random_target_has_no_mixing_on_its_own_rows():
    found = rc.compare(pair(), methods=["random_target"]).methods["random_target"]
    for name in SCORES:
        if "mixing" in name:
            assert found.in_sample[name] is None
            assert found.held_out[name] is not None
    assert found.in_sample["centroid_gap"] == pytest.approx(0, abs=1e-12)
    assert found.held_out["retention"] < 0.5


def test_what_cannot_be_fitted_is_none_and_said():
    x = GENERATOR.standard_normal((60, 4))
    constant = np.tile(np.arange(1.0, 5), (60, 1))
    data = rc.EmbeddingPair.from_arrays(x, constant, paired="yes")
    found = rc.compare(data, methods=["identity", "realign", "blockwise"])
    assert found.methods["realign"] is None
    assert found.methods["blockwise"] is None
    assert found.methods["identity"] is not None
    assert sum("could not be fitted" in warning for warning in found.warnings) == 2
    assert found.to_dict()["methods"]["realign"] is None
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert found.difference("identity", "realign", "phi") is None
    assert list(found.table().index) == ["identity", "realign", "blockwise"]


class Broken:
    """Maps every row to something without a direction."""

    def fit(self, *, source, target):
        return self

    def transform(self, rows):
        return rows * float("nan")


def test_a_method_that_maps_to_nan_is_not_scored(monkeypatch):
    monkeypatch.setitem(registry._FACTORIES, "broken", Broken)
    found = rc.compare(pair(), methods=["broken", "identity"])
    assert found.methods["broken"] is None
    assert any("without a direction" in warning for warning in found.warnings)


def test_differences_are_taken_resample_by_resample():
    found = rc.compare(pair(n=200), methods=["realign", "rotation", "mean_shift"])
    for score in ("retention", "psi"):
        point, low, high = found.difference("rotation", "realign", score)
        values = [found.methods[name].held_out[score] for name in ("rotation", "realign")]
        assert point == pytest.approx(values[0] - values[1])
        assert low <= point <= high
        assert found.difference("realign", "rotation", score) == pytest.approx((-point, -high, -low))
        widths = [np.diff(found.methods[name].interval[score])[0] for name in ("rotation", "realign")]
        assert high - low < sum(widths)
        assert found.resolved("rotation", "realign", score) == (low > 0 or high < 0)
    assert found.difference("rotation", "realign", "trace_ratio") is None
    assert found.difference("rotation", "nothing", "psi") is None


@pytest.mark.parametrize("paired", ["yes", "no"])
def test_more_rows_than_are_judged_are_sampled(paired):
    data = pair(n=120, paired=paired)
    found = rc.compare(data, methods=["realign", "random_target"], score_rows=50)
    assert found.judged == {
        "in_sample_target": 50, "in_sample_source": 50, "held_out_target": 50, "held_out_source": 50,
    }  # fmt: skip
    assert any("judged on a seeded sample of at most 50" in warning for warning in found.warnings)
    assert found.diagnosis.statistics.target.n == 120
    again = rc.compare(data, methods=["realign"], score_rows=50)
    assert again.methods["realign"].held_out == found.methods["realign"].held_out
    other = rc.compare(data, methods=["realign"], score_rows=50, seed=1)
    assert other.methods["realign"].held_out != found.methods["realign"].held_out
    everything = rc.compare(data, methods=["realign"], score_rows=120)
    assert everything.judged["in_sample_target"] == 120


@pytest.mark.parametrize("rows", [100, 60])
def test_the_in_sample_gap_is_that_of_all_rows_however_few_are_judged(rows):
    data = pair(n=120)
    methods = ["realign", "identity", "c3", "rotation"]
    sampled, whole = (rc.compare(data, methods=methods, score_rows=count) for count in (rows, 120))
    for name in methods:
        found, expected = (one.methods[name].in_sample["centroid_gap"] for one in (sampled, whole))
        assert found == pytest.approx(expected, abs=1e-6)


def test_rows_read_from_files_keep_their_groups_and_their_numbers():
    generator = np.random.default_rng(0)
    images = oracles.unit(generator.standard_normal((60, 8)))
    x = images.repeat(3, axis=0)
    y = x + 0.6 * generator.standard_normal(x.shape)
    mixed = generator.permutation(180)
    data = rc.EmbeddingPair.from_arrays(x[mixed], y[mixed], paired="yes")
    assert data.report.groups == 60
    # 90 rows are left to judge on: none is sampled away, but with 100 they are read from the file.
    read, held = (rc.compare(data, methods=["realign"], score_rows=rows) for rows in (100, 180))
    found, expected = (one.methods["realign"].held_out for one in (read, held))
    for name in ("recall_at_1", "recall_at_1_reverse", "sampling_floor", "paired_cosine", "omega"):
        assert found[name] == pytest.approx(expected[name], abs=1e-6), name
    judged = read.rows["held-out"]
    assert sorted(judged.target) == sorted(held.rows["held-out"].target)
    assert (np.diff(judged.target) > 0).all()


def test_too_few_rows_for_the_default_k_leave_retention_without_a_value():
    found = rc.compare(pair(n=10), methods=["identity"])
    assert found.methods["identity"].in_sample["retention"] is None
    assert any("retention needs more than 10" in warning for warning in found.warnings)


def test_held_out_needs_ten_rows():
    enough = rc.compare(pair(n=20), methods=["identity"], k=3)
    assert enough.methods["identity"].held_out is not None
    assert any("omega needs more than 20" in warning for warning in enough.warnings)
    short = rc.compare(pair(n=19), methods=["identity"], k=3, split=0.5)
    assert short.judged["held_out_target"] == 10
    short = rc.compare(pair(n=18), methods=["identity"], k=3)
    assert short.methods["identity"].held_out is None
    assert short.methods["identity"].interval == {}
    assert short.reference == {}
    assert any("only in-sample scores" in warning for warning in short.warnings)
    assert json.dumps(short.to_dict(), allow_nan=False)


def test_scores_without_enough_neighbours_are_null_and_said():
    found = rc.compare(pair(n=9), methods=["identity"], k=8)
    values = found.methods["identity"].in_sample
    assert values["retention"] == 1
    assert (values["omega"], values["mixing"]) == (None, None)
    for name in ("omega", "mixing"):
        assert any(f"In-sample {name} needs more than 20" in warning for warning in found.warnings)
    with pytest.raises(rc.UnusableInput, match="use --k 8 or less"):
        rc.compare(pair(n=9), methods=["identity"], k=9)


def test_captions_that_share_an_image_stay_on_one_side():
    generator = np.random.default_rng(0)
    x = np.repeat(generator.standard_normal((30, 5)), 4, axis=0)
    y = x + 0.3 * generator.standard_normal(x.shape) + 0.5
    data = rc.EmbeddingPair.from_arrays(x, y, paired="yes")
    assert data.report.groups == 30
    found = rc.compare(data, methods=["identity"])
    assert found.judged["held_out_target"] % 4 == 0
    # Each caption finds its image when no other image scores above it, whichever copy is first.
    groups = np.repeat(np.arange(30), 4)
    expected = oracles.recall(oracles.unit(y), oracles.unit(x), groups, 1)
    assert found.methods["identity"].in_sample["recall_at_1"] == pytest.approx(expected)


def test_paired_methods_need_pairs_and_names_must_exist():
    with pytest.raises(rc.UnusableInput, match="procrustes"):
        rc.compare(pair(paired="no"), methods=["procrustes"])
    with pytest.raises(rc.UnusableInput, match="no method 'magic'"):
        rc.compare(pair(), methods=["magic"])
    with pytest.raises(rc.UnusableInput, match="empty"):
        rc.compare(pair(), methods=[])
    everything = rc.compare(pair(paired="no"), bootstrap=5).methods
    assert "procrustes" not in everything
    assert "realign" in everything
