"""`analyze` writes the JSON, the table and the report that interface.md promises."""

# ruff: noqa: RUF001  (numbers are set with a multiplication sign)

import json
import math

import numpy as np
import pandas as pd
import pytest
import useful_sets

import realign_core as rc
from realign_core.cli import progress
from realign_core.cli.summary import _typed
from realign_core.method_names import DEFAULT_METHODS

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
    "settings": "methods energy k split seed device c3_sigma bootstrap score_rows normalize max_rows paired",
}
DRIFT = "measured radial tangential predicted predicted_tangential direction_cosine"
REFERENCE = "centroid_gap sampling_floor mixing entropy_mixing_target cosine_js covariance_discrepancy"
SCORES = (
    "sampling_floor_95 retention omega phi psi mixing_source mixing_target entropy_mixing_source "
    "trace_ratio alpha " + REFERENCE
)
PAIRED_ONLY = (
    "paired_cosine recall_at_1 recall_at_5 recall_at_10 recall_at_1_reverse recall_at_5_reverse "
    "recall_at_10_reverse anisotropy"
)


def strict(text):
    """JSON without NaN and infinities."""

    def refuse(name):
        raise AssertionError(f"{name} in the JSON")

    return json.loads(text, parse_constant=refuse)


def has(section, names):
    missing = set(names.split()) - set(section)
    assert not missing, missing


def analyze(cli, *arguments):
    outcome = cli("analyze", *arguments, "--json", "-")
    assert outcome.status == 0, outcome.err
    return strict(outcome.out)


def test_the_json_has_every_key(cli, folder):
    found = analyze(cli, "t.npy", "s.npy", "--energy", "0.7")
    assert found["schema_version"] == 1
    for section, names in KEYS.items():
        has(found[section], names)
    has(found["dataset"]["rows_dropped"], "target source reasons")
    has(found["dataset"]["norm_target"], "min mean max")
    has(found["drift"]["anchor"], DRIFT)
    has(found["drift"]["anchor_trace"], DRIFT)
    has(found["shape"]["bias_noise_null"], "low high")
    has(found["reference"], REFERENCE)
    assert tuple(found["methods"]) == DEFAULT_METHODS
    for method in found["methods"].values():
        has(method, "in_sample held_out interval uses_pairs seconds")
        has(method["seconds"], "fit transform")
        for side in ("in_sample", "held_out"):
            has(method[side], f"{SCORES} {PAIRED_ONLY}")
        for low, high in method["interval"].values():
            assert low <= high
    assert {"diagnose", *DEFAULT_METHODS} <= set(found["seconds"])
    assert found["dataset"]["paired"] is True
    assert len(found["frame"]["eigenvalues"]) == found["dataset"]["dim"] == 6
    assert found["settings"]["device"] in ("cpu", "cuda", "mps")


def test_the_same_command_gives_the_same_json(cli, folder):
    def run(*options):
        found = analyze(cli, "t.npy", "s.npy", "--methods", "c3,random_target,rotation", *options)
        del found["seconds"]
        for method in found["methods"].values():
            del method["seconds"]
        return found

    first = run("--seed", "3")
    assert run("--seed", "3") == first
    other = run("--seed", "4")
    assert other["methods"]["c3"]["held_out"] != first["methods"]["c3"]["held_out"]
    assert other["gap"]["centroid_distance"] == first["gap"]["centroid_distance"]


def test_json_csv_and_a_summary(cli, folder):
    outcome = cli(
        "analyze", "both.npy", "--methods", "identity,realign", "--json", "a.json", "--csv", "a.csv"
    )
    assert outcome.status == 0
    assert outcome.err == ""
    found = strict((folder / "a.json").read_text())
    table = pd.read_csv(folder / "a.csv", index_col="method")
    assert list(table.index) == ["identity", "realign"]
    for side in ("held_out", "in_sample"):
        written = found["methods"]["realign"][side]["retention"]
        assert table.loc["realign", f"{side}_retention"] == pytest.approx(written, rel=1e-12)
    assert table.loc["realign", "held_out_retention_low"] <= table.loc["realign", "held_out_retention_high"]
    lines = outcome.out.splitlines()
    assert lines[0] == "60 target and 60 source rows, pairs, dimension 6"
    assert any(line.startswith("realign") for line in lines)
    assert max(map(len, lines)) <= 140


