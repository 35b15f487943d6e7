"""Which model is meant, what is recorded of it, and what is said where it cannot be had."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from contextlib import nullcontext

import pytest
import torch
from encode_tools import picture

from realign_core.encode import choice, choose_model, hub
from realign_core.encode.models import digest, load_encoder
from realign_core.validation import UnusableInput


@pytest.fixture
def copied(model_folder, tmp_path):
    """The model's folder to be damaged."""
    return shutil.copytree(model_folder, tmp_path / "copy")


@pytest.fixture
def tiny(model_folder, monkeypatch, tmp_path):
    """The tiny model as an architecture of open_clip, and its weights as a bare file."""
    from open_clip import factory

    config = json.loads((model_folder / "open_clip_config.json").read_text())["model_cfg"]
    monkeypatch.setitem(factory._MODEL_CONFIGS, "ViT-B-32", config)
    return model_folder / "open_clip_model.safetensors"


def test_provenance_names_the_model_weights_and_preprocessing(encoder, model_folder):
    found = encoder.provenance
    assert found["model"] == f"local-dir:{model_folder.name}"
    assert found["weights"]["sha256"] == digest(model_folder / "open_clip_model.safetensors")
    assert found["preprocessing"]["mean"] == [0.4, 0.5, 0.6]
    assert found["preprocessing"]["size"] in (32, [32, 32])
    assert found["preprocessing"]["interpolation"] == "bilinear"
    assert found["precision"] == "float32"
    assert found["activation"] == "GELU"
    assert set(found["versions"]) == {"open_clip", "torch"}
    assert json.loads(json.dumps(found)) == found
    assert encoder.notes == ()


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_an_architecture_with_a_weights_file_says_what_it_lacks(tiny, tmp_path, suffix, encoder):
    from safetensors.torch import load_file

    path = tmp_path / f"weights{suffix}"
    if suffix == ".pt":
        torch.save({"state_dict": load_file(str(tiny))}, path)
    else:
        shutil.copy(tiny, path)
    loaded = load_encoder(choose_model("ViT-B-32", path), device="cpu")
    assert (
        "carries neither preprocessing nor activation: both are the defaults of ViT-B-32" in loaded.notes[0]
    )
    assert loaded.provenance["preprocessing_from"] == "defaults of ViT-B-32 in open_clip"
    assert loaded.provenance["preprocessing"]["interpolation"] == "bicubic"
    tensor = encoder.preprocess(picture(1))
    assert (loaded.encode_images([tensor]) == encoder.encode_images([tensor])).all()


