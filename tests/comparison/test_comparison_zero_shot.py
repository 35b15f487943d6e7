"""Zero-shot accuracy: against brute force, without leaks, and what has no value."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
import useful_sets

import realign_core as rc
from realign_core.alignment import create
from realign_core.comparison.zero_shot import classes_on, label_text, prototypes, right_share


def data(x, y, labels, **options):
    return rc.EmbeddingPair.from_arrays(x, y, labels=labels, **{"paired": "yes", **options})


def noisy(n=160, dim=6, classes=4, own=1.0, seed=0):
    """Unit rows about class centres, target and source apart by a shift; labels as text."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, n)
    centres = generator.standard_normal((classes, dim))
    x, y = (centres[labels] + own * generator.standard_normal((n, dim)) for _ in range(2))
    return (
        oracles.unit(x + 1),
        oracles.unit(y - 0.5),
        np.array([f"class {label}" for label in labels], object),
    )


@pytest.mark.parametrize("name", ["identity", "mean_shift", "realign", "blockwise"])
def test_held_out_it_is_the_oracles_with_prototypes_of_the_fitting_rows_alone(name):
    x, y, labels = noisy()
    found = rc.compare(data(x, y, labels), methods=[name], k=5).methods[name]
    order = np.random.default_rng(0).permutation(len(x))
    fit, judged = order[:80], order[80:]
    settings = {"energy": 0.99} if name == "blockwise" else {}
    method = create(name, **settings).fit(source=y[fit], target=x[fit])
    z, names = method.transform(y[fit]), np.unique(labels)
    centres = oracles.unit(np.array([z[labels[fit] == label].mean(0) for label in names]))
    right = names[(x[judged] @ centres.T).argmax(1)] == labels[judged]
    assert found.held_out["zero_shot"] == pytest.approx(right.mean())
    low, high = found.interval["zero_shot"]
    assert low <= right.mean() <= high


def test_separate_classes_are_always_found_and_guessing_reads_chance():
    found = useful_sets.judged("spared").methods
    assert found["identity"].held_out["zero_shot"] == found["identity"].in_sample["zero_shot"] == 1
    x, y, _ = noisy()
    labels = np.random.default_rng(1).integers(0, 4, len(x))
    (guess,) = rc.compare(data(x, y, labels), methods=["identity"], k=5).methods.values()
    assert guess.held_out["zero_shot"] < 0.45


def test_labels_stay_out_of_every_fit():
    x, y, labels = noisy()
    other = np.random.default_rng(2).permutation(labels)
    methods = [
        "identity",
        "mean_shift",
        "c3",
        "realign",
        "rotation",
        "blockwise",
        "random_target",
        "procrustes",
    ]
    found = [rc.compare(data(x, y, one), methods=methods, k=5) for one in (labels, other, None)]
    for name in methods:
        for side in ("in_sample", "held_out"):
            scores = [dict(getattr(one.methods[name], side)) for one in found]
            zero_shot = [values.pop("zero_shot") for values in scores]
            assert scores[0] == scores[1] == scores[2]
            assert zero_shot[2] is None
            assert zero_shot[0] is not None
    assert (
        found[0].methods["identity"].held_out["zero_shot"]
        > found[1].methods["identity"].held_out["zero_shot"]
    )


def test_in_sample_no_row_is_told_by_its_own_caption():
    # A pair shares its direction and nothing else: its caption is the only thing that could tell the label.
    generator = np.random.default_rng(0)
    x = oracles.unit(generator.standard_normal((120, 300)))
    labels = generator.permutation(np.arange(120) % 4)
    (found,) = rc.compare(data(x, x + 0.01, labels), methods=["identity"], k=5).methods.values()
    assert found.in_sample["zero_shot"] < 0.3
    # Negative control: with the own caption in the prototype nearly every row is told.
    rows, code = torch.from_numpy(x), torch.from_numpy(labels)
    assert right_share(rows, code, prototypes(rows, code, 4)).mean() > 0.95


