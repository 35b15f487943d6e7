# ruff: noqa: RUF001  (numbers are set with a true minus and multiplication sign)

import dataclasses

import pytest
import result_cases

from realign_core.findings import (
    diagnosis_findings,
    findings,
    headline,
    method_findings,
    published_findings,
)
from realign_core.glossary import percent, share, shown


def said(found, topic=None):
    return " ".join(f.text for f in found if topic in (None, f.topic))


def with_parts(diagnosis, **sections):
    """The diagnosis with some fields of its sections replaced."""
    changed = {
        name: dataclasses.replace(getattr(diagnosis, name), **values) for name, values in sections.items()
    }
    return dataclasses.replace(diagnosis, **changed)


def with_scores(result, name, side="held_out", **scores):
    method = result.methods[name]
    method = dataclasses.replace(method, **{side: {**getattr(method, side), **scores}})
    return dataclasses.replace(result, methods={**result.methods, name: method})


@pytest.fixture(scope="module")
def result():
    return result_cases.case("every")


@pytest.fixture(scope="module")
def diagnosis(result):
    return result.diagnosis


def test_a_large_gap_is_named_as_a_multiple_of_its_floor(diagnosis):
    gap = diagnosis.gap
    times = shown(gap.centroid_distance / gap.sampling_floor)
    assert f"{times} times what sampling noise" in headline(diagnosis)


def test_a_gap_within_noise_is_not_called_a_gap():
    text = headline(result_cases.case("no gap").diagnosis)
    assert "cannot be told from zero" in text
    assert "times" not in text


@pytest.fixture(scope="module")
def trained():
    return result_cases.case("trained")


def test_anisoalign_beside_realign_is_said_where_the_published_order_fails(trained):
    text = said(published_findings(trained))
    for score in ("psi", "entropy_mixing_target"):
        point, low, high = trained.difference("anisoalign", "realign", score)
        verdict = None if low > 0 else "below" if high < 0 else "not to be told apart"
        sentence = f"here {verdict} ({share(point, signed=True)}, 95 % interval {share(low, signed=True)}"
        assert (sentence in text) == (verdict is not None)
    assert "AnisoAlign is published above ReAlign: " in text


def test_nothing_is_said_of_anisoalign_where_it_is_above(trained):
    realign = trained.methods["realign"]
    scores = ("psi", "entropy_mixing_target")
    higher = {score: realign.held_out[score] + 0.1 for score in scores}
    moved = {
        score: dataclasses.replace(found, values=found.values + 0.1 * (score in scores))
        for score, found in realign.replicates.items()
    }
    above = dataclasses.replace(
        trained.methods["anisoalign"], held_out={**realign.held_out, **higher}, replicates=moved
    )
    result = dataclasses.replace(trained, methods={**trained.methods, "anisoalign": above})
    assert "AnisoAlign" not in said(published_findings(result))


def test_identical_sets_have_none():
    assert "no gap" in headline(result_cases.case("identical").diagnosis)


@pytest.mark.parametrize(
    ("distance", "sentence"),
    [
        (0.9, "Most of it is one constant shift"),
        (0.7, "half and half"),
        (0.3, "Most of the distance between pairs is no"),
    ],
)
def test_bias_and_residual_are_weighed(diagnosis, distance, sentence):
    changed = with_parts(
        diagnosis,
        gap={"centroid_distance": distance, "sampling_floor": 0.01, "sampling_floor_95": 0.02},
        decomposition={"total_energy": 1.0},
    )
    assert sentence in headline(changed)


def test_most_of_the_planted_gap_is_bias_and_the_share_is_right(diagnosis):
    share = diagnosis.gap.centroid_distance**2 / diagnosis.decomposition.total_energy
    assert share > 0.8
    assert f"{percent(share)} of the squared distance" in headline(diagnosis)


@pytest.mark.parametrize(("pmb", "cob", "word"), [(0.9, 0.1, "mostly along"), (0.1, 0.9, "avoids")])
def test_the_subspace_of_the_bias_follows_the_numbers(pmb, cob, word):
    diagnosis = result_cases.case("short").diagnosis
    changed = with_parts(diagnosis, decomposition={"pmb_norm": pmb, "cob_norm": cob})
    assert word in said(diagnosis_findings(changed), "subspace")


@pytest.mark.parametrize(("angle", "word"), [(20.0, "not independent"), (88.0, "no evidence")])
def test_only_an_angle_below_its_band_is_evidence(angle, word):
    diagnosis = with_parts(result_cases.case("short").diagnosis, shape={"bias_noise_angle": angle})
    assert word in said(diagnosis_findings(diagnosis), "angle")


