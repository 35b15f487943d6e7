"""Sums of rows after affine steps with a projection to the sphere behind each, without forming the rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from realign_core.moments import unit_rows

CANCELLED = 0.01
"""A squared length is taken from its expanded square down to this share of the sum of its terms.

Below, cancellation takes more than two digits, and the rows are formed and measured instead.
"""


@dataclass(frozen=True)
class Projections:
    """`z_j = normalize(s_j z_(j-1) + b_j)` of unit rows `z_0`: numbers `s_j` and shifts `b_j`, `(k, d)`."""

    scales: tuple[float, ...]
    shifts: Tensor

    @classmethod
    def of(cls, *steps: tuple[float, Tensor]) -> Projections:
        """The steps `(s_j, b_j)` in order."""
        return cls(tuple(scale for scale, _ in steps), torch.stack([shift for _, shift in steps]))

    def then(self, scale: float, shift: Tensor) -> Projections:
        """These and one more step."""
        return Projections((*self.scales, scale), torch.cat([self.shifts, shift[None]]))

    def sum_of(self, rows: Tensor) -> Tensor:
        """Sum `(d,)` of the last `z` over unit rows `(n, d)`, float64.

        Each z is `a y + w' B` with numbers of its own row, so that its length follows from the products of y
        with the shifts B and of these with each other. A row that comes to lie on the origin has no z, and
        the sum is NaN.
        """
        along, inner = rows @ self.shifts.mT, self.shifts @ self.shifts.mT
        sizes = inner.diagonal().sqrt()
        own, weights = torch.ones_like(along[:, 0]), torch.zeros_like(along)
        for number, scale in enumerate(self.scales):
            own, weights = own * scale, weights * scale
            weights[:, number] += 1
            squares = own.square() + (weights * (weights @ inner + 2 * own[:, None] * along)).sum(dim=1)
            terms = (own + weights @ sizes).square()
            if not bool((squares > CANCELLED * terms).all()):
                return self._formed(rows).sum(dim=0)
            inverse = squares.rsqrt()
            own, weights = own * inverse, weights * inverse[:, None]
        return rows.mT @ own + weights.sum(dim=0) @ self.shifts

    def _formed(self, rows: Tensor) -> Tensor:
        for scale, shift in zip(self.scales, self.shifts, strict=True):
            rows = unit_rows(scale * rows + shift)
        return rows
