"""The thin shell of the methods whose map is an `AffineMap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from realign_core.alignment.affine_map import AffineMap
from realign_core.alignment.base import Aligner
from realign_core.alignment.rows import Mapper, row_blocks
from realign_core.load.passes import Arrays, State, total
from realign_core.validation import UnusableInput


@dataclass(frozen=True)
class Projected:
    """Sum `(d,)` of `n` rows after the map and the projection."""

    n: int
    sum: Tensor

    def merge(self, other: Projected) -> Projected:
        """Of both sets of rows together."""
        return Projected(self.n + other.n, self.sum + other.sum)

    def arrays(self) -> Arrays:
        """Count and sum by name."""
        return {"n": np.array(self.n), "sum": self.sum.numpy()}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Projected:
        """Undoes `arrays`."""
        return cls(int(arrays["n"]), torch.from_numpy(arrays["sum"]))


class AffineAligner(Aligner):
    """A method whose map is an `AffineMap`; `centroid_stage` asks for ReAlign's last step.

    Learns `scale_` or `matrix_`, `bias_`, and with the stage `centroid_`, the mean after projection.
    """

    centroid_stage: ClassVar[bool] = False
    pass_form: ClassVar[type[State]] = Projected

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
        self._sum = torch.zeros_like(bias)

    def _aim(self) -> Tensor:
        """Where ReAlign's last step puts the mean."""
        return self.mean_target_

    def _wants_pass(self) -> bool:
        return self.centroid_stage and not hasattr(self, "centroid_")

    def _read_again(self, source: Any) -> None:
        row_blocks(source, "source")
        found = total(f"centroid of {self.name}", (source,), self._pass_part, self.pass_form)
        n = 0 if found is None else int(found.arrays()["n"])
        if n != self.n_source_:
            raise UnusableInput(
                f"{self.name} was fitted on {self.n_source_} source rows and this pass brings {n}; "
                "give each pass the same rows"
            )
        self._take_pass(found)
        self._end_pass()

    def _add_to_pass(self, block: Tensor, first_row: int) -> None:
        self._sum += self._affine().projected_sum(block, first_row)

    def _pass_part(self, first_row: int, rows: Any) -> State:
        """What a block adds to a pass, in the form of `pass_form`."""
        block = self._block(rows, "source", self.n_features_in_)
        return Projected(len(block), self._affine().projected_sum(block, first_row))

    def _take_pass(self, found: Any) -> None:
        self._sum = found.sum

    def _end_pass(self) -> None:
        self.centroid_ = self._sum / self.n_source_

    def _affine(self) -> AffineMap:
        return AffineMap(self._linear(), self.bias_, normalize=self.normalize)

    def _linear(self) -> float | Tensor:
        return self.matrix_ if hasattr(self, "matrix_") else self.scale_

    def _mapper(self) -> Mapper:
        staged = self.centroid_stage and self.normalize
        shift = self._aim() - self.centroid_ if staged else None
        return AffineMap(self._linear(), self.bias_, shift, self.normalize)
