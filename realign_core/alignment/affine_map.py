"""The map that most methods share: affine, projected to the sphere, moved, projected again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from realign_core.alignment.statistics import (
    pieces,
    summing_type,
    unit_pieces,
    weighted_sum,
    widened,
    within_range,
    working_type,
)

CANCELLED = 0.24
"""A squared length is taken from its expanded square down to this share of the sum of its terms.

Below, cancellation takes digits, and each row is formed and measured instead, in float64.
"""

SKIPPED = 8192
"""Rows of noise that are drawn at a time to pass over them."""


@dataclass
class AffineMap:
    """`z = normalize(L u + b + noise)`, then `normalize(z + shift)` where there is a shift.

    `u` is the unit row, `linear` a number or a `(d, d)` matrix, `bias` and `shift` `(d,)`, float64.
    Without `normalize` rows are used as they are and nothing is projected. `noise(n)` gives the next
    `(n, d)` float32 rows of noise.
    """

    linear: float | Tensor
    bias: Tensor
    shift: Tensor | None = None
    normalize: bool = True
    noise: Callable[[int], Tensor] | None = None
    row: int = field(default=0, init=False)
    _cast: dict = field(default_factory=dict, init=False, repr=False)

    def __call__(self, block: Tensor, out: Tensor) -> None:
        """Write the mapped rows of `block` to `out`, both `(n, d)`; rows are counted over calls."""
        dtype = working_type(block)
        for start, piece in pieces(block.detach(), dtype):
            place = out[start : start + len(piece)]
            free = place if place.dtype == dtype else None
            rows, lengths = piece.to(dtype), None
            if self.normalize:
                rows, lengths = within_range(rows, self.row, "source")
            if lengths is None or isinstance(self.linear, Tensor) or self.noise is not None:
                moved = self._map(rows, lengths, free)
            else:
                moved = self._combined(rows, lengths, free)
            if moved is not place:
                place.copy_(moved)
            self.row += len(piece)

    def skip(self, rows: int) -> None:
        """Pass over the next rows, as if they had been mapped."""
        self.row += rows
        for first in range(0, rows if self.noise is not None else 0, SKIPPED):
            assert self.noise is not None, "there is noise to pass over"
            self.noise(min(SKIPPED, rows - first))

    def _combined(self, rows: Tensor, lengths: Tensor, place: Tensor | None) -> Tensor:
        """Mapped rows under a number as linear part, each written once as a sum of y, b and the shift.

        The lengths in between follow from the products of y with b and with the shift, as
        `||s u + b||^2 = s^2 + 2 s u.b + ||b||^2`, unless such a square loses digits to cancellation.
        """
        assert not isinstance(self.linear, Tensor), "a matrix does not keep the rows' lengths"
        _, bias, shift = self._parameters(rows.device, rows.dtype)
        axes = bias[None] if shift is None else torch.stack([bias, shift])
        scale = self.linear / widened(lengths)
        along = widened(torch.nn.functional.linear(rows, axes)) * scale[:, None]
        inverse = self._inverse_lengths(along[:, 0])
        if inverse is None:
            return self._formed(rows)
        weights = inverse[:, None]
        if self.shift is not None:
            square, offset = float(self.shift @ self.shift), float(self.bias @ self.shift)
            second = inverse_roots((along[:, 1] + offset) * inverse, 1 + square)
            if second is None:
                return self._formed(rows)
            weights = torch.stack([inverse * second, second], dim=1)
        moved = torch.mm(weights.to(rows.dtype), axes, out=place)
        return moved.addcmul_(rows, (scale * weights[:, 0]).to(rows.dtype)[:, None])

    def _inverse_lengths(self, along: Tensor) -> Tensor | None:
        """`1 / ||s u + b||` from `along = s u.b`."""
        assert not isinstance(self.linear, Tensor), "a matrix does not keep the rows' lengths"
        return inverse_roots(along, self.linear**2 + float(self.bias @ self.bias))

    def _formed(self, rows: Tensor) -> Tensor:
        """Mapped rows in float64: a large scale and bias that almost cancel need its digits."""
        wide = widened(rows)
        return self._map(wide, torch.linalg.vector_norm(wide, dim=1))

    def _map(self, rows: Tensor, lengths: Tensor | None, place: Tensor | None = None) -> Tensor:
        """Mapped rows of the given lengths, written once to `place` and worked on there."""
        linear, bias, shift = self._parameters(rows.device, rows.dtype)
        scale = torch.ones_like(rows[:, :1]) if lengths is None else 1 / lengths[:, None]
        if isinstance(linear, Tensor):
            moved = torch.mm(rows, linear, out=place)
            torch.addcmul(bias, moved, scale, out=moved)
        else:
            moved = torch.addcmul(bias, rows, scale * linear, out=place)
        if self.noise is not None:
            moved += self.noise(len(rows)).to(device=rows.device, dtype=rows.dtype)
        if self.normalize:
            scale = 1 / torch.linalg.vector_norm(moved, dim=1, keepdim=True)
            if shift is not None:
                torch.addcmul(shift, moved, scale, out=moved)
                scale = 1 / torch.linalg.vector_norm(moved, dim=1, keepdim=True)
            moved *= scale
        return moved

    def _parameters(
        self, device: torch.device, dtype: torch.dtype
    ) -> tuple[float | Tensor, Tensor, Tensor | None]:
        """The transposed linear part, the bias and the shift where the rows lie."""
        if (device, dtype) not in self._cast:
            linear = self.linear.mT.contiguous() if isinstance(self.linear, Tensor) else self.linear
            # The type changes first: MPS has no float64 to receive.
            self._cast[device, dtype] = tuple(
                value.to(dtype).to(device) if isinstance(value, Tensor) else value
                for value in (linear, self.bias, self.shift)
            )
        return self._cast[device, dtype]

    def projected_sum(self, block: Tensor, first_row: int) -> Tensor:
        """Sum over the block of `normalize(L u + b)`, `(d,)` float64 on the CPU."""
        if isinstance(self.linear, Tensor):
            units = unit_pieces(block, normalize=self.normalize, first_row=first_row)
            return sum((self._map(piece, None).sum(dim=0) for piece in units), torch.zeros(())).cpu()
        total = torch.zeros_like(self.bias)
        dtype = summing_type(block)
        for start, piece in pieces(block.detach(), dtype):
            total += self._scaled_sum(*within_range(piece.to(dtype), first_row + start, "source"))
        return total

    def _scaled_sum(self, rows: Tensor, lengths: Tensor) -> Tensor:
        """`sum normalize(s u + b)` without forming a row."""
        scale, bias, _ = self._parameters(rows.device, rows.dtype)
        inverse = scale / widened(lengths)
        weights = self._inverse_lengths(widened(rows @ bias) * inverse)
        if weights is None:
            return self._formed(rows).sum(dim=0).cpu().double()
        moved = weighted_sum(rows, (inverse * weights).to(rows.dtype)).cpu().double()
        return moved + self.bias * float(weights.sum())


def inverse_roots(half: Tensor, rest: float) -> Tensor | None:
    """`1 / sqrt(2 half + rest)`; None where a root loses digits."""
    squares = 2 * half + rest
    return squares.rsqrt() if float(squares.min()) > CANCELLED * rest else None
