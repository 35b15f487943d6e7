"""The two small networks of AnisoAlign and how both are trained; nothing here knows which rows are pairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from realign_core.checkpoint import checkpoint, tell
from realign_core.validation import UnusableInput

WINDOW = 50
"""Steps over which a loss is averaged before it is compared with earlier ones: single batches are noise."""

PATIENCE = 3
"""Windows without a gain after which training stops."""

GAIN = 1e-3
"""The share by which a window's loss must fall to count as a gain."""


@dataclass(frozen=True)
class Training:
    """How a network is trained: AdamW with a rate that falls to zero along a cosine, on seeded batches.

    `steps` at most, of `batch` rows each; the paper states neither, and results hardly depend on them.
    """

    steps: int = 400
    batch: int = 512
    learning_rate: float = 1e-3
    seed: int = 0


def perceptron(inputs: int, width: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """Two hidden layers of `width` with SiLU; the last layer starts at zero, so that the output does too."""
    sizes = ((inputs, width), (width, width), (width, outputs))
    layers: list[nn.Module] = []
    for n_in, n_out in sizes:
        layer = nn.utils.skip_init(nn.Linear, n_in, n_out)
        nn.init.zeros_(layer.bias)
        if len(layers) < 4:
            nn.init.uniform_(layer.weight, -(n_in**-0.5), n_in**-0.5, generator=generator)
        else:
            nn.init.zeros_(layer.weight)
        layers += [layer, nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def train(
    network: nn.Module,
    loss_of: Callable[[Tensor, torch.Generator], Tensor],
    *,
    rows: int,
    training: Training,
    device: torch.device,
    stage: str,
) -> list[float]:
    """Minimise `loss_of(rows of a batch, generator of its noise)`; the mean loss of each window.

    Stops early where windows bring no gain, and at any step where the caller's `checkpoint` says so.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.steps)
    order = torch.Generator().manual_seed(training.seed)
    noise = torch.Generator(device=device).manual_seed(training.seed + 1)
    losses: list[float] = []
    recent: list[Tensor] = []
    waiting = torch.empty(0, dtype=torch.long)
    for step in range(training.steps):
        checkpoint()
        if step % WINDOW == 0:
            tell(f"{stage}, step {step} of {training.steps}")
        if len(waiting) < min(training.batch, rows):
            waiting = torch.randperm(rows, generator=order)
        chosen, waiting = waiting[: training.batch], waiting[training.batch :]
        loss = loss_of(chosen.to(device), noise)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        recent.append(loss.detach())
        if len(recent) == WINDOW or step == training.steps - 1:
            losses.append(float(torch.stack(recent).mean()))
            if not math.isfinite(losses[-1]):
                raise UnusableInput(
                    f"anisoalign: training ran away at step {step + 1}; lower learning_rate or radius_bound"
                )
            recent = []
            if len(losses) > PATIENCE and min(losses[-PATIENCE:]) > (1 - GAIN) * min(losses[:-PATIENCE]):
                break
    return losses


def standardisation(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread of each column of `(n, k)`; a column that does not vary has spread 1."""
    spread = values.std(dim=0, correction=0)
    return values.mean(dim=0), torch.where(spread > 1e-6 * spread.max(), spread, 1.0)


def wrapped_score(offset: Tensor, variance: Tensor) -> Tensor:
    """Score of the wrapped Gaussian at `offset` radians from its centre, elementwise over `(n, m)`.

    `d/dx log sum_j exp(-(x + 2 pi j)^2 / (2 v))`, `variance` v of shape `(n, 1)`.
    """
    # Beyond, a turn weighs less than 1e-12 of the nearest, wherever between -pi and pi the offset lies.
    reach = max(1, math.ceil((math.sqrt(1 + 5.6 * float(variance.max())) - 1) / 2))
    turns = 2 * math.pi * torch.arange(-reach, reach + 1, device=offset.device, dtype=offset.dtype)
    places = offset[..., None] + turns
    weights = torch.softmax(-places.square() / (2 * variance[..., None]), dim=-1)
    return -(weights * places).sum(dim=-1) / variance
