"""The trained model for shipping: half precision where that changes no embedding noticeably."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.load.atomic import atomic_file
from realign_core.training.material import Probe
from realign_core.training.model import CONFIG, WEIGHTS, build_tokenizer, load_model, to_input
from realign_core.training.settings import ModelSize

CLOSE = 1e-3
"""Largest difference of an entry between embeddings of the two precisions."""
CHECKED = 64
BLOCK = 256


@dataclass(frozen=True)
class Encoder:
    """Unit rows float32 `(n, d)` of pictures and of captions."""

    model: Any
    tokenize: Callable[[list[str]], Tensor]

    @classmethod
    def load(cls, folder: str | os.PathLike, size: ModelSize) -> Encoder:
        """The model of a folder."""
        return cls(load_model(folder), build_tokenizer(size))

    @torch.no_grad()
    def images(self, images: np.ndarray) -> np.ndarray:
        """Of images uint8 `(n, pixels, pixels, 3)`."""
        cpu = torch.device("cpu")
        return np.concatenate(
            [
                self.model.encode_image(to_input(images[at : at + BLOCK], cpu), normalize=True).numpy()
                for at in range(0, len(images), BLOCK)
            ]
        )

    @torch.no_grad()
    def texts(self, captions: list[str]) -> np.ndarray:
        """Of captions."""
        tokens = self.tokenize(captions)
        return np.concatenate(
            [
                self.model.encode_text(tokens[at : at + BLOCK], normalize=True).numpy()
                for at in range(0, len(tokens), BLOCK)
            ]
        )


def ship_model(run: Path, out: Path, size: ModelSize, seed: int) -> tuple[Encoder, dict[str, Any]]:
    """Write the run's model into `out`; returns what embeds with it, and precision and digest for the cards.

    The weights stay in float32 where half of that would move an entry of an embedding by more than `CLOSE`.
    """
    from safetensors.torch import load_file, save

    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run / CONFIG, out / CONFIG)
    weights = load_file(run / WEIGHTS)
    halves = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    _write(out / WEIGHTS, save(halves))
    encoder, whole = Encoder.load(out, size), Encoder.load(run, size)
    probe = Probe.draw(CHECKED, seed)
    off = max(
        float(np.abs(encoder.images(probe.images) - whole.images(probe.images)).max()),
        float(np.abs(encoder.texts(probe.long) - whole.texts(probe.long)).max()),
    )
    precision = "float16"
    if not off <= CLOSE:
        shutil.copyfile(run / WEIGHTS, out / WEIGHTS)
        encoder, precision, off = whole, "float32", 0.0
    digest = hashlib.sha256((out / WEIGHTS).read_bytes()).hexdigest()
    return encoder, {"weights": precision, "rounding": off, "weights_sha256": digest}


def _write(path: Path, data: bytes) -> None:
    with atomic_file(path) as file:
        file.write(data)
