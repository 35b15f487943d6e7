"""The loop: it learns, it can be cut off anywhere, and what it leaves behind can be used."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_run import SHORT, TINY

from realign_core.training import loop
from realign_core.training.checkpoints import CHECKPOINT
from realign_core.training.losses import info_nce
from realign_core.training.material import Pool, Probe
from realign_core.training.model import LARGEST_SCALE, WEIGHTS, build_model, build_tokenizer, to_input
from realign_core.training.probing import embed, embedding_gradients, recall_at_1
from realign_core.training.snapshots import Snapshot, open_snapshots
from realign_core.validation import UnusableInput

TIMED = ("seconds", "pairs_per_second")


def history(record: dict) -> list[dict]:
    return [
        {name: value for name, value in entry.items() if name not in TIMED} for entry in record["history"]
    ]


class Cut(Exception):
    """Stands for a kill: nothing is tidied up."""


def test_the_loss_falls_and_the_record_says_so(finished):
    folder, record = finished
    assert record == json.loads((folder / "record.json").read_text())
    losses = [entry["training_loss"] for entry in record["history"][1:]]
    assert losses[-1] < losses[0] - 0.2
    assert record["finished"]
    assert record["settings"]["seed"] == SHORT.seed
    assert {"torch", "open_clip_torch", "gapscope"} <= record["versions"].keys()


def test_a_snapshot_every_few_steps(finished):
    folder, record = finished
    snapshots = list(open_snapshots(folder))
    assert [snapshot.step for snapshot in snapshots] == [0, 10, 20, 30, 40]
    for snapshot, entry in zip(snapshots, record["history"], strict=True):
        assert snapshot.image_embeddings.shape == (SHORT.probe, SHORT.model.embedding)
        assert snapshot.image_grads.shape == (SHORT.gradient_rows, SHORT.model.embedding)
        assert snapshot.loss == entry["loss"]
        assert snapshot.recall_at_1 == entry["recall_at_1"]
    assert np.abs(snapshots[0].image_embeddings - snapshots[-1].image_embeddings).max() > 0.05


@pytest.mark.parametrize("at", [0, 7, 10, 25])
def test_a_run_that_was_stopped_ends_like_one_that_was_not(finished, tmp_path, at):
    _, whole = finished
    asked = iter([False] * at + [True])
    record = loop.train(SHORT, tmp_path, stop=lambda: next(asked))
    assert (record["step"], record["finished"]) == (at, False)
    record = loop.train(SHORT, tmp_path, resume=True)
    assert history(record) == history(whole)
    assert same_snapshots(finished[0], tmp_path)


@pytest.mark.parametrize("place", ["take_snapshot", "write_snapshot", "save_checkpoint", "save_model"])
def test_a_run_that_was_killed_ends_like_one_that_was_not(finished, tmp_path, monkeypatch, place):
    _, whole = finished
    calls = iter(range(100))
    real = getattr(loop, place)

    def killed(*arguments):
        if next(calls) == 2:
            raise Cut
        return real(*arguments)

    monkeypatch.setattr(loop, place, killed)
    with pytest.raises(Cut):
        loop.train(SHORT, tmp_path)
    monkeypatch.undo()
    record = loop.train(SHORT, tmp_path, resume=True)
    assert history(record) == history(whole)
    assert same_snapshots(finished[0], tmp_path)


def same_snapshots(one, other) -> bool:
    for first, second in zip(open_snapshots(one), open_snapshots(other), strict=True):
        np.testing.assert_allclose(first.image_embeddings, second.image_embeddings, atol=1e-6)
        np.testing.assert_allclose(first.text_grads, second.text_grads, atol=1e-6)
    return True


def test_another_seed_is_another_run(finished, tmp_path):
    record = loop.train(replace(SHORT, seed=1, steps=10), tmp_path)
    assert history(record)[0] != history(finished[1])[0]


def test_a_checkpoint_of_other_settings_is_refused(finished):
    with pytest.raises(UnusableInput, match="other settings"):
        loop.train(replace(SHORT, steps=50), finished[0], resume=True)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"nothing")
    with pytest.raises(UnusableInput, match="no checkpoint of this command"):
        loop.train(SHORT, tmp_path, resume=True)


def test_going_on_removes_what_a_kill_left_half_written(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    ending = "0123456789ab.part"
    half = (f".{CHECKPOINT}.{ending}", f".step_000010.npz.{ending}", f"model/.{WEIGHTS}.{ending}")
    others = (f".notes.txt.{ending}", ".checkpoint.pt.part", "half.part")
    for name in (*half, *others):
        (tmp_path / name).touch()
    loop.train(SHORT, tmp_path, resume=True)
    assert not [name for name in half if (tmp_path / name).exists()]
    assert all((tmp_path / name).exists() for name in others)


HISTORY = {"step": 40, "seconds": 1.0, "loss": 1.0, "recall_at_1": 0.5, "recall_at_1_reverse": 0.5}


@pytest.mark.parametrize(
    "changes",
    [
        {"history": [1, 2]},
        {"history": [{"step": 40}]},
        {"history": [HISTORY, HISTORY]},
        {"history": [{**HISTORY, "step": 50}]},
        {"history": [{**HISTORY, "seconds": "x"}]},
        {"history": [{**HISTORY, "loss": float("nan")}]},
        {"history": 3},
        {"step": -5},
        {"step": 41},
        {"step": "x"},
        {"losses": ["a"]},
    ],
    ids=str,
)
def test_a_checkpoint_of_no_possible_run_is_refused(finished, tmp_path, changes):
    state = torch.load(finished[0] / CHECKPOINT, weights_only=True)
    torch.save(state | changes, tmp_path / CHECKPOINT)
    with pytest.raises(
        UnusableInput, match=r"checkpoint\.pt is no checkpoint of this command .*; train into"
    ):
        loop.train(SHORT, tmp_path, resume=True)


@pytest.fixture
def small_disk():
    """No file may grow beyond 2000 bytes; the error is that of a limit, as a full disk's but for its name."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_a_sentence(tmp_path, small_disk):
    model = build_model(TINY, 0)
    optimiser = loop.make_optimiser(model, SHORT)
    rows = np.eye(50, dtype=np.float32)
    with pytest.raises(UnusableInput, match=r"checkpoint\.pt cannot be written: File too large; choose"):
        loop.save_checkpoint(tmp_path, model, optimiser, SHORT, loop.Progress())
    with pytest.raises(UnusableInput, match=r"step_000000\.npz cannot be written: File too large; choose"):
        loop.write_snapshot(tmp_path, Snapshot(0, rows, rows))
    with pytest.raises(
        UnusableInput, match=r"open_clip_model\.safetensors cannot be written: File too large"
    ):
        loop.save_model(model, TINY, tmp_path / "model")
    assert not list(tmp_path.rglob("*.*"))


