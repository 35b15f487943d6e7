"""What a training run is set to; a run goes on only with the settings that it began with."""

from __future__ import annotations

from dataclasses import dataclass

from realign_core.validation import UnusableInput, check_count, check_positive


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
        check_count("--seed", self.seed, least=0)
        check_positive("--learning-rate", self.learning_rate)
        if self.pool < self.batch:
            raise UnusableInput(
                f"--pool is {self.pool} and --batch {self.batch}; a batch must fit into the pool of scenes"
            )
        return self
