"""Connect, Collapse, Corrupt: shift the mean and add noise ([C] arXiv 2401.08567)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from realign_core.alignment.affine import AffineAligner
from realign_core.alignment.affine_map import AffineMap
from realign_core.alignment.statistics import MeanTrace
from realign_core.moments import Moments
from realign_core.validation import UnusableInput, check_choice, check_count, check_non_negative

PRESETS = {"captioning": 0.016**0.5}
"""Noise per coordinate that published code uses; C3's captioning code states the variance 0.016."""

DEFAULT_NOISE_NORM = 0.25
"""Norm of the default noise, which fits the phi that [A, fig. 7] reports for C3."""


class C3(AffineAligner):
    """`normalize(y - mu_y + mu_x + sigma g)`, `g ~ N(0, I)`, sigma per coordinate.

    `sigma=None` means `0.25 / sqrt(d)`; `preset="captioning"` means `sqrt(0.016)`. The noise of row i of
    a `transform` call depends on `seed` and i alone, not on blocks or on the type of the rows.
    Learns `sigma_` beside what `MeanShift` learns.
    """

    name = "c3"
    adds_noise: ClassVar[bool] = True

    def __init__(
        self, *, sigma: float | None = None, preset: str | None = None, seed: int = 0, normalize: bool = True
    ):
        super().__init__(normalize=normalize)
        self.sigma = sigma
        self.preset = preset
        self.seed = seed

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        check_count("seed", self.seed, least=0)
        self.sigma_ = resolve_sigma(self.sigma, self.preset, len(source.mean))
        self._set_map(1.0, target.mean - source.mean)

    def _mapper(self) -> AffineMap:
        noise = gaussian_rows(self.sigma_, len(self.bias_), self.seed)
        return AffineMap(1.0, self.bias_, normalize=self.normalize, noise=noise)


def resolve_sigma(sigma: float | None, preset: str | None, dim: int) -> float:
    """The noise per coordinate that the two settings name in dimension `dim`."""
    if sigma is not None and preset is not None:
        raise UnusableInput(f"c3 was given both sigma {sigma} and preset {preset!r}; give one of them")
    if preset is not None:
        return PRESETS[check_choice("preset", preset, tuple(PRESETS))]
    return DEFAULT_NOISE_NORM / dim**0.5 if sigma is None else check_non_negative("sigma", sigma)


def gaussian_rows(sigma: float, dim: int, seed: int) -> Callable[[int], Tensor]:
    """A function that gives the next n rows `(n, dim)` of one seeded stream of noise, float32.

    NumPy's generator, because torch's draws depend on how many are asked for at a time.
    """
    generator = np.random.default_rng(seed)

    def draw(n: int) -> Tensor:
        return torch.from_numpy(generator.standard_normal((n, dim), dtype=np.float32)) * sigma

    return draw
