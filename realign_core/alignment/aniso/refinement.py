"""Stage II: the start that keeps phases, and bounded corrections under the prior ([A, sec. 4.3])."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from realign_core.alignment.aniso.networks import Training, perceptron, standardisation, train
from realign_core.alignment.aniso.polar import RADIUS_EPSILON, Polar, in_rest, wrap
from realign_core.alignment.aniso.prior import PhasePrior


@dataclass(frozen=True)
class Bounds:
    """Largest corrections: `phase` in radians (at most pi), `radius` of log rho, `rest` of entries of v."""

    phase: float
    radius: float
    rest: float


class Corrections(nn.Module):
    """`g(sin theta, cos theta, log rho, v)`: raw corrections of phases, log radii and the rest."""

    def __init__(self, blocks: int, dim: int, width: int, seed: int):
        super().__init__()
        self.shift: Tensor
        self.scale: Tensor
        self.blocks, self.dim = blocks, dim
        self.register_buffer("shift", torch.zeros(blocks + dim))
        self.register_buffer("scale", torch.ones(blocks + dim))
        generator = torch.Generator().manual_seed(seed)
        self.layers = perceptron(3 * blocks + dim, width, 2 * blocks + dim, generator)

    def standardise(self, start: Polar) -> None:
        """Take the scale of log radii and of the rest from the fitting rows."""
        shift, scale = standardisation(torch.cat([start.radii.log(), start.rest], dim=1))
        self.shift.copy_(shift)
        self.scale.copy_(scale)

    def copy_to(self, device: torch.device, dtype: torch.dtype) -> Corrections:
        """The same network where the rows lie."""
        return copy.deepcopy(self).to(dtype).to(device)

    def forward(self, start: Polar) -> tuple[Tensor, Tensor, Tensor]:
        lengths = (torch.cat([start.radii.log(), start.rest], dim=1) - self.shift) / self.scale
        raw = self.layers(torch.cat([start.phases.sin(), start.phases.cos(), lengths], dim=1))
        return raw.split([self.blocks, self.blocks, self.dim], dim=1)


def refined(start: Polar, corrections: Corrections, bounds: Bounds, basis: Tensor) -> Polar:
    """Phases, radii and rest within `bounds` of the start.

    `th^ = wrap(th + a_th tanh dth)`, `rho^ = rho exp(a_rho tanh drho)`, `v^ = v + a_v P_V tanh dv`.
    """
    phases, radii, rest = corrections(start)
    moved = start.rest
    # The losses give v no gradient, so its correction stays at zero; then the products are spared.
    if bounds.rest and bool(rest.any()):
        moved = moved + bounds.rest * in_rest(rest.tanh(), basis)
    return Polar(
        wrap(start.phases + bounds.phase * phases.tanh()),
        start.radii * (bounds.radius * radii.tanh()).exp(),
        moved,
    )


@dataclass(frozen=True)
class Weights:
    """Weights of the two losses: prior matching, and keeping the relative phases of the start."""

    prior: float
    phase: float


def fit_corrections(
    start: Polar,
    prior: PhasePrior,
    *,
    bounds: Bounds,
    weights: Weights,
    basis: Tensor,
    width: int,
    training: Training,
) -> tuple[Corrections, list[float]]:
    """Train the corrections on started source rows, float32, under a frozen prior; also the window losses.

    Without either loss nothing is corrected.
    """
    device = start.phases.device
    network = Corrections(start.phases.shape[1], start.rest.shape[1], width, training.seed).to(device)
    network.standardise(start)
    if not (weights.prior or weights.phase):
        return network.requires_grad_(False), [0.0]
    edges = prior.potential.edges

    def loss_of(rows: Tensor, noise: torch.Generator) -> Tensor:
        part = Polar(start.phases[rows], start.radii[rows], start.rest[rows])
        moved = refined(part, network, bounds, basis)
        loss = part.phases.new_zeros(())
        if weights.prior:
            loss = loss + weights.prior * prior.loss(moved.phases, moved.radii.log(), noise)
        if weights.phase:
            loss = loss + weights.phase * relative_phase_loss(part, moved.phases, edges)
        return loss

    losses = train(
        network,
        loss_of,
        rows=len(start.phases),
        training=training,
        device=device,
        stage="AnisoAlign: refinement",
    )
    return network.requires_grad_(False), losses


def relative_phase_loss(start: Polar, phases: Tensor, edges: Tensor) -> Tensor:
    """Mean over rows of `sum_E w_kl (1 - cos((th^_k - th^_l) - (th_k - th_l)))`.

    `w_kl = rho_k rho_l / (sum_E rho rho + eps)` at the start, so that the sum is a weighted mean over E.
    """
    if not edges.numel():
        return phases.new_zeros(())
    moved = phases - start.phases
    products = start.radii[:, edges[0]] * start.radii[:, edges[1]]
    weights = products / (products.sum(dim=1, keepdim=True) + math.sqrt(RADIUS_EPSILON))
    return (weights * (1 - (moved[:, edges[0]] - moved[:, edges[1]]).cos())).sum(dim=1).mean()
