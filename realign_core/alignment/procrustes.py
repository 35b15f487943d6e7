"""The best rotation between paired rows (Schonemann 1966)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import torch
from torch import Tensor

from realign_core.alignment.affine_map import AffineMap
from realign_core.alignment.base import Aligner
from realign_core.alignment.rows import Mapper, row_blocks
from realign_core.alignment.statistics import MeanTrace, unit_pieces
from realign_core.linalg import numerical_rank
from realign_core.moments import Moments, as_tensor
from realign_core.validation import UnusableInput


class Procrustes(Aligner):
    """`normalize(y W)`, `W = argmin ||X - Y W||_F` with `W'W = I`: a paired reference, uncentred.

    Row i of the source belongs to row i of the target; `partial_fit` takes both blocks together.
    Learns `rotation_` W, `(d, d)`.
    """

    name = "procrustes"
    uses_pairs = True
    fits_mean = False

    _cross: Tensor | None = None

    def partial_fit(self, *, source: Any = None, target: Any = None) -> Self:
        """Add a block of pairs to the statistics."""
        counts = [0 if rows is None else len(rows) for rows in (source, target)]
        if counts[0] != counts[1]:
            raise UnusableInput(
                f"procrustes needs pairs, and these are {counts[0]} source rows and {counts[1]} target rows; "
                "give the same rows of both"
            )
        first_row = 0 if self._source is None else self._source.n
        super().partial_fit(source=source, target=target)
        for y, x in zip(
            *(self._unit(rows, first_row, label) for rows, label in ((source, "source"), (target, "target"))),
            strict=True,
        ):
            cross = (y.mT @ x.to(y.device)).cpu()
            self._cross = cross if self._cross is None else self._cross + cross
        return self

    def _unit(self, rows: Any, first_row: int, label: str) -> Iterator[Tensor]:
        return unit_pieces(as_tensor(rows), normalize=self.normalize, first_row=first_row, name=label)

    def _read(self, source: Any, target: Any) -> None:
        for y, x in paired_blocks(source, target):
            self.partial_fit(source=y, target=x)

    def _reset(self) -> None:
        super()._reset()
        self._cross = None

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        assert self._cross is not None, "pairs came through partial_fit"
        self.rotation_ = orthogonal_map(self._cross)

    def _mapper(self) -> Mapper:
        return AffineMap(self.rotation_.mT, torch.zeros_like(self.mean_source_), normalize=self.normalize)


def orthogonal_map(cross: Tensor) -> Tensor:
    """The orthogonal W, `(d, d)`, that maximises `tr(W' Y'X)`: `U V'` of the singular vectors of `Y'X`.

    Below full rank (fewer pairs than dimensions, say) the pairs leave W open from the null directions of
    the source onto those of the target. There it is the choice that turns least, the largest `tr W`:
    without it the map would hang on the order and signs in which a solver returns null vectors.
    """
    left, values, right = torch.linalg.svd(cross)
    rank = numerical_rank(values)
    if rank < len(values):
        free = torch.linalg.svd(left[:, rank:].mT @ right[rank:].mT)
        left = torch.cat([left[:, :rank], left[:, rank:] @ free[0] @ free[2]], dim=1)
    return left @ right


def paired_blocks(source: Any, target: Any) -> Iterator[tuple[Any, Any]]:
    """Blocks of both sets cut at the same rows; what one set has beyond the other comes alone, last."""
    left, right = row_blocks(source, "source"), row_blocks(target, "target")
    y, x = next(left, None), next(right, None)
    while y is not None and x is not None:
        n = min(len(y), len(x))
        yield y[:n], x[:n]
        y = y[n:] if len(y) > n else next(left, None)
        x = x[n:] if len(x) > n else next(right, None)
    if y is not None or x is not None:
        yield y, x
