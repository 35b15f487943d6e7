"""Noise of a mean whose rows come in units: the captions of one image are drawn together or not at all.

For independent units u of rows with deviations e_i from the mean,

    Cov(mean) = sum_u (sum_{i in u} e_i)(sum_{i in u} e_i)' / n^2,

which is `S / n` where each row is its own unit. With units of several rows, which err together, `S / n` is
too small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import gram
from realign_core.load.passes import Arrays
from realign_core.moments import Moments


@dataclass(frozen=True)
class UnitScatter:
    """`sum_u (sum_{i in u} e_i)(...)'` `(d, d)` over the units that are complete, and the others so far.

    `units`, `counts` and `sizes` `(k,)` are the numbers of the incomplete units, how many of their rows
    have come and how many there are; `sums` `(k, d)` are those of their rows.
    """

    scatter: Tensor
    units: np.ndarray
    counts: np.ndarray
    sizes: np.ndarray
    sums: Tensor

    @classmethod
    def of(cls, deviations: Tensor, unit: np.ndarray, size: np.ndarray) -> UnitScatter:
        """Of deviations `(n, d)` from the mean of all rows, whose units are `unit` `(n,)`.

        `size` `(n,)` says beside each row how many rows its unit has in all.
        """
        units, first, place, counts = np.unique(
            unit, return_index=True, return_inverse=True, return_counts=True
        )
        sums = unit_sums(deviations, place, len(units))
        empty = deviations.new_zeros((deviations.shape[1],) * 2)
        return cls._settled(empty, units, counts, size[first], sums)

    def merge(self, other: UnitScatter) -> UnitScatter:
        """That of both sets of rows together; units that are now complete enter the scatter."""
        units, place = np.unique(np.concatenate([self.units, other.units]), return_inverse=True)
        counts, sizes = np.zeros(len(units), np.int64), np.zeros(len(units), np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        sizes[place] = np.concatenate([self.sizes, other.sizes])
        sums = unit_sums(torch.cat([self.sums, other.sums]), place, len(units))
        return self._settled(self.scatter + other.scatter, units, counts, sizes, sums)

    def arrays(self) -> Arrays:
        """All fields by name."""
        tensors = {"scatter": self.scatter.cpu().numpy(), "sums": self.sums.cpu().numpy()}
        return {**tensors, "units": self.units, "counts": self.counts, "sizes": self.sizes}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> UnitScatter:
        """Undoes `arrays`, on the CPU."""
        scatter, sums = (torch.from_numpy(arrays[name]) for name in ("scatter", "sums"))
        return cls(scatter, arrays["units"], arrays["counts"], arrays["sizes"], sums)

    @classmethod
    def _settled(
        cls, scatter: Tensor, units: np.ndarray, counts: np.ndarray, sizes: np.ndarray, sums: Tensor
    ) -> UnitScatter:
        whole = counts == sizes
        place = torch.from_numpy(whole).to(sums.device)
        left = ~whole
        return cls(scatter + gram(sums[place]), units[left], counts[left], sizes[left], sums[~place])


def unit_sums(rows: Tensor, place: np.ndarray, count: int) -> Tensor:
    """Sums `(count, d)` of the rows of each unit."""
    sums = rows.new_zeros((count, rows.shape[1]))
    return sums.index_add_(0, torch.from_numpy(place).to(rows.device), rows)


def has_units(unit: np.ndarray) -> bool:
    """Whether some unit has more than one row."""
    return len(unit) > 0 and int(unit.max()) + 1 < len(unit)


def row_covariance(rows: Tensor, moments: Moments, unit: np.ndarray) -> Tensor:
    """n times the covariance of the mean of `rows` `(n, d)`, `(d, d)`: their covariance if each is a unit."""
    if not has_units(unit):
        return moments.covariance
    return gram(unit_sums(rows - moments.mean, unit, int(unit.max()) + 1)) / moments.n
