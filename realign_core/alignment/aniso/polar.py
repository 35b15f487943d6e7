"""Coordinates in U as two-dimensional blocks with a radius and a phase ([A, sec. 4.1])."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from realign_core.frame import FixedFrame
from realign_core.linalg import numerical_rank
from realign_core.validation import UnusableInput, check_choice

RADIUS_EPSILON = 1e-30
"""Added to squared radii, so that a block at the origin has a logarithm; far below any that counts."""

MIXINGS = ("random", "none")


def mixed_basis(frame: FixedFrame, *, mixing: str, seed: int) -> Tensor:
    """`Q_U R`, `(d, r)` float64 with r even: the leading eigenvectors, mixed by an orthogonal R `(r, r)`.

    R is drawn uniformly (`random`) or is the identity (`none`: blocks of neighbouring eigenvectors). The
    paper leaves R open; a random one is what keeps most neighbours on real sets. Raises `UnusableInput`
    where fewer than two directions vary.
    """
    check_choice("mixing", mixing, MIXINGS)
    rank = even_rank(frame)
    basis = frame.basis[:, :rank]
    if mixing == "none":
        return basis.contiguous()
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(basis.shape, dtype=torch.float64, generator=generator)
    # The orthogonal factor of a Gaussian matrix is uniform. Drawn in R^d and projected, it gives a basis that
    # follows from U alone, whatever eigenvectors an eigenvalue of several dimensions came with.
    left, _, right = torch.linalg.svd(basis.mT @ normal)
    return basis @ (left @ right)


def even_rank(frame: FixedFrame) -> int:
    """The frame's rank rounded up to an even number, or down where no further direction varies."""
    rank = frame.rank + frame.rank % 2
    limit = numerical_rank(frame.eigenvalues)
    rank = min(rank, limit - limit % 2)
    if rank < 2:
        raise UnusableInput(
            "anisoalign needs at least two directions in which the rows vary; use realign or rotation here"
        )
    return rank


@dataclass(frozen=True)
class Polar:
    """Rows around a centre: phases and radii `(n, m)` of the m blocks in U, and the rest `(n, d)` in V."""

    phases: Tensor
    radii: Tensor
    rest: Tensor

    @classmethod
    def of(cls, rows: Tensor, basis: Tensor) -> Polar:
        """Polar blocks of `(n, d)` rows that are centred already, in the basis `(d, 2m)`."""
        inside = rows @ basis
        first, second = inside.unflatten(1, (-1, 2)).unbind(2)
        radii = (first.square() + second.square() + RADIUS_EPSILON).sqrt()
        return cls(torch.atan2(second, first), radii, rows - inside @ basis.mT)

    def rows(self, basis: Tensor) -> Tensor:
        """`Q_U c + v`, `(n, d)`, the inverse of `of`."""
        return coordinates(self.radii, self.phases) @ basis.mT + self.rest


def coordinates(radii: Tensor, phases: Tensor) -> Tensor:
    """`c(rho, theta)`, `(n, 2m)`: the blocks side by side."""
    return torch.stack([radii * phases.cos(), radii * phases.sin()], dim=2).flatten(1)


def wrap(angles: Tensor) -> Tensor:
    """Angles in radians folded into [-pi, pi)."""
    return torch.remainder(angles + math.pi, 2 * math.pi) - math.pi


def in_rest(rows: Tensor, basis: Tensor) -> Tensor:
    """`P_V rows`, `(n, d)`: without the part in U."""
    return rows - (rows @ basis) @ basis.mT


def correction_bound(radius_bound: float, phase_bound: float) -> float:
    """kappa with `||c(rho^, th^) - c(rho, th)|| <= kappa ||c(rho, th)||` [A, app. A.7].

    For bounded corrections `|log rho^ / rho| <= radius_bound` and `|th^ - th| <= phase_bound <= pi`.
    """
    growth = math.exp(radius_bound)
    return math.sqrt((growth - 1) ** 2 + 4 * growth * math.sin(phase_bound / 2) ** 2)
