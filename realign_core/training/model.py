"""A small CLIP of open_clip's, and the folder that open_clip reads it from as `local-dir:FOLDER`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.load.atomic import atomic_bytes, atomic_text, unwritable
from realign_core.training.settings import HEAD_WIDTH, ModelSize

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
MEAN, STD = 0.5, 0.5
"""Pixels from 0 to 1 are brought to -1 … 1."""

LARGEST_SCALE = math.log(100)
"""CLIP's bound on the logarithm of the inverse temperature."""


def model_config(size: ModelSize) -> dict[str, Any]:
    """The `model_cfg` that open_clip builds the model from."""
    return {
        "embed_dim": size.embedding,
        "vision_cfg": {
            "image_size": size.image_pixels,
            "patch_size": size.patch,
            "width": size.image_width,
            "head_width": HEAD_WIDTH,
            "layers": size.image_layers,
            "pool_type": "avg",
        },
        "text_cfg": {
            "context_length": size.context,
            "vocab_size": 49408,
            "width": size.text_width,
            "heads": size.text_width // HEAD_WIDTH,
            "layers": size.text_layers,
        },
    }


def build_model(size: ModelSize, seed: int) -> Any:
    """A new open_clip CLIP on the CPU, its weights drawn from `seed`."""
    from open_clip.model import CLIP

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CLIP(**model_config(size))


def build_tokenizer(size: ModelSize) -> Callable[[list[str]], Tensor]:
    """Captions to int64 tokens `(n, context)`, with the vocabulary that open_clip brings along."""
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=size.context)


def to_input(images: np.ndarray, device: torch.device) -> Tensor:
    """Images uint8 `(n, pixels, pixels, 3)` as the model takes them: float32 `(n, 3, pixels, pixels)`."""
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)
    return pixels.sub_(MEAN).div_(STD).contiguous()


def save_model(model: Any, size: ModelSize, folder: str | os.PathLike) -> None:
    """Write weights and config into `folder`, each whole or not at all."""
    from safetensors.torch import save

    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    preprocess = {
        "mean": [MEAN] * 3,
        "std": [STD] * 3,
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    config = {"model_cfg": model_config(size), "preprocess_cfg": preprocess}
    atomic_bytes(os.path.join(folder, WEIGHTS), save(state))
    atomic_text(os.path.join(folder, CONFIG), json.dumps(config, indent=2) + "\n")


def load_model(folder: str | os.PathLike) -> Any:
    """The model of such a folder in float32 on the CPU, as open_clip reads it, ready to embed."""
    from open_clip import create_model

    return create_model(f"local-dir:{os.fspath(folder)}").eval()
