"""The fitted map of AnisoAlign, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from realign_core.alignment.aniso.polar import Polar
from realign_core.alignment.aniso.refinement import Bounds, Corrections, refined
from realign_core.alignment.aniso.start import Start
from realign_core.alignment.statistics import exact_pieces, pieces, within_range, working_type


@dataclass
class AnisoMap:
    """`e' = normalize(origin + Q_U c(rho^, th^) + v^)`, then `normalize(e' + shift)` where there is a shift.

    `centre` `(d,)` is taken from unit source rows before their blocks are formed; `corrections` None stops
    at the start. Without `normalize` rows are used as they are and nothing is projected.
    """

    start: Start
    centre: Tensor
    origin: Tensor
    corrections: Corrections | None
    bounds: Bounds
    shift: Tensor | None = None
    normalize: bool = True
    row: int = field(default=0, init=False)
    _cast: dict = field(default_factory=dict, init=False, repr=False)

    def __call__(self, block: Tensor, out: Tensor) -> None:
        """Write the mapped rows of `block` to `out`, both `(n, d)`; rows are counted over calls."""
        dtype = working_type(block)
        for start, piece in pieces(block.detach(), dtype):
            out[start : start + len(piece)] = self._finished(self._moved(piece.to(dtype)))
            self.row += len(piece)

    def skip(self, rows: int) -> None:
        """Pass over the next rows, as if they had been mapped."""
        self.row += rows

    def projected_sum(self, block: Tensor) -> Tensor:
        """Sum over the block of e', `(d,)` float64 on the CPU."""
        total = torch.zeros_like(self.origin)
        for _, piece in exact_pieces(block):
            total += self._moved(piece).sum(dim=0).cpu()
            self.row += len(piece)
        return total

    def refined(self, rows: Tensor) -> tuple[Polar, Polar]:
        """Polar blocks of unit rows `(n, d)` at the start and after the corrections."""
        part = self._on(rows)
        begun = part.start(Polar.of(rows - part.centre, part.start.basis))
        if part.corrections is None:
            return begun, begun
        return begun, refined(begun, part.corrections, self.bounds, part.start.basis)

    def _moved(self, rows: Tensor) -> Tensor:
        if self.normalize:
            rows, lengths = within_range(rows, self.row, "source")
            rows = rows / lengths[:, None]
        part = self._on(rows)
        moved = part.origin + self.refined(rows)[1].rows(part.start.basis)
        return _unit(moved) if self.normalize else moved

    def _finished(self, moved: Tensor) -> Tensor:
        shift = self._on(moved).shift
        if shift is None:
            return moved
        return _unit(moved + shift) if self.normalize else moved + shift

    def _on(self, rows: Tensor) -> AnisoMap:
        """The same map where the rows lie, in their type."""
        device, dtype = rows.device, rows.dtype
        if (device, dtype) not in self._cast:
            # The type changes first: MPS has no float64 to receive.
            shift = None if self.shift is None else self.shift.to(dtype).to(device)
            self._cast[device, dtype] = replace(
                self,
                start=self.start.to(device, dtype),
                centre=self.centre.to(dtype).to(device),
                origin=self.origin.to(dtype).to(device),
                corrections=self.corrections and self.corrections.copy_to(device, dtype),
                shift=shift,
            )
        return self._cast[device, dtype]


def _unit(rows: Tensor) -> Tensor:
    return rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True)
