"""The Encode page: from uploaded pictures to the data in use, and what it says of what it cannot use."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from page_tools import sentences
from PIL import Image

from pages.components import encoding, jobs, sources
from realign_core.checkpoint import checkpoint
from realign_core.encode import choice
from realign_core.load import load_pair

MODEL = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A folder that holds a tiny model in `tiny/`."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    (root / "tiny").mkdir()
    (root / "tiny" / "open_clip_config.json").write_text(json.dumps({"model_cfg": MODEL}))
    weights = open_clip.model.CLIP(**MODEL).state_dict()
    save_file(weights, str(root / "tiny" / "open_clip_model.safetensors"))
    return root


@pytest.fixture(autouse=True)
def bundled(models, monkeypatch):
    """The tiny model in place of the bundled one."""
    monkeypatch.setattr(choice, "BUNDLED_FOLDER", models / "tiny")


def png(seed: int) -> bytes:
    file = io.BytesIO()
    fields = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(fields).save(file, "PNG")
    return file.getvalue()


PICTURES = [(f"p{index}.png", png(index)) for index in (10, 9, 2, 1)]
LINES = "one\ntwo\nnine\nten"


def fill(at, pictures=PICTURES, lines=LINES, table=None):
    """Give pictures and captions to the page."""
    turn = at.session_state["encode_round"]
    kind = "application/octet-stream"
    at.file_uploader(key=f"encode_images_{turn}").set_value([(*picture, kind) for picture in pictures])
    if table:
        at.file_uploader(key=f"encode_captions_{turn}").upload(*table)
    at.text_area(key=f"encode_lines_{turn}").set_value(lines)
    return at.run()


def encode(at, *arguments, **given):
    return fill(at, *arguments, **given).button(key="encode_start").click().run()


def test_pictures_and_lines_become_the_data_in_use(opened, held):
    at = encode(opened("encode"))
    assert not at.exception
    assert not at.error
    assert at.success[0].value == "4 pairs were encoded and are the data in use now."
    assert "Encoded with the bundled model · 4 pairs · 8 dimensions" in sentences(at)
    assert "Both sets were encoded by bundled, weights sha256" in sentences(at)
    (study,) = held.studies.values()
    assert list(study.pair.captions) == ["one", "two", "nine", "ten"]
    assert list(study.pair.image_paths) == ["p1.png", "p2.png", "p9.png", "p10.png"]
    assert study.pair.report.provenance_target["model"] == "bundled"
    at.switch_page("pages/data.py").run()
    assert not at.exception
    assert "Both sets were encoded by bundled" in sentences(at)
    assert "Beside the rows: captions, image paths" in sentences(at).replace("**", "")


def test_a_table_joins_captions_and_labels_and_broken_pictures_are_listed(opened, held):
    pictures = [*PICTURES, ("broken.png", b"x")]
    table = (
        b"caption,filename,label\nten,p10.png,b\none,p1.png,a\nagain,p1,a\nlost,broken.png,c\nx,none.png,d\n"
    )
    at = encode(opened("encode"), pictures, "", table=("c.csv", table))
    assert not at.error
    (study,) = held.studies.values()
    assert list(study.pair.captions) == ["one", "again", "ten"]
    assert list(study.pair.labels) == ["a", "a", "b"]
    listed = at.dataframe[0].value
    assert (
        dict(zip(listed["Image or caption"], listed["Reason"]))["broken.png"]
        == "not an image that can be read"
    )
    assert set(listed["Image or caption"]) == {"broken.png", "none.png", "p2.png", "p9.png"}
    assert any("Skipped broken.png: not an image" in note for note in study.pair.report.warnings)


def test_a_zip_archive_is_taken(opened, held):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in PICTURES:
            archive.writestr(f"set/{name}", content)
    at = encode(opened("encode"), [("set.zip", file.getvalue())])
    assert not at.error
    (study,) = held.studies.values()
    assert list(study.pair.image_paths) == ["set/p1.png", "set/p2.png", "set/p9.png", "set/p10.png"]


def test_the_download_holds_the_same_pairs(opened, held, tmp_path):
    encode(opened("encode"))
    (study,) = held.studies.values()
    (tmp_path / "e.parquet").write_bytes(encoding.as_file(study))
    again = load_pair(tmp_path / "e.parquet", paired="yes")
    np.testing.assert_array_equal(np.asarray(again.target), np.asarray(study.pair.target))
    assert list(again.captions) == list(study.pair.captions)
    assert again.report.provenance_source == study.pair.report.provenance_source


BAD = {
    "counts": ({"lines": "one"}, "there are 4 images and 1 captions"),
    "both": ({"table": ("c.txt", b"a\n")}, "given as a file and as lines; remove one"),
    "no column": ({"lines": "", "table": ("c.csv", b"a,b\n1,2\n")}, "c.csv has no column named caption"),
    "no zip": ({"pictures": [("a.zip", b"x")]}, "a.zip is not a whole zip archive"),
    "one pair": ({"pictures": PICTURES[:1], "lines": "one"}, "only one pair is left, at least 2 are needed"),
    "one pair whole": (
        {"pictures": [*PICTURES[2:3], ("p3.png", b"x")], "lines": "two\nthree"},
        "only one pair is left, at least 2 are needed; skipped p3.png: not an image that can be read",
    ),
    "all broken": ({"pictures": [("a.png", b"x")], "lines": "one"}, "a.png: not an image"),
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_input_is_one_sentence_and_the_data_stay(opened, name):
    given, told = BAD[name]
    at = encode(opened("encode"), **given)
    assert not at.exception
    (error,) = at.error
    assert told in error.value.replace("\\", "")
    assert "gapscope-" not in error.value
    assert at.session_state["settings"]["data"] == "sample:scenes"
    assert not at.run().error


def test_limits_hold_and_are_stated(opened, monkeypatch):
    at = opened("encode")
    assert "At most 5,000 images of 30 MB each" in sentences(at).replace("\u202f", ",")
    monkeypatch.setattr(encoding, "MOST_CAPTIONS", 3)
    assert "the limit here is 3; use the command line" in encode(at).error[0].value


def test_half_entered_input_cannot_be_started(opened):
    at = opened("encode")
    assert at.button(key="encode_start").disabled
    assert fill(at, lines="  ").button(key="encode_start").disabled
    assert not fill(at).button(key="encode_start").disabled


def test_a_missing_bundled_model_is_said(opened, monkeypatch, tmp_path):
    monkeypatch.setattr(choice, "BUNDLED_FOLDER", tmp_path / "none")
    at = encode(opened("encode"))
    assert "This installation has no bundled model." in sentences(at)
    assert "this installation has no bundled model" in at.error[0].value


def test_a_model_folder_must_lie_under_the_allowed_root(opened, monkeypatch, models, held):
    at = opened("encode")
    assert at.selectbox(key="encode_model").options == ["the bundled model"]
    monkeypatch.setenv(sources.DATA_ROOT, str(models))
    at.run()
    at.selectbox(key="encode_model").set_value("folder").run()
    for folder, told in (("../x", "lies outside the folder"), ("none", "names no folder")):
        at.text_input(key="encode_folder").set_value(folder)
        error = encode(at).error[0].value.replace("\\", "")
        assert told in error
        assert str(models) not in error
    at.text_input(key="encode_folder").set_value("tiny")
    assert not encode(at).error
    (study,) = held.studies.values()
    assert study.pair.report.provenance_target["model"] == "local-dir:tiny"


def test_a_stopped_encoding_goes_on_behind_its_shards(monkeypatch, models):
    class File(io.BytesIO):
        pass

    files = []
    for name, content in PICTURES:
        files.append(File(content))
        files[-1].name = name
    monkeypatch.setattr(encoding, "SHARD_ROWS", 2)
    work = encoding.EncodingWork(files, None, LINES, choice.choose_model)
    place = work._place

    def stop_after_a_shard(_):
        if (place / "shards" / "metadata" / "metadata_0.parquet").exists():
            raise jobs.Cancelled

    with pytest.raises(jobs.Cancelled):
        work(stop_after_a_shard)
    kept = (place / "shards" / "img_emb" / "img_emb_0.npy").stat().st_mtime_ns
    checkpoint()
    study = work(lambda _: None).study
    assert (place / "shards" / "img_emb" / "img_emb_0.npy").stat().st_mtime_ns == kept
    assert list(study.pair.captions) == ["one", "two", "nine", "ten"]
    del work
    assert not place.exists()
    assert np.isfinite(np.asarray(study.pair.target)).all()
