"""Stage I: the prior over phases that is learnt from the target alone ([A, sec. 4.2])."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from realign_core.alignment.aniso.networks import (
    Training,
    perceptron,
    standardisation,
    train,
    wrapped_score,
)
from realign_core.alignment.aniso.polar import Polar, wrap
from realign_core.alignment.aniso.potential import PhasePotential


@dataclass(frozen=True)
class NoiseLevels:
    """sigma_t, log-uniform between two levels; a phase gets Gaussian noise of variance `2 sigma_t`."""

    low: float
    high: float

    def draw(self, n: int, generator: torch.Generator, device: torch.device) -> Tensor:
        """Levels `(n, 1)`."""
        share = torch.rand(n, 1, generator=generator, device=device)
        return self.low * (self.high / self.low) ** share

    def encoded(self, sigma: Tensor) -> Tensor:
        """The level as -1 to 1 on a log scale, for a network."""
        span = math.log(self.high / self.low) or 1.0
        return 2 * (sigma / self.low).log() / span - 1


class ScoreNetwork(nn.Module):
    """`s(phi~, t, log rho)`: a score `(n, m)` for noised phases, given the noise level and the radii.

    The output is divided by the noise's standard deviation, which gives every level a target of size 1.
    """

    def __init__(self, log_radii: Tensor, levels: NoiseLevels, width: int, seed: int):
        super().__init__()
        self.shift: Tensor
        self.scale: Tensor
        blocks = log_radii.shape[1]
        shift, scale = standardisation(log_radii)
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)
        self.levels = levels
        self.layers = perceptron(3 * blocks + 1, width, blocks, torch.Generator().manual_seed(seed))

    def forward(self, phases: Tensor, sigma: Tensor, log_radii: Tensor) -> Tensor:
        radii = (log_radii - self.shift) / self.scale
        given = torch.cat([phases.sin(), phases.cos(), radii, self.levels.encoded(sigma)], dim=1)
        return self.layers(given) / (2 * sigma).sqrt()


@dataclass
class PhasePrior:
    """The drift field and the score network; `losses` are the window means of its training."""

    potential: PhasePotential
    score: ScoreNetwork
    levels: NoiseLevels
    step: float
    losses: list[float]

    @classmethod
    def fit(
        cls,
        target: Polar,
        potential: PhasePotential,
        *,
        levels: NoiseLevels,
        step: float,
        width: int,
        training: Training,
    ) -> PhasePrior:
        """Train the score on target rows, float32; the drift field must be that of the same rows."""
        phases, log_radii = target.phases, target.radii.log()
        device = phases.device
        score = ScoreNetwork(log_radii, levels, width, training.seed).to(device)
        prior = cls(potential, score, levels, step, [])

        def loss_of(rows: Tensor, noise: torch.Generator) -> Tensor:
            return prior.loss(phases[rows], log_radii[rows], noise)

        prior.losses = train(
            score, loss_of, rows=len(phases), training=training, device=device, stage="AnisoAlign: prior"
        )
        score.requires_grad_(False)
        return prior

    def loss(self, phases: Tensor, log_radii: Tensor, noise: torch.Generator) -> Tensor:
        """Mean of `2 sigma^2 ||s(phi~, t, log rho) - score||^2` over rows and blocks.

        `phi~ = wrap(mu_phi + sqrt(2 sigma) e)` around the drifted centre `mu_phi`; the score is that of
        the wrapped Gaussian there.
        """
        sigma = self.levels.draw(len(phases), noise, phases.device)
        drawn = torch.randn(phases.shape, generator=noise, device=phases.device)
        offset = (2 * sigma).sqrt() * drawn
        noised = wrap(self.potential.drifted(phases, self.step) + offset)
        wanted = wrapped_score(wrap(offset), 2 * sigma)
        return (2 * sigma.square() * (self.score(noised, sigma, log_radii) - wanted).square()).mean()