def test_the_report_is_one_file_that_needs_no_network(cli, folder):
    pytest.importorskip("realign_core.report")
    outcome = cli("analyze", "t.npy", "s.npy", "--methods", "identity,realign", "--html", "a.html")
    assert outcome.status == 0, outcome.err
    text = (folder / "a.html").read_text()
    assert text.lstrip().lower().startswith("<!doctype html>")
    for outside in ('src="http', "src='http", 'href="http', "@import"):
        assert outside not in text.split("</head>")[0]
    assert "retention" in text.lower()


def test_a_file_with_both_sets_reads_as_the_two_do(cli, folder):
    target, source = np.load("both.npy")
    np.savez("both.npz", image=target, text=source)
    options = ("--methods", "realign")
    apart = analyze(cli, "t.npy", "s.npy", *options)["methods"]["realign"]["in_sample"]
    assert analyze(cli, "both.npy", *options)["methods"]["realign"]["in_sample"] == apart
    assert analyze(cli, "both.npz", *options)["methods"]["realign"]["in_sample"] == apart
    named = analyze(cli, "both.npz:image", "both.npz:text", *options)
    assert named["methods"]["realign"]["in_sample"] == apart
    # A SOURCE that is given wins over the one beside the target.
    shifted = analyze(cli, "both.npz", "t.npy", *options)
    assert shifted["gap"]["centroid_distance"] == pytest.approx(0, abs=1e-12)


def test_paired_yes_no_and_auto(cli, folder):
    options = ("--methods", "identity", "--energy", "0.7")
    for asked, paired in (("yes", True), ("auto", True), ("no", False)):
        found = analyze(cli, "t.npy", "s.npy", "--paired", asked, *options)
        assert found["dataset"]["paired"] is paired
        scores = found["methods"]["identity"]["held_out"]
        assert all((scores[name] is not None) is paired for name in PAIRED_ONLY.split())
        assert (found["residual"]["anisotropy"] is not None) is paired
        assert (found["coupling"] is not None) is paired
    order = np.random.default_rng(0).permutation(60)
    np.save("shuffled.npy", np.load("s.npy")[order])
    found = analyze(cli, "t.npy", "shuffled.npy", *options)
    assert found["dataset"]["paired"] is False
    assert any("treated as unpaired" in warning for warning in found["dataset"]["warnings"])


def test_sets_of_different_length_are_unpaired(cli, folder):
    np.save("short.npy", np.load("s.npy")[:40])
    found = analyze(cli, "t.npy", "short.npy")
    assert (found["dataset"]["n_target"], found["dataset"]["n_source"]) == (60, 40)
    assert "procrustes" not in found["methods"]
    assert found["dataset"]["pairing_z"] is None
    assert math.isfinite(found["methods"]["realign"]["held_out"]["centroid_gap"])


def test_max_rows_and_score_rows(cli, folder):
    found = analyze(cli, "t.npy", "s.npy", "--methods", "identity", "--max-rows", "40")
    assert found["dataset"]["n_target"] == found["dataset"]["n_source"] == 40
    assert found["dataset"]["paired"] is True
    assert any("random sample of 40 of its 60 rows" in text for text in found["dataset"]["warnings"])
    found = analyze(cli, "t.npy", "s.npy", "--methods", "identity", "--score-rows", "25")
    assert found["dataset"]["n_target"] == 60
    assert found["judged"]["in_sample_target"] == 25
    whole = analyze(cli, "t.npy", "s.npy", "--methods", "identity")
    assert found["gap"] == whole["gap"]


def test_split_and_k_and_bootstrap(cli, folder):
    found = analyze(cli, "t.npy", "s.npy", "--methods", "realign", "--split", "0.75", "--k", "3")
    assert found["judged"]["held_out_target"] == 15
    assert found["settings"]["k"] == 3
    widths = []
    for count in ("2", "500"):
        found = analyze(cli, "t.npy", "s.npy", "--methods", "realign", "--bootstrap", count)
        low, high = found["methods"]["realign"]["interval"]["phi"]
        widths.append(high - low)
    assert 0 <= widths[0] < widths[1]
    few = analyze(cli, "t.npy", "s.npy", "--methods", "realign", "--split", "0.95")
    assert few["methods"]["realign"]["held_out"] is None
    assert few["methods"]["realign"]["interval"] == {}
    assert few["reference"] == {}


def test_methods_once_each_in_the_order_given(cli, folder):
    found = analyze(cli, "t.npy", "s.npy", "--methods", "realign, identity,realign")
    assert list(found["methods"]) == ["realign", "identity"]
    assert found["settings"]["methods"] == ["realign", "identity"]


