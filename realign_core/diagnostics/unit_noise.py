"""Noise of a mean whose rows come in units: the captions of one image are drawn together or not at all.

For independent units u of rows with deviations e_i from the mean,

    Cov(mean) = sum_u (sum_{i in u} e_i)(sum_{i in u} e_i)' / n^2,

which is `S / n` where each row is its own unit. With units of several rows, which err together, `S / n` is
too small.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import gram
from realign_core.moments import Moments


class UnitScatter:
    """`sum_u (sum_{i in u} e_i)(...)'` `(d, d)` from blocks in row order.

    `unit` `(n,)` numbers the unit of each row from 0 on. Only units that more rows are awaited of are held.
    """

    def __init__(self, unit: np.ndarray):
        self._unit = unit
        self._size = np.bincount(unit)
        self._missing = self._size.copy()
        self._open: dict[int, Tensor] = {}
        self._row = 0
        self.scatter: Tensor | None = None

    def add(self, deviations: Tensor) -> None:
        """Deviations `(m, d)` of the next rows from the mean of all."""
        block = self._unit[self._row : self._row + len(deviations)]
        self._row += len(deviations)
        units, place, counts = np.unique(block, return_inverse=True, return_counts=True)
        sums = unit_sums(deviations, place, len(units))
        for number in np.flatnonzero(counts < self._missing[units]):
            # More rows of this unit follow.
            self._open[int(units[number])] = sums[number] + self._open.get(int(units[number]), 0)
        for number in np.flatnonzero((counts == self._missing[units]) & (counts < self._size[units])):
            sums[number] += self._open.pop(int(units[number]))
        whole = counts == self._missing[units]
        self._missing[units] -= counts
        complete = gram(sums[torch.from_numpy(whole).to(sums.device)])
        self.scatter = complete if self.scatter is None else self.scatter + complete


def unit_sums(rows: Tensor, place: np.ndarray, count: int) -> Tensor:
    """Sums `(count, d)` of the rows of each unit."""
    sums = rows.new_zeros((count, rows.shape[1]))
    return sums.index_add_(0, torch.from_numpy(place).to(rows.device), rows)


def has_units(unit: np.ndarray) -> bool:
    """Whether some unit has more than one row."""
    return len(unit) > 0 and int(unit.max()) + 1 < len(unit)


def row_covariance(rows: Tensor, moments: Moments, unit: np.ndarray) -> Tensor:
    """n times the covariance of the mean of `rows` `(n, d)`, `(d, d)`: their covariance if each is a unit."""
    return gram(unit_sums(rows - moments.mean, unit, int(unit.max()) + 1)) / moments.n