def test_captions_of_one_image_leave_together_and_are_resampled_whole():
    generator = np.random.default_rng(0)
    images = oracles.unit(generator.standard_normal((60, 40)))
    labels = (np.arange(60) % 3).repeat(5)
    x = images.repeat(5, axis=0)
    y = x + 0.02 * generator.standard_normal(x.shape)
    found = rc.compare(data(x, y, labels), methods=["identity"], k=5)
    assert found.dataset.groups == 60
    method = found.methods["identity"]
    assert method.in_sample["zero_shot"] < 0.5
    low, high = method.interval["zero_shot"]
    rows, value = found.judged["held_out_target"], method.held_out["zero_shot"]
    # Rows taken for independent would give an interval of half the width.
    assert high - low > 1.5 * 2 * 1.96 * np.sqrt(value * (1 - value) / rows)


def test_a_collapsed_map_reads_chance():
    x, _, labels = noisy()
    code = torch.from_numpy(np.unique(labels, return_inverse=True)[1])
    same = torch.from_numpy(np.tile(x[:1], (len(x), 1)))
    share = right_share(torch.from_numpy(x), code, prototypes(same, code, 4))
    assert share.tolist() == [0.25] * len(x)


def test_rows_without_a_label_and_small_classes_are_left_out_and_counted():
    x, y, labels = noisy()
    labels[:20] = None
    labels[20] = "alone"
    labels[21] = np.nan
    found = rc.compare(data(x, y, labels), methods=["identity", "c3"], k=5)
    inside, outside = found.classes["in_sample"], found.classes["held_out"]
    assert (inside.classes, inside.rows, outside.classes) == (4, 138, 4)
    assert inside.chance == outside.chance == 0.25
    assert 0.25 <= inside.largest_share < 0.5
    assert any("In-sample zero-shot accuracy leaves out 22 of 160" in note for note in found.warnings)
    left = rc.compare(data(x[22:], y[22:], labels[22:]), methods=["identity"], k=5)
    key = "zero_shot"
    assert found.methods["identity"].in_sample[key] == pytest.approx(left.methods["identity"].in_sample[key])
    assert not any("zero-shot" in note for note in left.warnings)


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (None, {}),
        (["one"] * 160, {}),
        ([f"row {row}" for row in range(160)], {}),
        ([None] * 160, {}),
        (["cat", "dog"] * 80, {"paired": "no"}),
    ],
    ids=["none", "one class", "a class a row", "all missing", "unpaired"],
)
def test_without_two_classes_or_pairs_it_has_no_value(labels, options):
    x, y, _ = noisy()
    found = rc.compare(data(x, y, labels, **options), methods=["identity", "mean_shift"], k=5)
    for method in found.methods.values():
        assert method.held_out["zero_shot"] is method.in_sample["zero_shot"] is None
        assert "zero_shot" not in method.interval
    assert found.classes == {}
    assert found.to_dict()["classes"] is None
    said = any("zero-shot" in note for note in found.warnings)
    assert said == (labels is not None and not options)


def test_rows_read_from_files_have_the_labels_of_their_numbers():
    x, y, labels = noisy(own=0.3)
    read, held = (rc.compare(data(x, y, labels), methods=["realign"], score_rows=rows) for rows in (150, 160))
    values = [one.methods["realign"].held_out["zero_shot"] for one in (read, held)]
    assert values[0] == pytest.approx(values[1], abs=1e-6)
    assert values[0] > 0.8


def test_classes_need_two_groups_on_each_side():
    labels = np.array(["a", "a", "b", "b", "a", "a", "b", "b"], dtype=object)
    judged, fitted = np.arange(4), np.arange(4, 8)
    assert classes_on(labels, None, judged, fitted).names == ("a", "b")
    # The two pairs of b among the fitted ones are captions of one image.
    assert classes_on(labels, np.array([0, 1, 2, 3, 4, 5, 6, 6]), judged, fitted) is None


def test_labels_of_any_kind_become_text():
    assert [label_text(label) for label in (None, "", float("nan"), "cat", 3, np.int64(3), 0)] == [
        "", "", "", "cat", "3", "3", "0",
    ]  # fmt: skip
