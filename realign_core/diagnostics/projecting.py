"""Sums of rows after affine steps with a projection to the sphere behind each, without forming the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

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

    @cached_property
    def _inner(self) -> Tensor:
        """Products of the shifts with each other, `(k, k)`."""
        return self.shifts @ self.shifts.mT

    def parts(self, along: Tensor) -> tuple[Tensor, Tensor] | None:
        """`a` `(n,)` and `w` `(n, k)` of `z = a y + w' B`, from the products `(n, k)` of y with the shifts B.

        None where a length cancels.
        """
        sizes = self._inner.diagonal().sqrt()
        own, weights = torch.ones_like(along[:, 0]), torch.zeros_like(along)
        for number, scale in enumerate(self.scales):
            own, weights = own * scale, weights * scale
            weights[:, number] += 1
            crossed = weights @ self._inner + 2 * own[:, None] * along
            squares = own.square() + (weights * crossed).sum(dim=1)
            terms = (own + weights @ sizes).square()
            if not bool((squares > CANCELLED * terms).all()):
                return None
            inverse = squares.rsqrt()
            own, weights = own * inverse, weights * inverse[:, None]
        return own, weights

    def formed(self, rows: Tensor) -> Tensor:
        """The last `z` of each row `(n, d)`."""
        for scale, shift in zip(self.scales, self.shifts, strict=True):
            rows = unit_rows(scale * rows + shift)
        return rows


def sums_of(rows: Tensor, maps: Mapping[str, Projections]) -> dict[str, Tensor]:
    """Sum `(d,)` of the last `z` of each map over unit rows `(n, d)`, float64.

    Each z is `a y + w' B` with numbers of its own row, so that its length follows from the products of y
    with the shifts B and of these with each other; all maps share one product. A row that comes to lie on
    the origin has no z, and the sum is NaN.
    """
    if not maps:
        return {}
    along = rows @ torch.cat([each.shifts for each in maps.values()]).mT
    split = along.split([len(each.shifts) for each in maps.values()], dim=1)
    parts = {name: each.parts(own) for (name, each), own in zip(maps.items(), split, strict=True)}
    found = {name: maps[name].formed(rows).sum(dim=0) for name, part in parts.items() if part is None}
    whole = {name: part for name, part in parts.items() if part is not None}
    if whole:
        sums = torch.stack([own for own, _ in whole.values()]) @ rows
        for (name, (_, weights)), own in zip(whole.items(), sums, strict=True):
            found[name] = own + weights.sum(dim=0) @ maps[name].shifts
    return found
