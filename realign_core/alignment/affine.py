"""The thin shell of the methods whose map is an `AffineMap`."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from realign_core.alignment.affine_map import AffineMap
from realign_core.alignment.base import Aligner
from realign_core.alignment.rows import Mapper
from realign_core.alignment.statistics import PassState, Projected


class AffineAligner(Aligner):
    """A method whose map is an `AffineMap`; `centroid_stage` asks for ReAlign's last step.

    Learns `scale_` or `matrix_`, `bias_`, and with the stage `centroid_`, the mean after projection.
    """

    centroid_stage: ClassVar[bool] = False

    def _set_map(self, linear: float | Tensor, bias: Tensor) -> None:
        if isinstance(linear, Tensor):
            self.matrix_ = linear
        else:
            self.scale_ = float(linear)
        self.bias_ = bias
        if self.centroid_stage and not self.normalize:
            # Off the sphere the map is affine, so its mean is known and can be made exact at once.
            moved = linear @ self.mean_source_ if isinstance(linear, Tensor) else linear * self.mean_source_
            self.bias_ = self._aim() - moved
            self.centroid_ = self._aim().clone()

    def _aim(self) -> Tensor:
        """Where ReAlign's last step puts the mean."""
        return self.mean_target_

    def _wants_pass(self) -> bool:
        return self.centroid_stage and not hasattr(self, "centroid_")

    def _pass_part(self, first_row: int, block: Tensor) -> PassState:
        return Projected(len(block), self._affine().projected_sum(block, first_row))

    def _end_pass(self, found: Any) -> None:
        self.centroid_ = found.sum / found.n

    def _affine(self) -> AffineMap:
        return AffineMap(self._linear(), self.bias_, normalize=self.normalize)

    def _linear(self) -> float | Tensor:
        return self.matrix_ if hasattr(self, "matrix_") else self.scale_

    def _mapper(self) -> Mapper:
        staged = self.centroid_stage and self.normalize
        shift = self._aim() - self.centroid_ if staged else None
        return AffineMap(self._linear(), self.bias_, shift, self.normalize)
