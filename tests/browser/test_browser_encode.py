"""Encode by mouse: pictures, captions and a model folder in, and the pairs are there in Data."""

import json

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from realign_core.load import load_pair

CAPTIONS = ("caption,filename\n", *(f"picture {index},p{index}.png\n" for index in range(24)))
MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def model(data_root):
    """A tiny random model under the folder of server paths."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder = data_root / "models" / "tiny"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": MODEL}))
    save_file(open_clip.model.CLIP(**MODEL).state_dict(), str(folder / "open_clip_model.safetensors"))
    return "models/tiny"


@pytest.fixture
def files(tmp_path):
    """24 pictures, one of them broken, and a table of their captions."""
    pictures = []
    for index in range(24):
        fields = np.random.default_rng(index).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        pictures.append(tmp_path / f"p{index}.png")
        Image.fromarray(fields).resize((64, 64), Image.Resampling.NEAREST).save(pictures[-1])
    pictures[5].write_bytes(b"no picture")
    (tmp_path / "captions.csv").write_text("".join(CAPTIONS))
    return pictures, tmp_path / "captions.csv"


def test_pictures_and_captions_become_the_data_in_use(visit, model, files, tmp_path):
    pictures, captions = files
    visit.open("encode")
    assert visit.button("Encode").is_disabled()
    inputs = visit.page.locator("input[type=file]")
    inputs.nth(0).set_input_files([str(path) for path in pictures])
    inputs.nth(1).set_input_files(str(captions))
    visit.settle().choose("Model", "a model folder on the server")
    visit.page.get_by_label("Folder with open_clip_config.json").fill(model)
    visit.page.keyboard.press("Tab")
    visit.settle().press("Encode")
    expect(visit.page.get_by_text("23 pairs were encoded")).to_be_visible(timeout=visit.patience)
    visit.settle()
    said = visit.text()
    assert "Both sets were encoded by local-dir:tiny, weights sha256" in said
    assert "Skipped p5.png: not an image that can be read" in said
    assert visit.sideways() <= 0
    pair = load_pair(visit.download("Embeddings as .parquet", tmp_path), paired="yes")
    assert len(pair.target) == 23
    visit.press("Look at them in Data")
    expect(visit.page.get_by_role("heading", name="Data", level=1)).to_be_visible(timeout=visit.patience)
    said = visit.settle().text()
    assert "Encoded with tiny · 23 pairs · 16 dimensions" in said
    assert "captions, image paths" in said