def test_c3_sigma_reaches_the_method(cli, folder):
    none, much = (
        analyze(cli, "t.npy", "s.npy", "--methods", "c3", "--c3-sigma", sigma)["methods"]["c3"]["in_sample"]
        for sigma in ("0", "5")
    )
    shift = analyze(cli, "t.npy", "s.npy", "--methods", "mean_shift")["methods"]["mean_shift"]["in_sample"]
    assert none["phi"] == pytest.approx(shift["phi"], abs=1e-6)
    assert much["phi"] < 0.5


def test_no_normalize_uses_rows_as_they_are(cli, folder):
    np.save("t3.npy", 3 * np.load("t.npy"))
    np.save("s3.npy", 3 * np.load("s.npy"))
    options = ("--methods", "identity,realign", "--energy", "0.9")
    plain = analyze(cli, "t3.npy", "s3.npy", *options)
    assert plain["gap"]["centroid_distance"] == pytest.approx(
        analyze(cli, "t.npy", "s.npy", *options)["gap"]["centroid_distance"], rel=1e-6
    )
    raw = analyze(cli, "t3.npy", "s3.npy", "--no-normalize", *options)
    assert raw["gap"]["centroid_distance"] == pytest.approx(3 * plain["gap"]["centroid_distance"], rel=1e-6)
    assert raw["drift"] is None or raw["drift"]["centroid_shift"] is None
    assert raw["settings"]["normalize"] is False


def test_device_cpu(cli, folder):
    assert (
        analyze(cli, "t.npy", "s.npy", "--methods", "identity", "--device", "cpu")["settings"]["device"]
        == "cpu"
    )


def test_progress_goes_to_standard_error_alone(cli, folder, monkeypatch):
    monkeypatch.setattr(progress, "HELD_SECONDS", 0)
    outcome = cli("analyze", "t.npy", "s.npy", "--methods", "identity", "--json", "-")
    strict(outcome.out)
    stages = [line for line in outcome.err.splitlines() if line.startswith("[")]
    assert stages[0].endswith("load")
    assert any(line.endswith("identity") for line in stages)
    total = int(stages[0].split("/")[1].split(",")[0])
    # What a stage says of itself comes under its number.
    assert sorted({int(line[1:].split("/")[0]) for line in stages}) == list(range(1, total + 1))


def test_short_runs_say_nothing_on_standard_error(cli, folder):
    assert cli("analyze", "t.npy", "s.npy", "--methods", "identity").err == ""


def test_names_with_spaces_colons_and_other_letters(cli, folder):
    odd = folder / "ein ü: 図 folder"
    odd.mkdir()
    (folder / "t.npy").rename(odd / "t:x.npy")
    (odd / "link.npy").symlink_to(folder / "s.npy")
    outcome = cli(
        "analyze", odd / "t:x.npy", odd / "link.npy", "--methods", "identity", "--json", odd / "é.json"
    )
    assert outcome.status == 0, outcome.err
    assert strict((odd / "é.json").read_text())["dataset"]["path_target"].endswith("図 folder/t:x.npy")


def test_the_same_rows_twice_are_named(cli, folder):
    found = analyze(cli, "t.npy", "t.npy", "--methods", "identity")
    assert any("same rows" in warning for warning in found["dataset"]["warnings"])
    assert found["residual"]["anisotropy"] is None


def test_the_summary_says_what_closing_the_gap_costs_in_plain_characters(cli, folder):
    x, y, _ = useful_sets.rows("harmed")
    np.save("harmed.npy", np.stack([x, y]))
    outcome = cli("analyze", "harmed.npy", "--methods", "identity,mean_shift")
    said = " ".join(outcome.out.split())
    one = rc.differences(useful_sets.judged("harmed"))["mean_shift"]["recall_at_1"]
    assert "cost: Mean shift closes the gap from" in said
    assert (
        f"from {one.before:.3f} to {one.after:.3f} ({one.change:+.3f}, 95 % interval {one.low:+.3f}" in said
    )
    assert outcome.out.isascii()
    lines = outcome.out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("note: ")) <= 100


def test_powers_of_ten_are_written_as_they_are_typed():
    assert (
        _typed("from 3.20\u00a0×\u00a010⁻⁷ to \u22120.5, 1\u202f500 pairs")
        == "from 3.20e-7 to -0.5, 1 500 pairs"
    )
