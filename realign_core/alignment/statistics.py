"""What the methods learn from blocks of rows: lengths, means, traces; in cache-sized pieces."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import ZERO_TRACE
from realign_core.load.passes import Arrays, State
from realign_core.moments import Moments, statistics_device
from realign_core.validation import UnusableInput

PIECE_BYTES = 2**23
"""Rows are worked on in pieces of this size: it stays in cache while several passes go over it."""

SUMMED_ROWS = 32
"""So many rows are added up in their own precision before float64 takes over: rounding grows with them."""

NARROW = 0.1
"""Unit rows of a total variance below this lose digits in `1 - ||mu||^2`, so it is summed instead."""


class AlignmentWarning(UserWarning):
    """A fit went through, but what it learnt has a limit that the message names."""


def pieces(block: Tensor, dtype: torch.dtype) -> Iterator[tuple[int, Tensor]]:
    """First row and rows of each piece of a block `(n, d)` that fits in cache as `dtype`."""
    rows = max(16, PIECE_BYTES // dtype.itemsize // max(1, block.shape[1]))
    for start in range(0, block.shape[0], rows):
        yield start, block[start : start + rows]


def row_lengths(rows: Tensor, first_row: int, name: str) -> Tensor:
    """Lengths `(n,)`; raises `UnusableInput` naming the first row that has no direction."""
    lengths = torch.linalg.vector_norm(rows, dim=1)
    usable = (lengths > 0) & (lengths < torch.inf)
    if not bool(usable.all()):
        bad = int(torch.nonzero(~usable)[0])
        raise UnusableInput(
            f"{name} row {first_row + bad} has length {float(lengths[bad])}; "
            "each row needs a finite length above 0: drop or repair it"
        )
    return lengths


def within_range(rows: Tensor, first_row: int, name: str) -> tuple[Tensor, Tensor]:
    """Rows that are to be normalised in their own precision, and their lengths `(n,)`.

    Where the square of a length would leave the type's range or its full precision (float32: under 3e-16 or
    over 1e19), rows are first divided by their largest entry, which leaves their direction. Raises as
    `row_lengths`.
    """
    lengths = torch.linalg.vector_norm(rows, dim=1)
    limits = torch.finfo(rows.dtype)
    shortest, longest = map(float, lengths.aminmax())
    if shortest > (limits.tiny / limits.eps) ** 0.5 and longest < math.inf:
        return rows, lengths
    peak = rows.abs().amax(dim=1, keepdim=True)
    rows = rows / peak.where((peak > 0) & (peak < torch.inf), 1)
    return rows, row_lengths(rows, first_row, name)


def working_type(block: Tensor) -> torch.dtype:
    """Float64 for float64 rows; float32 for all others, in which a row is known to seven digits."""
    return torch.float64 if block.dtype == torch.float64 else torch.float32


def summing_type(block: Tensor) -> torch.dtype:
    """What unit rows of a block are formed and added up in for a mean.

    The rounding of many rows averages out; that of a few does not, and float64 costs nothing there.
    """
    few = block.numel() * torch.float32.itemsize <= PIECE_BYTES and block.device.type != "mps"
    return torch.float64 if few else working_type(block)


def widened(values: Tensor) -> Tensor:
    """Float64 where the device has it."""
    return values if values.device.type == "mps" else values.double()


def weighted_sum(rows: Tensor, weights: Tensor) -> Tensor:
    """`rows' weights`, `(d,)` float64 where the device has it, without float64 copies of the rows."""
    groups = len(rows) // SUMMED_ROWS
    whole = groups * SUMMED_ROWS
    sums = torch.bmm(
        weights[:whole].reshape(groups, 1, SUMMED_ROWS), rows[:whole].unflatten(0, (groups, SUMMED_ROWS))
    )
    wide = widened(sums[:0]).dtype
    return sums.sum(dim=(0, 1), dtype=wide) + (rows[whole:].mT @ weights[whole:]).to(wide)


def exact_pieces(block: Tensor) -> Iterator[tuple[int, Tensor]]:
    """First row and float64 rows of each piece of a block, where statistics run.

    All pieces share one buffer, since fresh memory costs more than the conversion: use a piece before
    asking for the next, and leave it as it is.
    """
    where = statistics_device(block)
    buffer: Tensor | None = None
    for start, piece in pieces(block.detach(), torch.float64):
        if piece.dtype == torch.float64 and piece.device == where:
            yield start, piece
            continue
        if buffer is None:
            buffer = torch.empty(piece.shape, dtype=torch.float64, device=where)
        yield start, buffer[: len(piece)].copy_(piece.to(where))


def unit_pieces(block: Tensor, *, normalize: bool, first_row: int, name: str = "source") -> Iterator[Tensor]:
    """Float64 pieces as above, of unit rows if `normalize`."""
    unit: Tensor | None = None
    for start, rows in exact_pieces(block):
        if not normalize:
            yield rows
            continue
        unit = torch.empty_like(rows) if unit is None else unit
        lengths = row_lengths(rows, first_row + start, name)
        yield torch.div(rows, lengths[:, None], out=unit[: len(rows)])


@dataclass(frozen=True)
class MeanTrace:
    """Count, mean `(d,)` and total variance of rows: all that the methods without a matrix need."""

    n: int
    mean: Tensor
    trace: float

    @classmethod
    def of(
        cls, block: Tensor, *, normalize: bool, first_row: int, name: str, exact: bool = False
    ) -> MeanTrace:
        """Mean and trace of a block.

        Many unit rows are formed in their own precision, which leaves about 1e-8 of a float32 mean (3e-7
        where a few rows are repeated often), unless an `exact` mean is asked for, or the rows lie so close
        together that it would show.
        """
        block = block.detach()
        n = len(block)
        if not normalize:
            parts = (rows for _, rows in exact_pieces(block))
            return reduce(cls.merge, (cls._of_rows(rows) for rows in parts))
        total = block.new_zeros(block.shape[1], dtype=torch.float64, device=statistics_device(block))
        dtype = summing_type(block)
        for start, rows in exact_pieces(block) if exact else pieces(block, dtype):
            rows, lengths = within_range(rows.to(torch.float64 if exact else dtype), first_row + start, name)
            # Unit rows never have to be formed, as sum y/||y|| = Y' w.
            total += weighted_sum(rows, 1 / lengths).to(total.device)
        mean = total / n
        # Unit rows have mean square 1, so tr S = 1 - ||mu||^2.
        trace = 1 - float(mean @ mean)
        if trace >= NARROW:
            return cls(n, mean, trace)
        if not exact:
            return cls.of(block, normalize=True, first_row=first_row, name=name, exact=True)
        units = unit_pieces(block, normalize=True, first_row=first_row, name=name)
        return cls(n, mean, sum(float((unit - mean).square().sum()) for unit in units) / n)

    def arrays(self) -> Arrays:
        """Count, mean and trace by name."""
        return {"n": np.array(self.n), "mean": self.mean.cpu().numpy(), "trace": np.array(self.trace)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> MeanTrace:
        """Undoes `arrays`, on the CPU."""
        return cls(int(arrays["n"]), torch.from_numpy(arrays["mean"]), float(arrays["trace"]))

    @classmethod
    def _of_rows(cls, rows: Tensor) -> MeanTrace:
        mean = rows.mean(dim=0)
        return cls(len(rows), mean, float((rows - mean).square().sum()) / len(rows))

    def merge(self, other: MeanTrace) -> MeanTrace:
        """Mean and trace of both sets of rows together."""
        n = self.n + other.n
        shift = other.mean - self.mean
        between = float(shift @ shift) * (self.n * other.n / n**2)
        return MeanTrace(
            n,
            self.mean + shift * (other.n / n),
            (self.n * self.trace + other.n * other.trace) / n + between,
        )


class PassState(State, Protocol):
    """What a further pass over the source adds up to; `n` counts its rows."""

    @property
    def n(self) -> int:
        """Rows so far."""


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


def with_covariance(part: MeanTrace | Moments) -> Moments:
    """The statistics of a method that `needs_covariance`, as the `Moments` that they are."""
    assert isinstance(part, Moments), "the method says that it needs covariances"
    return part


def is_constant(rows: MeanTrace | Moments) -> bool:
    """Whether the total variance is rounding, as a share of the mean square."""
    return rows.trace <= ZERO_TRACE * (rows.trace + float(rows.mean @ rows.mean))


def check_source_varies(source: MeanTrace | Moments, name: str) -> None:
    """Raise `UnusableInput` where `T_y = 0`: no scale or covariance map exists (methods, section 8)."""
    if is_constant(source):
        raise UnusableInput(
            f"{name} cannot be fitted: all source rows are equal, so their variance is 0; "
            "give source rows that vary, or use mean_shift"
        )


def warn_constant_target(target: MeanTrace | Moments, name: str) -> bool:
    """Whether `T_x = 0`; then the map is constant, and a warning says so."""
    constant = is_constant(target)
    if constant:
        warnings.warn(
            f"{name}: all target rows are equal, so the scale is 0 and every row maps to the same point",
            AlignmentWarning,
            stacklevel=2,
        )
    return constant


def trace_ratio_scale(source: MeanTrace | Moments, target: MeanTrace | Moments, name: str) -> float:
    """`s = sqrt(T_x / T_y)`; raises for `T_y = 0`, warns and gives 0 for `T_x = 0`."""
    check_source_varies(source, name)
    return 0.0 if warn_constant_target(target, name) else (target.trace / source.trace) ** 0.5