@pytest.mark.parametrize(("anisotropy", "word"), [(30.0, "shape of its own"), (1.7, "no shape")])
def test_anisotropy_is_held_against_round_noise(diagnosis, anisotropy, word):
    changed = with_parts(diagnosis, residual={"anisotropy": anisotropy}, isotropic={"anisotropy": 1.6})
    assert word in said(diagnosis_findings(changed), "shape")


@pytest.mark.parametrize(("shift", "word"), [(0.5, "matters here"), (0.001, "too small to matter")])
def test_phantom_drift_is_held_against_the_floor(diagnosis, shift, word):
    changed = with_parts(diagnosis, drift={"centroid_shift": shift})
    assert word in said(diagnosis_findings(changed), "drift")


@pytest.mark.parametrize(
    ("measured", "predicted", "word"),
    [
        (0.268, 0.438, "overstates it by 63.4\u00a0%"),
        (0.4, 0.2, "understates it by 50\u00a0%"),
        (0.2, 0.204, "is right to 2\u00a0%"),
    ],
)
def test_the_prediction_is_judged_by_its_error(diagnosis, measured, predicted, word):
    stage = dataclasses.replace(diagnosis.drift.anchor_trace, measured=measured, predicted=predicted)
    assert word in said(diagnosis_findings(with_parts(diagnosis, drift={"anchor_trace": stage})), "drift")


def test_coupling_says_nothing_where_nothing_is_explained():
    diagnosis = result_cases.case("short").diagnosis
    for value, word in ((-0.4, "Nothing"), (0.3, "predicts 30\u00a0%")):
        changed = with_parts(diagnosis, coupling={"explained_variance": value})
        assert word in said(diagnosis_findings(changed), "coupling")


def test_rounding_is_no_finding():
    found = findings(result_cases.case("identical"))
    assert "10⁻" not in said(found)
    assert "moves the centroid" not in said(found)


def test_collapse_and_failure_are_named(result):
    collapsed = with_scores(result, "blockwise", trace_ratio=0.06)
    assert "Blockwise has collapsed: 6\u00a0%" in said(method_findings(collapsed))
    failed = dataclasses.replace(result, methods={**result.methods, "c3": None})
    assert "C3 could not be fitted" in said(method_findings(failed))
    for text in (said(method_findings(result)),):
        assert "collapsed" not in text
        assert "could not" not in text


def test_gaps_are_sorted_by_their_own_floor(result):
    closed = with_scores(result, "c3", centroid_gap=1e-4)
    assert "C3" in said(method_findings(closed)).split("down to sampling noise")[0]
    left = with_scores(result, "c3", centroid_gap=5.0)
    assert "noise is left by C3 5.00" in said(method_findings(left)).replace("C3 5.00 and", "C3 5.00")


def test_the_best_is_named_with_those_that_the_sample_cannot_tell_from_it(result):
    text = said(method_findings(result))
    for score, what in (("omega", "neighbourhoods of the source"), ("recall_at_1", "source to target")):
        sentence = next(
            part for part in text.split("On ") if part.startswith(("the " + what, "retrieval from " + what))
        )
        assert ("cannot tell" in sentence) or ("beyond what sampling" in sentence), score


@pytest.mark.parametrize(
    ("name", "kept", "named"),
    [("realign", 0.6, True), ("realign", 0.99, False), ("blockwise", 0.6, True), ("blockwise", 0.12, False)],
)
def test_published_retention_is_only_named_where_it_fails(result, name, kept, named):
    text = said(published_findings(with_scores(result, name, retention=kept)))
    label = {"realign": "ReAlign", "blockwise": "blockwise"}[name]
    assert (f"Published retention of {label}" in text) == named


def test_an_in_sample_gap_that_carries_over_is_not_blamed(result):
    inside = result.methods["realign"].in_sample["centroid_gap"]
    text = said(published_findings(with_scores(result, "realign", centroid_gap=2 * inside)))
    assert "in-sample figure" not in text
    text = said(published_findings(with_scores(result, "realign", centroid_gap=50 * inside)))
    assert "in-sample figure" in text


@pytest.mark.parametrize("name", result_cases.CASES)
def test_every_case_speaks_in_whole_sentences(name):
    case = result_cases.case(name)
    texts = [headline(case.diagnosis), *(finding.text for finding in findings(case))]
    for text in texts:
        assert text[0].isupper() or text[0].isdigit(), text
        assert text.endswith("."), text
        assert not any(word in text for word in ("nan", "None", "inf ", "–")), text
