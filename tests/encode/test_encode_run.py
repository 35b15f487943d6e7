"""Encoding: equal to open_clip's own loop, whatever the batch, and the same after an interruption."""

from __future__ import annotations

import json

import numpy as np
import pytest
from encode_tools import metadata, picture, stored

from realign_core.checkpoint import checked_by
from realign_core.encode import encode_folder, find_images, from_lines, make_plan, read_captions, shards
from realign_core.load import load_pair
from realign_core.validation import UnusableInput


@pytest.fixture
def plan(pictures, captions):
    return make_plan(find_images([pictures]), read_captions(captions))


def open_clip_rows(model_folder, pictures, captions):
    """What open_clip's own functions make of the same files."""
    import open_clip
    import torch
    from PIL import Image

    name = f"local-dir:{model_folder}"
    model, preprocess = open_clip.create_model_from_pretrained(name)
    tokenize = open_clip.get_tokenizer(name)
    files = [pictures / f"p{index}.png" for index in range(12)]
    with torch.no_grad():
        images = model.encode_image(torch.stack([preprocess(Image.open(file)) for file in files]))
        texts = model.encode_text(tokenize(captions.read_text().splitlines()))
    return [rows.numpy() / np.linalg.norm(rows.numpy(), axis=1, keepdims=True) for rows in (images, texts)]


def test_rows_are_those_of_open_clip(plan, encoder, model_folder, pictures, captions, tmp_path):
    found = encode_folder(plan, encoder, tmp_path / "out", batch=5)
    images, texts = open_clip_rows(model_folder, pictures, captions)
    np.testing.assert_allclose(stored(tmp_path / "out", "img_emb"), images, atol=1e-6)
    np.testing.assert_allclose(stored(tmp_path / "out", "text_emb"), texts, atol=1e-6)
    assert (found.rows, found.dim, found.skipped, found.cut) == (12, 16, (), 0)
    # The negative control: another order of the same rows is told apart.
    assert np.abs(stored(tmp_path / "out", "img_emb") - images[::-1]).max() > 1e-2


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_the_batch_does_not_change_the_rows(plan, encoder, tmp_path, batch):
    encode_folder(plan, encoder, tmp_path / "one", batch=12)
    encode_folder(plan, encoder, tmp_path / "two", batch=batch, shard_rows=7)
    for name in ("img_emb", "text_emb"):
        np.testing.assert_allclose(stored(tmp_path / "two", name), stored(tmp_path / "one", name), atol=1e-6)
    assert metadata(tmp_path / "two") == metadata(tmp_path / "one")


def test_fp16_rows_are_stored_as_such(plan, encoder, tmp_path):
    encode_folder(plan, encoder, tmp_path / "full")
    encode_folder(plan, encoder, tmp_path / "half", fp16=True)
    half = stored(tmp_path / "half", "img_emb")
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, stored(tmp_path / "full", "img_emb"), atol=1e-3)


class Stopped(Exception):
    pass


def interrupted(plan, encoder, folder, *, after: str, **settings):
    """Run until the file `after` is there, then stop at the next step, as Cancel and Ctrl-C do."""

    def check():
        if (folder / after).exists():
            raise Stopped

    with checked_by(check), pytest.raises(Stopped):
        encode_folder(plan, encoder, folder, **settings)


def test_an_interrupted_run_goes_on_and_gives_the_same(plan, encoder, tmp_path):
    settings = {"batch": 2, "shard_rows": 5}
    encode_folder(plan, encoder, tmp_path / "whole", **settings)
    interrupted(plan, encoder, tmp_path / "part", after="metadata/metadata_0.parquet", **settings)
    record = json.loads((tmp_path / "part" / "encode.json").read_text())
    assert not record["complete"]
    assert [shard["number"] for shard in record["shards"]] == [0]
    assert sorted(path.name for path in (tmp_path / "part").rglob("*") if path.is_file()) == [
        "encode.json",
        "img_emb_0.npy",
        "metadata_0.parquet",
        "text_emb_0.npy",
    ]
    kept = (tmp_path / "part" / "img_emb" / "img_emb_0.npy").stat().st_mtime_ns
    found = encode_folder(plan, encoder, tmp_path / "part", resume=True, **settings)
    assert found.rows == 12
    assert (tmp_path / "part" / "img_emb" / "img_emb_0.npy").stat().st_mtime_ns == kept
    for path in (tmp_path / "whole").rglob("*"):
        if path.is_file():
            assert (
                tmp_path / "part" / path.relative_to(tmp_path / "whole")
            ).read_bytes() == path.read_bytes()


