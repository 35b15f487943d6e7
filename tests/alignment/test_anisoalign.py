"""AnisoAlign as a whole: no pairs used, seeded, bounded, equal sets, few rows, saved and loaded."""

import json

import numpy as np
import pytest
import torch

from realign_core.alignment import AlignmentWarning, AnisoAlign, create, load_aligner
from realign_core.alignment.aniso.rows import Sample, content_keys
from realign_core.validation import UnusableInput

SMALL = {"width": 32, "steps": 60, "batch": 128}


def cloud(n, d, seed, offset=0.6):
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((n, d)) * np.arange(1, d + 1) ** -0.5
    rows = rows + offset * generator.standard_normal(d)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def sets():
    return cloud(400, 16, 1), cloud(400, 16, 2)


@pytest.fixture(scope="module")
def fitted(sets):
    return AnisoAlign(**SMALL).fit(source=sets[0], target=sets[1])


def test_mapped_rows_lie_on_the_sphere_at_the_target_s_mean(sets, fitted):
    z = fitted.transform(sets[0])
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-12)
    before = np.linalg.norm(sets[0].mean(axis=0) - sets[1].mean(axis=0))
    assert np.linalg.norm(z.mean(axis=0) - sets[1].mean(axis=0)) < 0.02 * before


def test_the_steps_are_those_of_the_paper(sets, fitted):
    y = torch.from_numpy(sets[0])
    begun, moved = fitted._map().refined(y)
    raw = (fitted.origin_ + moved.rows(fitted.basis_)).numpy()
    e = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    e = e - e.mean(axis=0) + sets[1].mean(axis=0)
    e /= np.linalg.norm(e, axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.transform(sets[0]), e, atol=1e-12)
    inside = (sets[0] - sets[0].mean(axis=0)) @ fitted.basis_.numpy()
    phases = np.arctan2(inside[:, 1::2], inside[:, ::2])
    np.testing.assert_allclose(begun.phases.numpy(), phases, atol=1e-12)


def test_the_order_of_the_target_s_rows_changes_nothing(sets, fitted):
    y, x = sets
    order = np.random.default_rng(0).permutation(len(x))
    permuted = AnisoAlign(**SMALL).fit(source=y, target=x[order])
    np.testing.assert_allclose(permuted.transform(y), fitted.transform(y), atol=1e-6)


def test_training_moves_the_map_and_stays_within_its_bounds(sets, fitted):
    y = sets[0]
    start = AnisoAlign(**SMALL, refine=False).fit(source=y, target=sets[1]).transform(y)
    moved = fitted.transform(y)
    assert 1e-4 < np.abs(moved - start).max() < 0.1
    wide = AnisoAlign(**SMALL, phase_bound=1.0, prior_weight=5.0).fit(source=y, target=sets[1]).transform(y)
    assert np.abs(wide - start).mean() > 2 * np.abs(moved - start).mean()


@pytest.mark.parametrize(
    "settings", [{"prior_weight": 0.0}, {"phase_weight": 0.0}, {"refine": False}, {"centred": False}]
)
def test_ablations_change_the_map(settings, sets, fitted):
    other = AnisoAlign(**SMALL, **settings).fit(source=sets[0], target=sets[1])
    assert np.abs(other.transform(sets[0]) - fitted.transform(sets[0])).max() > 1e-5


def test_without_losses_nothing_is_corrected(sets):
    settings = {**SMALL, "prior_weight": 0.0, "phase_weight": 0.0}
    y, x = sets
    trained = AnisoAlign(**settings).fit(source=y, target=x).transform(y)
    start = AnisoAlign(**settings, refine=False).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(trained, start, atol=1e-12)


def test_the_seed_decides_mixing_and_training(sets, fitted):
    y, x = sets
    again = AnisoAlign(**SMALL).fit(source=y, target=x)
    np.testing.assert_allclose(again.transform(y), fitted.transform(y), atol=1e-9)
    other = AnisoAlign(**SMALL, seed=7).fit(source=y, target=x)
    assert np.abs(other.transform(y) - fitted.transform(y)).max() > 1e-3


def test_the_global_generator_is_left_alone(sets):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    AnisoAlign(**SMALL).fit(source=sets[0], target=sets[1])
    assert torch.equal(torch.rand(3), expected)


def test_equal_sets_change_little(sets):
    x = sets[1]
    method = AnisoAlign(**SMALL).fit(source=x, target=x)
    moved = method.transform(x)
    assert np.mean((moved * x).sum(axis=1)) > 0.999
    np.testing.assert_allclose(moved.mean(axis=0), x.mean(axis=0), atol=1e-3)
    start = AnisoAlign(refine=False).fit(source=x, target=x)
    np.testing.assert_allclose(start.transform(x), x, atol=1e-9)


def test_fewer_rows_than_dimensions_work_and_are_warned_of():
    y, x = cloud(20, 40, 3), cloud(20, 40, 4)
    with pytest.warns(AlignmentWarning, match="20 distinct rows in 40 dimensions"):
        method = AnisoAlign(**SMALL).fit(source=y, target=x)
    z = method.transform(y)
    assert np.isfinite(z).all()
    assert np.abs(np.linalg.norm(z, axis=1) - 1).max() < 1e-12


def test_repeated_rows_count_once_in_the_warning():
    y, x = np.repeat(cloud(10, 12, 3), 30, axis=0), cloud(300, 12, 4)
    with pytest.warns(AlignmentWarning, match="the source has 10 distinct rows in 12 dimensions"):
        method = AnisoAlign(**SMALL).fit(source=y, target=x)
    assert np.isfinite(method.transform(y)).all()


