"""The map that most methods share: affine, projected to the sphere, moved, projected again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from realign_core.alignment.statistics import float64_pieces, pieces, row_lengths


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
        exact = block.dtype == torch.float64
        dtype = torch.float64 if exact else torch.float32
        for start, piece in pieces(block):
            rows = piece.to(dtype)
            lengths = row_lengths(rows, self.row, "source") if self.normalize else None
            out[start : start + len(rows)].copy_(self._map(rows, lengths))
            self.row += len(rows)

    def _map(self, rows: Tensor, lengths: Tensor | None) -> Tensor:
        linear, bias, shift = self._parameters(rows)
        moved = rows * linear if isinstance(linear, float) else rows @ linear
        if lengths is not None:
            moved /= lengths[:, None]
        moved += bias
        if self.noise is not None:
            moved += self.noise(len(rows)).to(device=rows.device, dtype=rows.dtype)
        if self.normalize:
            moved /= torch.linalg.vector_norm(moved, dim=1, keepdim=True)
            if shift is not None:
                moved += shift
                moved /= torch.linalg.vector_norm(moved, dim=1, keepdim=True)
        return moved

    def _parameters(self, rows: Tensor) -> tuple[float | Tensor, Tensor, Tensor | None]:
        key = (rows.device, rows.dtype)
        if key not in self._cast:

            def cast(value):
                return value.to(rows.dtype).to(rows.device) if isinstance(value, Tensor) else value

            linear = self.linear.mT.contiguous() if isinstance(self.linear, Tensor) else float(self.linear)
            self._cast[key] = (cast(linear), cast(self.bias), cast(self.shift))
        return self._cast[key]

    def projected_sum(self, block: Tensor, first_row: int) -> Tensor:
        """Sum over the block of `normalize(L u + b)`, `(d,)` float64 on the CPU."""
        total = torch.zeros_like(self.bias)
        for rows in float64_pieces(block, normalize=self.normalize, first_row=first_row):
            total += self._map(rows, None).sum(dim=0).cpu()
        return total