def test_a_folder_for_the_model_that_cannot_be_made(tmp_path):
    (tmp_path / "model").touch()
    with pytest.raises(UnusableInput, match="model cannot be written"):
        loop.save_model(build_model(TINY, 0), TINY, tmp_path / "model")


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "info_nce", lambda image, text, scale: (image * torch.nan).sum())
    with pytest.raises(UnusableInput, match=r"--learning-rate below 0\.003"):
        loop.train(SHORT, tmp_path)


def test_the_model_loads_with_open_clip_and_embeds_alike(finished):
    open_clip = pytest.importorskip("open_clip")
    from PIL import Image

    folder, _ = finished
    name = f"local-dir:{folder / loop.MODEL_FOLDER}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    probe = Probe.draw(SHORT.probe, SHORT.seed)
    pixels = torch.stack([preprocess(Image.fromarray(image)) for image in probe.images])
    torch.testing.assert_close(pixels, to_input(probe.images, torch.device("cpu")))
    tokens = open_clip.get_tokenizer(name)(probe.short)
    torch.testing.assert_close(tokens, build_tokenizer(SHORT.model)(probe.short))
    with torch.no_grad():
        image = model.encode_image(pixels, normalize=True)
        text = model.encode_text(tokens, normalize=True)
    *_, last = open_snapshots(folder)
    np.testing.assert_allclose(image.numpy(), last.image_embeddings, atol=2e-6)
    np.testing.assert_allclose(text.numpy(), last.text_embeddings, atol=2e-6)


def test_weights_follow_from_the_seed_and_leave_the_global_one_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    first, second = (build_model(SHORT.model, 3) for _ in range(2))
    torch.testing.assert_close(torch.rand(3), wanted)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_loss_is_that_of_both_directions():
    generator = torch.Generator().manual_seed(0)
    image, text = (
        torch.nn.functional.normalize(torch.randn(5, 3, generator=generator, dtype=torch.float64), dim=1)
        for _ in range(2)
    )
    weights = (7 * image @ text.T).exp()
    own = weights.diagonal()
    wanted = -((own / weights.sum(1)).log().mean() + (own / weights.sum(0)).log().mean()) / 2
    torch.testing.assert_close(info_nce(image, text, torch.tensor(7.0)), wanted)