def test_it_is_saved_without_pickle_and_comes_back(sets, fitted, tmp_path):
    fitted.save(tmp_path / "aligner")
    assert {path.name for path in (tmp_path / "aligner").iterdir()} == {"aligner.json", "arrays.safetensors"}
    loaded = load_aligner(tmp_path / "aligner")
    np.testing.assert_array_equal(loaded.transform(sets[0]), fitted.transform(sets[0]))
    assert loaded.settings() == fitted.settings()
    assert loaded.prior_loss_ == fitted.prior_loss_


@pytest.mark.parametrize("setting", ["width", "refine"])
def test_a_folder_whose_parts_do_not_fit_is_refused(setting, fitted, tmp_path):
    fitted.save(tmp_path / "aligner")
    path = tmp_path / "aligner" / "aligner.json"
    record = json.loads(path.read_text())
    record["settings"][setting] = 48 if setting == "width" else True
    if setting == "refine":
        record["values"]["n_features_in_"] = 15
    path.write_text(json.dumps(record))
    with pytest.raises(UnusableInput, match="do not fit anisoalign"):
        load_aligner(tmp_path / "aligner")


def test_a_sample_of_the_rows_is_the_same_in_any_order_and_in_any_blocks():
    rows = torch.from_numpy(cloud(500, 6, 5)).float()
    order = torch.from_numpy(np.random.default_rng(1).permutation(500))
    whole = Sample.of(rows, 100, seed=3)
    parts = Sample.of(rows[order][:77], 100, seed=3).merge(Sample.of(rows[order][77:], 100, seed=3), 100)
    assert torch.equal(whole.rows, parts.rows)
    assert len(whole.rows) == 100
    assert whole.distinct == 100
    # Rows of one block stand in no order of their own: keys look uniform.
    keys = content_keys(rows, 3).double() / 2.0**63
    assert abs(float(keys.mean())) < 0.1
    assert float(keys.std()) == pytest.approx(1 / np.sqrt(3), abs=0.05)
    assert not torch.equal(content_keys(rows, 3), content_keys(rows, 4))


def test_a_limit_on_rows_still_centres_on_all_of_them(sets):
    y, x = sets
    method = AnisoAlign(**SMALL, fit_rows=100).fit(source=y, target=x)
    np.testing.assert_allclose(method.mean_source_.numpy(), y.mean(axis=0), atol=1e-12)
    z = method.transform(y)
    assert np.linalg.norm(z.mean(axis=0) - x.mean(axis=0)) < 0.02


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"energy": 0}, "energy"),
        ({"radial_map": "linear"}, "radial_map is 'linear'"),
        ({"mixing": "varimax"}, "mixing is 'varimax'"),
        ({"phase_bound": 4.0}, "a phase turns by pi at most"),
        ({"noise_low": 0.5, "noise_high": 0.1}, "give 0 < low <= high <= 20"),
        ({"noise_high": 1e300}, "give 0 < low <= high <= 20"),
        ({"seed": 2**70}, "torch takes seeds up to"),
        ({"refine": "no"}, "refine is 'no'; give True or False"),
        ({"centred": None}, "centred is None"),
        ({"steps": 0}, "steps"),
        ({"partners": 0}, "partners"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"fit_rows": 1}, "fit_rows"),
        ({"radius_bound": -1}, "radius_bound"),
    ],
)
def test_settings_out_of_range_are_refused_before_the_work(settings, message, sets):
    with pytest.raises(UnusableInput, match=message):
        AnisoAlign(**settings).partial_fit(source=sets[0][:5])


@pytest.mark.parametrize("settings", [{"radius_bound": 1e4}, {"learning_rate": 1e6}])
def test_training_that_runs_away_is_refused(settings, sets):
    with pytest.raises(UnusableInput, match=r"ran away|out of all range"):
        AnisoAlign(**{**SMALL, **settings}).fit(source=sets[0], target=sets[1])


def test_a_constant_source_is_refused(sets):
    with pytest.raises(UnusableInput, match="all source rows are equal"):
        AnisoAlign(**SMALL).fit(source=np.ones((30, 16)), target=sets[1])


def test_a_constant_target_is_reached_and_warned_of(sets):
    target = np.ones((30, 16))
    with pytest.warns(AlignmentWarning, match="all target rows are equal"):
        method = AnisoAlign(**SMALL).fit(source=sets[0], target=target)
    np.testing.assert_allclose(method.transform(sets[0]), 0.25, atol=1e-9)


def test_without_normalisation_nothing_is_projected(sets):
    y, x = 3 * sets[0], 2 * sets[1]
    method = AnisoAlign(**SMALL, normalize=False).fit(source=y, target=x)
    z = method.transform(y)
    np.testing.assert_allclose(z.mean(axis=0), x.mean(axis=0), atol=1e-9)
    assert np.linalg.norm(z, axis=1).std() > 0.01


def test_it_is_not_compared_unless_it_is_named():
    import realign_core as rc

    data = rc.EmbeddingPair.from_arrays(cloud(60, 8, 1), cloud(60, 8, 2))
    assert "anisoalign" not in rc.compare(data, bootstrap=10).methods
    found = rc.compare(data, ["anisoalign"], bootstrap=10, method_options={"anisoalign": SMALL})
    assert found.methods["anisoalign"].trained
    assert create("anisoalign").trained


def test_a_fit_after_a_pass_that_was_cut_short_forgets_it(sets):
    x, y = sets
    method = AnisoAlign(steps=2).partial_fit(source=2 * y[::-1] + x[:1], target=-x)
    method.partial_fit_centroid(source=y[:7])
    assert method.needs_pass
    anew = method.fit(source=y, target=x)
    np.testing.assert_array_equal(anew.centroid_, AnisoAlign(steps=2).fit(source=y, target=x).centroid_)
