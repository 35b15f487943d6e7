"""Embedding the probe set: retrieval, and the loss's gradient by the embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.training.losses import info_nce
from realign_core.training.material import Probe
from realign_core.training.model import to_input
from realign_core.training.settings import Settings
from realign_core.training.snapshots import Snapshot

BLOCK = 256


def take_snapshot(
    model: Any,
    probe: Probe,
    tokens: Tensor,
    settings: Settings,
    step: int,
    rate: float,
    device: torch.device,
) -> Snapshot:
    """Embed the probe set with `tokens` as its captions; the model is left as it was."""
    image, text = embed(model, probe.images, tokens, device)
    scale = model.logit_scale.detach().exp().to(image)
    rows = min(settings.gradient_rows, settings.probe)
    loss, image_grads, text_grads = embedding_gradients(image[:rows], text[:rows], scale)
    there, back = recall_at_1(image, text)
    return Snapshot(
        step=step,
        image_embeddings=image.numpy(),
        text_embeddings=text.numpy(),
        image_grads=image_grads.numpy(),
        text_grads=text_grads.numpy(),
        loss=loss,
        recall_at_1=there,
        recall_at_1_reverse=back,
        logit_scale=float(scale),
        learning_rate=rate,
    )


@torch.no_grad()
def embed(model: Any, images: np.ndarray, tokens: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Unit rows float32 `(n, d)` of images and of captions, on the CPU."""
    model.eval()
    image, text = [], []
    for start in range(0, len(images), BLOCK):
        pixels = to_input(images[start : start + BLOCK], device)
        image.append(model.encode_image(pixels, normalize=True).cpu())
        text.append(model.encode_text(tokens[start : start + BLOCK].to(device), normalize=True).cpu())
    model.train()
    return torch.cat(image), torch.cat(text)


def embedding_gradients(image: Tensor, text: Tensor, scale: Tensor) -> tuple[float, Tensor, Tensor]:
    """InfoNCE over the given rows as one batch, and its gradients by the unit rows `(m, d)` themselves.

    They are gradients in the ambient space: the step along the row that normalising would undo is in them.
    """
    image, text = image.clone().requires_grad_(), text.clone().requires_grad_()
    loss = info_nce(image, text, scale)
    by_image, by_text = torch.autograd.grad(loss, (image, text))
    return float(loss.detach()), by_image, by_text


def recall_at_1(image: Tensor, text: Tensor) -> tuple[float, float]:
    """Shares of images whose own text is nearest, and of texts whose own image is; a tie counts as a miss."""
    similarity = image @ text.T
    own = similarity.diagonal().clone()
    similarity.fill_diagonal_(-2)
    return (
        float((own > similarity.amax(1)).double().mean()),
        float((own > similarity.amax(0)).double().mean()),
    )
