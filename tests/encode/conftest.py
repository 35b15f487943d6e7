"""A tiny random CLIP as open_clip saves it, and pictures for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from encode_tools import picture

from realign_core.encode import choose_model
from realign_core.encode.models import Encoder, load_encoder

MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PREPROCESSING = {
    "mean": [0.4, 0.5, 0.6],
    "std": [0.2, 0.3, 0.25],
    "interpolation": "bilinear",
    "resize_mode": "shortest",
}


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A folder with configuration and weights."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    model = open_clip.model.CLIP(**MODEL)
    # Unlike freshly drawn towers, these tell one caption and one image from another.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), str(folder / "open_clip_model.safetensors"))
    return folder


@pytest.fixture(scope="session")
def encoder(model_folder) -> Encoder:
    """The model of `model_folder` on the CPU."""
    return load_encoder(choose_model(f"local-dir:{model_folder}"), device="cpu")


@pytest.fixture
def pictures(tmp_path) -> Path:
    """A folder with a dozen PNG files `p0.png` to `p11.png`."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(12):
        picture(index).save(folder / f"p{index}.png")
    return folder


@pytest.fixture
def captions(tmp_path) -> Path:
    """A caption a line for `pictures`."""
    path = tmp_path / "captions.txt"
    path.write_text("".join(f"a picture with number {index}\n" for index in range(12)))
    return path