def test_gradients_are_by_the_unit_rows():
    """Against differences: one entry moved, the row not normalised again."""
    generator = torch.Generator().manual_seed(0)
    image, text = (
        torch.nn.functional.normalize(torch.randn(4, 3, generator=generator, dtype=torch.float64), dim=1)
        for _ in range(2)
    )
    scale = torch.tensor(3.0, dtype=torch.float64)
    _, by_image, by_text = embedding_gradients(image, text, scale)
    step = 1e-6
    for rows, found in ((image, by_image), (text, by_text)):
        up, down = rows.clone(), rows.clone()
        up[2, 1] += step
        down[2, 1] -= step
        both = [(moved, text) if rows is image else (image, moved) for moved in (up, down)]
        slope = (info_nce(*both[0], scale) - info_nce(*both[1], scale)) / (2 * step)
        assert float(found[2, 1]) == pytest.approx(float(slope), rel=1e-6)


def test_recall_counts_ties_as_misses():
    rows = torch.eye(4)
    assert recall_at_1(rows, rows) == (1, 1)
    assert recall_at_1(rows, rows[[1, 0, 2, 3]]) == (0.5, 0.5)
    assert recall_at_1(rows, torch.ones(4, 4) / 2) == (0, 0)
    assert recall_at_1(rows, rows[[0, 0, 2, 3]]) == (0.5, 0.75)


def test_the_learning_rate_rises_and_falls():
    rates = [loop.learning_rate(SHORT, step) for step in range(SHORT.steps + 1)]
    top = rates.index(max(rates))
    assert max(rates) == SHORT.learning_rate
    assert SHORT.warmup - 1 <= top <= SHORT.warmup
    assert rates[0] == SHORT.learning_rate / SHORT.warmup
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert all(before >= after for before, after in zip(rates[top:], rates[top + 1 :]))


def test_gains_biases_and_temperature_do_not_decay():
    model = build_model(SHORT.model, 0)
    decayed, others = loop.make_optimiser(model, SHORT).param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (SHORT.weight_decay, 0)
    assert any(value is model.logit_scale for value in others["params"])
    assert all(value.ndim > 1 for value in decayed["params"])
    assert len(decayed["params"]) + len(others["params"]) == len(list(model.parameters()))


def test_the_temperature_stays_within_its_bound(tmp_path, monkeypatch):
    real = loop.build_model

    def hot(size, seed):
        model = real(size, seed)
        with torch.no_grad():
            model.logit_scale.fill_(LARGEST_SCALE + 1)
        return model

    monkeypatch.setattr(loop, "build_model", hot)
    record = loop.train(replace(SHORT, steps=1), tmp_path)
    assert record["history"][-1]["logit_scale"] == pytest.approx(100, rel=1e-5)


def test_an_epoch_shows_each_scene_once_in_new_words():
    pool = Pool(SHORT)
    batches = SHORT.pool // SHORT.batch
    epochs = [[pool.batch(epoch * batches + step) for step in range(batches)] for epoch in range(2)]
    shown = [sorted(image.tobytes() for images, _ in epoch for image in images) for epoch in epochs]
    assert shown[0] == shown[1]
    assert len(set(shown[0])) == SHORT.pool
    said = [{caption for _, captions in epoch for caption in captions} for epoch in epochs]
    assert len(said[0] & said[1]) < SHORT.pool / 4
    again = Pool(SHORT).batch(batches + 1)
    np.testing.assert_array_equal(again[0], epochs[1][1][0])
    assert again[1] == epochs[1][1][1]


def test_embedding_goes_by_blocks(monkeypatch):
    from realign_core.training import probing

    model, probe = build_model(SHORT.model, 0), Probe.draw(10, 0)
    tokens = build_tokenizer(SHORT.model)(probe.short)
    whole = embed(model, probe.images, tokens, torch.device("cpu"))
    monkeypatch.setattr(probing, "BLOCK", 4)
    for one, other in zip(whole, embed(model, probe.images, tokens, torch.device("cpu"))):
        torch.testing.assert_close(one, other)
        assert one.shape == (10, SHORT.model.embedding)
    assert model.training
