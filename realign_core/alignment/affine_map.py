"""The map that most methods share: affine, projected to the sphere, moved, projected again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from realign_core.alignment.statistics import (
    PIECE_ELEMENTS,
    PRODUCT_ELEMENTS,
    float64_pieces,
    pieces,
    row_lengths,
    unit_pieces,
    within_range,
)

CANCELLED = 1e-6
"""A squared length at or below this, from its expanded square, has lost too many digits to cancellation."""


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
        dtype = torch.float64 if block.dtype == torch.float64 else torch.float32
        elements = PRODUCT_ELEMENTS if isinstance(self.linear, Tensor) else PIECE_ELEMENTS
        for start, piece in pieces(block.detach(), elements):
            place = out[start : start + len(piece)]
            rows, lengths = piece.to(dtype), None
            if self.normalize:
                rows, lengths = within_range(rows, self.row, "source")
            moved = self._map(rows, lengths, place if place.dtype == dtype else None)
            if moved is not place:
                place.copy_(moved)
            self.row += len(piece)

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
            pieces = unit_pieces(block, normalize=self.normalize, first_row=first_row)
            return sum((self._map(piece, None).sum(dim=0) for piece in pieces), torch.zeros(())).cpu()
        total = torch.zeros_like(self.bias)
        for start, rows in float64_pieces(block):
            total += self._scaled_sum(rows, 1 / row_lengths(rows, first_row + start, "source")).cpu()
        return total

    def _scaled_sum(self, rows: Tensor, inverse: Tensor) -> Tensor:
        """`sum normalize(s u + b)` without forming a row: `||s u + b||^2 = s^2 + 2 s u.b + ||b||^2`."""
        scale, bias, _ = self._parameters(rows.device, rows.dtype)
        squares = scale**2 + float(bias @ bias) + 2 * scale * inverse * (rows @ bias)
        if float(squares.min()) <= CANCELLED:
            return self._map(rows, 1 / inverse).sum(dim=0)
        weights = squares.rsqrt()
        return rows.mT @ (scale * inverse * weights) + bias * weights.sum()
