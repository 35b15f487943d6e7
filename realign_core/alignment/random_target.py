"""The negative control: the target's distribution without the source's meaning ([A, sec. 3.3])."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from realign_core.alignment.base import Aligner
from realign_core.alignment.rows import Mapper, map_rows
from realign_core.alignment.statistics import MeanTrace, pieces, within_range, working_type
from realign_core.moments import Moments
from realign_core.validation import UnusableInput, check_count


class RandomTarget(Aligner):
    """A random target row for each source row, whatever the source row is.

    `transform` draws from the fitted target rows with replacement, row i from `seed` and i alone.
    `transform_in_sample` takes the fitted source rows and gives, where both sets have as many rows, a
    derangement: each target row once, none its own. Learns `target_rows_` `(n_x, d)` in the type given,
    so it holds the target in memory.
    """

    name = "random_target"
    copies_target = True
    keeps_rows = True
    row_arrays = frozenset({"target_rows_"})

    _kept: tuple[Tensor, ...] = ()

    def __init__(self, *, seed: int = 0, normalize: bool = True):
        super().__init__(normalize=normalize)
        self.seed = seed

    def partial_fit(self, *, source: Any = None, target: Any = None) -> Self:
        """Add blocks; the target's rows are kept."""
        super().partial_fit(source=source, target=target)
        if target is not None:
            # A copy: the caller may reuse the memory of its block.
            self._kept = (*self._kept, self._block(target, "target", None).cpu().clone())
        return self

    def transform_in_sample(self, rows: Any) -> Any:
        """Other target rows for the fitted source rows: a seeded derangement where the counts are equal."""
        self._ready_mapper()
        if self.n_source_ != self.n_target_:
            return self.transform(rows)
        following = derangement(self.n_target_, self.seed)
        taken = 0

        def draw(n: int) -> np.ndarray:
            nonlocal taken
            taken += n
            if taken > self.n_source_:
                raise UnusableInput(
                    f"random_target was fitted on {self.n_source_} source rows and these are more; "
                    "give the fitted rows, or use transform"
                )
            return following[taken - n : taken]

        writer = self._writer(draw)
        return map_rows(rows, writer, self.name, self.n_features_in_)

    def _reset(self) -> None:
        super()._reset()
        self._kept = ()

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        check_count("seed", self.seed, least=0)
        self.target_rows_ = torch.cat(self._kept)
        self._kept = (self.target_rows_,)

    def _mapper(self) -> Mapper:
        generator = np.random.default_rng(self.seed)
        return self._writer(lambda n: generator.integers(0, self.n_target_, n))

    def _pass_over(self, mapper: Any, rows: int) -> None:
        mapper(torch.empty(rows, 0), torch.empty(rows, 0))

    def _writer(self, draw: Callable[[int], np.ndarray]) -> Mapper:
        def write(block: Tensor, out: Tensor) -> None:
            for start, piece in pieces(out, working_type(out)):
                chosen = torch.from_numpy(draw(len(piece)))
                if not out.shape[1]:
                    continue
                rows = self.target_rows_[chosen]
                rows = rows.to(working_type(out))
                if self.normalize:
                    rows, lengths = within_range(rows, start, "target")
                    rows = rows / lengths[:, None]
                piece.copy_(rows)

        return write


def derangement(n: int, seed: int) -> np.ndarray:
    """A seeded permutation of n >= 2 without a fixed point: a random cycle through all of them."""
    cycle = np.random.default_rng(seed).permutation(n)
    following = np.empty(n, np.int64)
    following[cycle] = np.roll(cycle, -1)
    return following
