"""The bundled samples, made again from a tiny run: files, cards, pictures, and the model that is shipped."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_run import SHORT

from realign_core import load_pair, samples
from realign_core.diagnostics import diagnose
from realign_core.samples.make import ABOUT, Sizes, main, make
from realign_core.samples.making.dynamics import chosen_steps, small
from realign_core.samples.making.model import Encoder
from realign_core.training.material import Probe
from realign_core.training.scenes import draw_scene
from realign_core.training.snapshots import open_snapshots

SIZES = Sizes(scenes=60, images=15, captions_each=4, renderings=40, snapshots=4, probe_rows=20)


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory) -> Path:
    """What one run of the script writes."""
    out = tmp_path_factory.mktemp("made")
    (out / "data").mkdir()
    (out / "data" / "gone.json").write_text("{}")
    make(finished[0], out, SIZES)
    return out


@pytest.fixture
def bundled(made, monkeypatch) -> Path:
    """The same in the place of the bundled samples."""
    monkeypatch.setattr(samples, "FOLDER", made / "data")
    return made


def test_the_names_come_in_order_and_nothing_else_is_left(bundled):
    assert tuple(samples.sample_names()) == samples.ORDER == tuple(ABOUT)
    assert {path.suffix for path in (bundled / "data").iterdir()} == {".json", ".parquet"}
    assert len(list((bundled / "data").iterdir())) == 2 * len(ABOUT)


def test_rows_have_captions_labels_and_are_the_same_scenes_in_short_and_long(bundled):
    short, long = (load_pair(f"sample:{name}", paired="yes") for name in ("scenes", "scenes-long"))
    probe = Probe.draw(SIZES.scenes, SHORT.seed + 1)
    assert list(short.captions) == probe.short
    assert list(long.captions) == probe.long
    assert list(short.labels) == list(long.labels) == [scene.things[0].shape for scene in probe.scenes]
    np.testing.assert_array_equal(short.target, long.target)
    assert short.report.path_target == "sample:scenes"


def test_no_scene_occurs_in_training():
    trained = {draw_scene(SHORT.seed, row, "training").content for row in range(SHORT.pool)}
    assert not trained & {scene.content for scene in Probe.draw(SIZES.scenes, SHORT.seed + 1).scenes}


def test_captions_of_one_picture_form_a_group(bundled):
    pair = load_pair("sample:several-captions", paired="yes")
    assert pair.report.n_target == SIZES.images * SIZES.captions_each
    np.testing.assert_array_equal(pair.groups, np.repeat(np.arange(SIZES.images), SIZES.captions_each))
    for start in range(0, len(pair.captions), SIZES.captions_each):
        assert len(set(pair.captions[start : start + SIZES.captions_each])) == SIZES.captions_each


def test_the_control_is_the_same_scenes_drawn_anew(bundled):
    pair = load_pair("sample:no-gap", paired="yes")
    assert pair.report.n_target == SIZES.renderings
    target, source = np.asarray(pair.target), np.asarray(pair.source)
    assert not np.array_equal(target, source)
    found = diagnose(pair)
    words = diagnose(load_pair("sample:scenes", paired="yes"))
    assert found.gap.centroid_distance < 0.2 * words.gap.centroid_distance


@pytest.mark.parametrize("name", ABOUT)
def test_cards_hold_what_the_shipped_file_reads(bundled, finished, name):
    card, pair = samples.sample_card(name), load_pair(f"sample:{name}", paired="yes")
    found = diagnose(pair)
    figures = card["figures"]
    assert card["rows"] == pair.report.n_target
    assert card["dimension"] == pair.report.dim == SHORT.model.embedding
    assert figures["gap"] == pytest.approx(found.gap.centroid_distance, rel=1e-4)
    assert figures["sampling_floor"] == pytest.approx(found.gap.sampling_floor, rel=1e-4)
    assert figures["effective_rank_source"] == pytest.approx(found.shared.effective_rank_source, rel=1e-4)
    assert figures["chance"] == pytest.approx(1 / pair.report.groups, rel=1e-4)
    assert set(figures["held_out"]) == {"identity", "realign", "rotation"}
    assert card["model"]["commit"] == finished[1]["commit"]
    assert card["model"]["pairs_seen"] == SHORT.steps * SHORT.batch
    assert card["model"]["finished"]
    assert str(bundled) not in json.dumps(card)


def test_recall_is_that_of_every_row_searched_by_hand(bundled):
    pair = load_pair("sample:scenes", paired="yes")
    target, source = (np.asarray(rows, np.float64) for rows in (pair.target, pair.source))
    cosines = (source / np.linalg.norm(source, axis=1)[:, None]) @ (
        target / np.linalg.norm(target, axis=1)[:, None]
    ).T
    own = cosines.diagonal()
    figures = samples.sample_card("scenes")["figures"]
    assert figures["recall_at_1"] == pytest.approx((own >= cosines.max(1)).mean(), rel=1e-4)
    assert figures["recall_at_1_reverse"] == pytest.approx((own >= cosines.max(0)).mean(), rel=1e-4)


def test_pictures_are_the_drawings_and_lent_to_the_long_captions(bundled):
    probe = Probe.draw(SIZES.scenes, SHORT.seed + 1)
    pictures = samples.sample_pictures("scenes")
    assert len(pictures) == SIZES.scenes
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(pictures[7]))), probe.images[7])
    assert samples.sample_pictures("scenes-long") == pictures
    assert max(map(len, pictures)) < 2000


def test_the_shipped_model_embeds_like_the_samples_and_like_the_whole_one(bundled, finished):
    folder, _ = finished
    shipped, whole = bundled / "model", folder / "model"
    assert samples.sample_card("scenes")["model"]["weights"] == "float16"
    weights = "open_clip_model.safetensors"
    assert (shipped / weights).stat().st_size < 0.51 * (whole / weights).stat().st_size
    probe = Probe.draw(SIZES.scenes, SHORT.seed + 1)
    half, full = (Encoder.load(place, SHORT.model) for place in (shipped, whole))
    for one, other in (
        (half.images(probe.images), full.images(probe.images)),
        (half.texts(probe.long), full.texts(probe.long)),
    ):
        np.testing.assert_allclose(one, other, atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-6)
    kept = load_pair("sample:scenes", paired="yes")
    np.testing.assert_allclose(np.asarray(kept.target), half.images(probe.images), atol=5e-4)
    np.testing.assert_allclose(np.asarray(kept.source), half.texts(probe.short), atol=5e-4)


def test_snapshots_are_fewer_smaller_and_say_so(bundled, finished):
    folder = open_snapshots(bundled / "training")
    assert folder.steps == (0, 10, 20, 40)
    assert folder.record["shipped"]["steps"] == [0, 10, 20, 40]
    assert "4 of the run's 5" in folder.record["shipped"]["note"]
    assert {**finished[1], "shipped": folder.record["shipped"]} == folder.record
    whole = {snapshot.step: snapshot for snapshot in open_snapshots(finished[0])}
    for snapshot in folder:
        kept = whole[snapshot.step]
        assert snapshot.image_embeddings.shape == (SIZES.probe_rows, SHORT.model.embedding)
        assert snapshot.image_embeddings.dtype == np.float16
        np.testing.assert_allclose(snapshot.text_embeddings, kept.text_embeddings[:20], atol=1e-3)
        assert snapshot.image_grads.shape == kept.image_grads.shape
        assert snapshot.loss == kept.loss


def test_steps_are_chosen_in_equal_ratios_with_both_ends():
    steps = tuple(range(0, 1501, 50))
    chosen = chosen_steps(steps, 12)
    assert len(chosen) == 12
    assert chosen[:3] == (0, 50, 100)
    assert chosen[-1] == 1500
    assert set(chosen) <= set(steps)
    assert chosen_steps((0, 5, 9), 12) == (0, 5, 9)


def test_what_half_precision_cannot_hold_stays_single():
    tiny = np.full((3, 2), 3e-8)
    assert small(tiny).dtype == np.float32
    assert small(tiny * 1e6).dtype == np.float16


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    assert main(["--run", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "is no training run" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