def test_files_of_a_shard_that_was_not_finished_do_not_stay(plan, encoder, tmp_path):
    interrupted(plan, encoder, tmp_path / "out", after="img_emb/img_emb_1.npy", batch=2, shard_rows=5)
    assert not list((tmp_path / "out").rglob("*_2.*"))
    assert not list((tmp_path / "out").rglob("*.part"))


def test_an_interruption_right_after_the_record_was_written_keeps_the_shard(
    plan, encoder, tmp_path, monkeypatch
):
    written = shards.atomic_text

    def write_and_stop(path, text):
        written(path, text)
        if '"number"' in text:
            raise KeyboardInterrupt

    monkeypatch.setattr(shards, "atomic_text", write_and_stop)
    with pytest.raises(KeyboardInterrupt):
        encode_folder(plan, encoder, tmp_path / "out", shard_rows=5)
    assert len(stored(tmp_path / "out", "img_emb")) == 5
    monkeypatch.undo()
    assert encode_folder(plan, encoder, tmp_path / "out", shard_rows=5, resume=True).rows == 12


@pytest.mark.parametrize(
    ("change", "told"),
    [({"fp16": True}, "type"), ({"shard_rows": 4}, "shard rows"), ({"inputs": True}, "inputs")],
)
def test_a_run_with_other_settings_does_not_go_on(plan, encoder, pictures, captions, tmp_path, change, told):
    encode_folder(plan, encoder, tmp_path / "out", shard_rows=5)
    if change.pop("inputs", False):
        picture(99).save(pictures / "p3.png")
        plan = make_plan(find_images([pictures]), read_captions(captions))
    with pytest.raises(UnusableInput, match=f"was begun with other {told}; repeat the command"):
        encode_folder(plan, encoder, tmp_path / "out", resume=True, **{"shard_rows": 5, **change})


def test_a_folder_in_use_is_left_alone(plan, encoder, tmp_path):
    encode_folder(plan, encoder, tmp_path / "out")
    with pytest.raises(UnusableInput, match="already holds an encoding; add --resume"):
        encode_folder(plan, encoder, tmp_path / "out")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("x")
    with pytest.raises(UnusableInput, match="holds other files"):
        encode_folder(plan, encoder, tmp_path / "other", resume=True)


def test_long_captions_are_counted(encoder, tmp_path):
    exact = "one two three four five six seven eight nine ten"
    plan = make_plan(None, from_lines(f"short\n{exact}\n{exact} eleven"))
    assert encode_folder(plan, encoder, tmp_path / "out").cut == 1


def test_images_alone_and_captions_alone(encoder, pictures, captions, tmp_path):
    encode_folder(make_plan(find_images([pictures]), None), encoder, tmp_path / "images")
    assert not (tmp_path / "images" / "text_emb").exists()
    assert list(metadata(tmp_path / "images")) == ["image_path"]
    encode_folder(make_plan(None, read_captions(captions)), encoder, tmp_path / "texts")
    assert not (tmp_path / "texts" / "img_emb").exists()
    pair = load_pair(tmp_path / "images" / "img_emb", tmp_path / "texts" / "text_emb")
    assert pair.report.n_target == pair.report.n_source == 12


def test_nothing_that_can_be_encoded_is_an_error(encoder, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    plan = make_plan(find_images([tmp_path / "a.png"]), None)
    for _ in range(2):
        with pytest.raises(
            UnusableInput, match=r"none of the 1 rows could be encoded; the first, a\.png: not an"
        ):
            encode_folder(plan, encoder, tmp_path / "out")
        assert not (tmp_path / "out").exists()
    (tmp_path / "there").mkdir()
    with pytest.raises(UnusableInput, match="none of the 1 rows"):
        encode_folder(plan, encoder, tmp_path / "there")
    assert not list((tmp_path / "there").iterdir())
