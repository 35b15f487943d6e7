"""The rows on which methods are judged, with everything that is the same for every method."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from realign_core.diagnostics.angular import PairCosines, RowPairs
from realign_core.diagnostics.cross_moments import CrossMoments
from realign_core.diagnostics.neighbours import Neighbours, RowSet, nearest
from realign_core.moments import Moments

K = 20
"""Neighbours that omega and the mixing scores look at."""

UNIT = 1e-14
"""A length this close to 1 is 1 up to the rounding of its own computation."""


class Evaluation:
    """Target rows x and source rows y, `(n_x, d)` and `(n_y, d)` float64, unit rows unless the space is none.

    `k` is the user's neighbourhood size; `groups` `(n,)` marks pairs that share a caption or an image,
    `classes` `(n,)` numbers the class of each pair, -1 for none.
    Neighbours and cosines are by direction, so rows of a space that is not a sphere are normalised for them.
    """

    def __init__(
        self,
        target: Tensor,
        source: Tensor,
        *,
        paired: bool,
        k: int = 10,
        seed: int = 0,
        groups: Tensor | None = None,
        classes: Tensor | None = None,
    ):
        self.x, self.y = target, source
        self.paired = paired
        self.k = k
        self.seed = seed
        self.groups: Tensor | None = None
        self.classes = None if classes is None or not paired else classes.to(target.device)
        if paired:
            self.groups = (torch.arange(len(target)) if groups is None else groups).to(target.device)

    @cached_property
    def unit(self) -> np.ndarray | None:
        """Unit `(n,)` of each pair, numbered from 0; None for unpaired sets."""
        if self.groups is None:
            return None
        return np.unique(self.groups.cpu().numpy(), return_inverse=True)[1]

    @property
    def n_target(self) -> int:
        """Target rows judged on."""
        return self.x.shape[0]

    @property
    def n_source(self) -> int:
        """Source rows judged on."""
        return self.y.shape[0]

    @cached_property
    def scale(self) -> float:
        """Mean square of a target and of a source row together; 2 for unit rows."""
        squares = (float(torch.linalg.matrix_norm(rows)) ** 2 / len(rows) for rows in (self.x, self.y))
        return sum(squares)

    @cached_property
    def target_set(self) -> RowSet:
        """Target directions for products."""
        return row_set(self.x)

    @cached_property
    def source_set(self) -> RowSet:
        """Source directions for products."""
        return row_set(self.y)

    @cached_property
    def target_moments(self) -> Moments:
        """Moments of the target rows."""
        return Moments.of(self.x)

    @cached_property
    def target_pairs(self) -> RowPairs:
        """Pairs of target rows whose cosines are compared."""
        return RowPairs.of(self.n_target, self.seed)

    @cached_property
    def source_pairs(self) -> RowPairs:
        """Pairs of source rows whose cosines are compared; those of the target for sets of one length."""
        return RowPairs.of(self.n_source, self.seed)

    @cached_property
    def _target_pass(self) -> tuple[Neighbours, PairCosines]:
        return self_pass(self.target_set, self.target_pairs, K)

    @cached_property
    def _source_pass(self) -> tuple[Neighbours, PairCosines]:
        return self_pass(self.source_set, self.source_pairs, max(K, self.k), exact_at=(K, self.k))

    @property
    def target_neighbours(self) -> Neighbours:
        """Nearest target rows of each target row."""
        return self._target_pass[0]

    @property
    def source_neighbours(self) -> Neighbours:
        """Nearest source rows of each source row, before any map."""
        return self._source_pass[0]

    @property
    def target_cosines(self) -> PairCosines:
        """Cosines of `target_pairs`."""
        return self._target_pass[1]

    @property
    def source_cosines(self) -> PairCosines:
        """Cosines of `source_pairs` before any map."""
        return self._source_pass[1]

    @cached_property
    def source_within(self) -> CrossMoments:
        """Moments of the source directions with themselves, for sums over every pair."""
        return CrossMoments.of(self.source_set.exact, self.source_set.exact)


def row_set(rows: Tensor) -> RowSet:
    """Directions of the rows; a zero row keeps no direction and stays zero."""
    norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    if bool(((norms - 1).abs() <= UNIT).all()):
        # Rows on the sphere serve as they are: copies of the sets would be the largest thing in memory.
        return RowSet(rows)
    return RowSet(rows / norms.where(norms > 0, 1))


def self_pass(
    rows: RowSet, pairs: RowPairs, k: int, exact_at: Sequence[int] = ()
) -> tuple[Neighbours, PairCosines]:
    """Neighbours within a set and the cosines of its `pairs`, from one product."""
    cosines = PairCosines(pairs)
    k = min(k, len(rows) - 1)
    found = nearest(rows, rows, k, exclude_self=True, exact_at=exact_at, visit=cosines.visit)
    return found, cosines
