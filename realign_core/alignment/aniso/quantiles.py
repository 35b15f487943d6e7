"""Per-block maps of radii from source quantiles to target quantiles ([A, sec. 4.3])."""

from __future__ import annotations

import torch
from torch import Tensor

ROWS_PER_LEVEL = 8
"""A knot of a quantile map for so many rows at most, so that it follows the spread of radii and not the gaps
between single rows."""


def level_count(levels: int, rows: int) -> int:
    """How many of the knots asked for that many rows carry."""
    return max(2, min(levels, rows // ROWS_PER_LEVEL))


def knots(radii: Tensor, levels: int) -> Tensor:
    """Quantiles `(m, levels)` of each block's radii `(n, m)`, from the smallest to the largest."""
    ordered = radii.sort(dim=0).values
    position = torch.linspace(0, len(radii) - 1, levels, dtype=torch.float64, device=radii.device)
    below = position.floor().long().clamp(max=max(0, len(radii) - 2))
    share = (position - below).to(radii.dtype)[:, None]
    above = (below + 1).clamp(max=len(radii) - 1)
    return torch.lerp(ordered[below], ordered[above], share).mT.contiguous()


def map_radii(radii: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Radii `(n, m)` mapped piecewise linearly from source knots to target knots, both `(m, levels)`.

    Beyond the fitted radii the ratio at the end goes on, so that a radius of 0 stays 0 and order is kept.
    """
    values = radii.mT.contiguous()
    last = source.shape[1] - 1
    first, after = (torch.searchsorted(source, values, right=right) for right in (False, True))
    index = (after - 1).clamp_(0, max(0, last - 1))
    low, high = source.gather(1, index), source.gather(1, (index + 1).clamp(max=last))
    low_to, high_to = target.gather(1, index), target.gather(1, (index + 1).clamp(max=last))
    width = high - low
    share = torch.where(width > 0, (values - low) / width.where(width > 0, 1), 0.5)
    mapped = torch.lerp(low_to, high_to, share.clamp(0, 1))
    # Where many rows share a radius the knots coincide, and the middle of their images stands for them.
    images = (target.gather(1, place.clamp(0, last)) for place in (first, after - 1))
    mapped = torch.where(after - first > 1, sum(images) / 2, mapped)
    for end, beyond in ((0, values < source[:, :1]), (last, values > source[:, -1:])):
        knot = source[:, end : end + 1]
        ratio = target[:, end : end + 1] / knot.where(knot > 0, 1)
        mapped = torch.where(beyond, values * ratio, mapped)
    return mapped.mT
