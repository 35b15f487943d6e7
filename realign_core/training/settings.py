"""What a training run is set to; a run goes on only with the settings that it began with."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from realign_core.training.drawing import PIXELS
from realign_core.validation import (
    UnusableInput,
    check_count,
    check_fraction,
    check_non_negative,
    check_positive,
)

LARGEST_SEED = 2**63 - 1
"""What torch's generators take."""
LARGEST_SIZE = 4096
"""Of a width, a depth or a context: far beyond what this command is for, and still buildable."""
HEAD_WIDTH = 32


@dataclass(frozen=True)
class ModelSize:
    """Widths and depths of the two towers; the vocabulary is open_clip's own."""

    embedding: int = 128
    image_pixels: int = 64
    patch: int = 8
    image_width: int = 96
    image_layers: int = 3
    text_width: int = 64
    text_layers: int = 3
    context: int = 64

    def check(self) -> ModelSize:
        """These sizes; UnusableInput, naming the one, where no model can be built to them."""
        for name, value in asdict(self).items():
            if check_count(name, value) > LARGEST_SIZE:
                raise UnusableInput(f"{name} is {value}; it must be at most {LARGEST_SIZE}")
        for name, value in (("image_width", self.image_width), ("text_width", self.text_width)):
            if value % HEAD_WIDTH:
                raise UnusableInput(f"{name} is {value}; it must be a multiple of {HEAD_WIDTH}")
        if self.image_pixels != PIXELS:
            raise UnusableInput(f"image_pixels is {self.image_pixels}; scenes are drawn at {PIXELS}")
        if self.patch > PIXELS:
            raise UnusableInput(f"patch is {self.patch}; it must be at most {PIXELS}")
        return self


@dataclass(frozen=True)
class Settings:
    """Settings of a run.

    steps, batch: optimiser steps, and pairs in each. every: steps from one snapshot to the next.
    probe: held-out pairs embedded at each. pool: training scenes drawn ahead and used again in every epoch.
    learning_rate: its highest value, after `warmup` steps. long_share: share of training captions with
    remarks. gradient_rows: probe pairs whose loss the embedding gradients belong to.
    """

    steps: int = 3000
    batch: int = 128
    every: int = 100
    probe: int = 2000
    pool: int = 40_000
    seed: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    warmup: int = 200
    clip: float = 1.0
    long_share: float = 0.3
    gradient_rows: int = 512
    model: ModelSize = ModelSize()

    def check(self) -> Settings:
        """These settings; UnusableInput, naming the option, where one cannot be used."""
        check_count("--steps", self.steps)
        check_count("--batch", self.batch, least=2)
        check_count("--every", self.every)
        check_count("--probe", self.probe, least=2)
        check_count("--pool", self.pool, least=2)
        if check_count("--seed", self.seed, least=0) > LARGEST_SEED:
            raise UnusableInput(f"--seed is {self.seed}; it must be at most {LARGEST_SEED}")
        check_positive("--learning-rate", self.learning_rate)
        check_non_negative("weight_decay", self.weight_decay)
        check_count("warmup", self.warmup, least=0)
        check_positive("clip", self.clip)
        check_fraction("long_share", self.long_share, low_open=False)
        check_count("gradient_rows", self.gradient_rows, least=2)
        self.model.check()
        if self.pool < self.batch:
            raise UnusableInput(
                f"--pool is {self.pool} and --batch {self.batch}; a batch must fit into the pool of scenes"
            )
        return self