def test_the_bundled_model_is_the_default_or_says_that_it_is_not_there(model_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(choice, "BUNDLED_FOLDER", model_folder)
    assert choose_model().folder == model_folder
    assert load_encoder(choose_model(), device="cpu").provenance["model"] == "bundled"
    monkeypatch.setattr(choice, "BUNDLED_FOLDER", tmp_path / "none")
    with pytest.raises(UnusableInput, match="this installation has no bundled model"):
        choose_model()


def write(folder, name, content):
    (folder / name).write_bytes(content)


DAMAGED = {
    "no configuration": (lambda at: (at / "open_clip_config.json").unlink(), "has no open_clip_config.json"),
    "no JSON": (lambda at: write(at, "open_clip_config.json", b"{"), "cannot be read"),
    "another JSON": (lambda at: write(at, "open_clip_config.json", b"{}"), "has no model_cfg"),
    "no weights": (lambda at: (at / "open_clip_model.safetensors").unlink(), "holds no weights"),
    "empty weights": (lambda at: write(at, "open_clip_model.safetensors", b""), "is empty"),
    "pointer": (
        lambda at: write(at, "open_clip_model.safetensors", b"version https://git-lfs.github.com/spec/v1\n"),
        "is a Git LFS pointer",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_folder_that_is_not_whole_is_refused_before_torch_is_asked(copied, name):
    damage, told = DAMAGED[name]
    damage(copied)
    with pytest.raises(UnusableInput, match=told):
        choose_model(f"local-dir:{copied}")


def test_damaged_and_foreign_weights_are_refused(copied):
    write(copied, "open_clip_model.safetensors", b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(UnusableInput, match="cannot be loaded"):
        load_encoder(choose_model(f"local-dir:{copied}"), device="cpu")


PREPROCESSING = {
    "std of 0": ({"std": [0.2, 0, 0.3]}, "gives 0 in the std of preprocess_cfg; write the one"),
    "one std of 0": ({"std": 0}, "gives 0 in the std"),
    "infinite std": ({"std": [float("inf")] * 3}, "gives inf in the std"),
    "mean that is none": ({"mean": [float("nan")] * 3}, "gives nan in the mean"),
    "mean of words": ({"mean": ["a", 0, 0]}, "gives 'a' in the mean"),
    "no table": (3, "preprocess_cfg that is no table of settings; save the model again"),
}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_preprocessing_that_leaves_no_picture_is_refused(copied, name):
    changed, told = PREPROCESSING[name]
    path = copied / "open_clip_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "preprocess_cfg": changed}))
    with pytest.raises(UnusableInput, match=told):
        choose_model(f"local-dir:{copied}")
    path.write_text(json.dumps({**config, "preprocess_cfg": {"mean": 0, "std": None}}))
    assert choose_model(f"local-dir:{copied}").folder == copied


@pytest.mark.parametrize(
    ("factor", "told"), [(float("nan"), "not finite"), (float("inf"), "not finite"), (0.0, "of length 0")]
)
def test_rows_that_damaged_weights_give_are_refused(copied, encoder, factor, told):
    from safetensors.torch import load_file, save_file

    path = copied / "open_clip_model.safetensors"
    save_file({name: value * factor for name, value in load_file(path).items()}, path)
    damaged = load_encoder(choose_model(f"local-dir:{copied}"), device="cpu")
    sentence = f"the model local-dir:copy gives rows that are {told}; its weights are damaged"
    with pytest.raises(UnusableInput, match=sentence):
        damaged.encode_images([encoder.preprocess(picture(0))])
    with pytest.raises(UnusableInput, match=sentence):
        damaged.encode_tokens(damaged.tokens(["a caption"])[0])


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('it ran')",)


def test_weights_that_would_run_code_are_refused(tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(UnusableInput, match="is not a plain checkpoint of tensors"):
        load_encoder(choose_model("ViT-B-32", path), device="cpu")
    torch.save({"state_dict": Evil()}, path)
    with pytest.raises(UnusableInput, match="is not a plain checkpoint of tensors"):
        load_encoder(choose_model("ViT-B-32", path), device="cpu")


REFUSED = {
    "ViT-B-32": "is an architecture without weights; add --weights FILE",
    "ViT-B-99": "there is no model 'ViT-B-99'",
    "vit-b-32": "such as ViT-B-32",
    "ViT-B-99/openai": "there is no model 'ViT-B-99'",
    "local-dir:nowhere": "names no folder",
    "local-dir:": "local-dir: names no folder",
    "hf-hub:onlyname": "names no repository",
    ".": r"is a folder; write local-dir:\.",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_means_nothing_is_refused(name):
    with pytest.raises(UnusableInput, match=REFUSED[name]):
        choose_model(name)


def test_weights_go_with_an_architecture_alone(tmp_path):
    (tmp_path / "w.pt").write_bytes(b"x")
    with pytest.raises(UnusableInput, match="weights go with an architecture"):
        choose_model("bundled", tmp_path / "w.pt")
    with pytest.raises(UnusableInput, match="does not exist"):
        choose_model("ViT-B-32", tmp_path / "none.pt")
    (tmp_path / "w.zip").write_bytes(b"x")
    with pytest.raises(UnusableInput, match=r"has the suffix '\.zip'"):
        choose_model("ViT-B-32", tmp_path / "w.zip")


@pytest.fixture
def unreached(monkeypatch, tmp_path):
    """A hub that does not answer, and no copies of its models; what takes long to import is imported."""
    import open_clip  # noqa: F401
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "cache"


@pytest.mark.parametrize("name", ["hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B-32/openai"])
@pytest.mark.parametrize("others", [False, True])
def test_without_the_hub_a_tag_fails_with_a_sentence_within_seconds(unreached, name, others):
    if others:
        # A copy of another model must not lead to a minute of attempts.
        (unreached / "models--other--model").mkdir(parents=True)
        (unreached / "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K").mkdir()
    start = time.monotonic()
    with pytest.raises(UnusableInput, match="which this machine does not reach, and no copy is kept here"):
        load_encoder(choose_model(name), device="cpu")
    assert time.monotonic() - start < 8


def test_a_hub_that_never_answers_is_given_up(unreached, monkeypatch):
    monkeypatch.setattr(hub, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: time.sleep(3) or nullcontext())
    start = time.monotonic()
    with pytest.raises(UnusableInput, match="does not reach"):
        load_encoder(choose_model("hf-hub:a/b"), device="cpu")
    assert time.monotonic() - start < 2


def test_a_copy_that_the_hub_left_here_works_without_it(unreached, model_folder, encoder):
    kept = unreached / "models--somebody--tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0" * 40)
    shutil.copytree(model_folder, kept / "snapshots" / ("0" * 40))
    loaded = load_encoder(choose_model("hf-hub:somebody/tiny"), device="cpu")
    assert loaded.provenance["weights"]["sha256"] == encoder.provenance["weights"]["sha256"]


@pytest.mark.parametrize("answers", [True, False])
def test_an_unknown_tag_is_told_before_the_hub_is_asked(answers, monkeypatch):
    monkeypatch.setattr(hub, "_answers", lambda _: answers)
    with pytest.raises(UnusableInput, match="ViT-B-32 has no pretrained tag 'nope'; it has: openai"):
        load_encoder(choose_model("ViT-B-32/nope"), device="cpu")
