"""First and second moments that stream, merge and keep float64 accuracy.

Each block is centred on a mean of its own rows before its scatter is formed, and blocks are merged by
the pairwise update of Chan, Golub & LeVeque (1983). The raw form `sum(x x') - n m m'` is never used: it
cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import FACTOR_ELEMENTS, ZERO_TRACE, add_gram, in_cache, mirrored
from realign_core.load.batches import BLOCK_ROWS, iterate
from realign_core.load.passes import Arrays, total
from realign_core.validation import UnusableInput, check_choice


@dataclass(frozen=True)
class Moments:
    """Count, mean `(d,)` and scatter `(d, d)` = sum of centred outer products, float64."""

    n: int
    mean: Tensor
    scatter: Tensor

    @property
    def covariance(self) -> Tensor:
        """Population covariance (divide by n), `(d, d)`."""
        return self.scatter / self.n

    @property
    def trace(self) -> float:
        """Total variance `tr S`."""
        return float(self.scatter.trace()) / self.n

    @property
    def mean_square(self) -> float:
        """Mean squared length of the rows; 1 for unit rows."""
        return self.trace + float(self.mean @ self.mean)

    @property
    def is_constant(self) -> bool:
        """Whether the total variance is rounding."""
        return self.trace <= ZERO_TRACE * self.mean_square

    @classmethod
    def of(cls, block: Tensor) -> Moments:
        """Moments of one float64 block `(n, d)`."""
        gathered = CentredSums(len(block))
        for piece in in_cache(block):
            gathered.add(piece)
        return gathered.moments()

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets of rows together."""
        n = self.n + other.n
        shift = other.mean - self.mean
        return Moments(
            n,
            self.mean + shift * (other.n / n),
            (self.scatter + other.scatter).addr_(shift, shift, alpha=self.n * other.n / n),
        )

    def without(self, part: Moments) -> Moments:
        """Moments of the rows that are left when those of `part` are taken out: undoes `merge`."""
        n = self.n - part.n
        shift = self.mean - part.mean
        return Moments(
            n,
            self.mean + shift * (part.n / n),
            (self.scatter - part.scatter).addr_(shift, shift, alpha=-self.n * part.n / n),
        )

    @classmethod
    def from_batches(cls, rows: Any, *, normalize: bool = True, device: str = "auto") -> Moments:
        """Moments of all rows of an array, a tensor or a re-iterable of blocks, in one pass.

        `normalize` scales each row to unit length first. Raises `UnusableInput` for no rows and for a row
        that is not finite or, to be normalised, has no length.
        """
        where = statistics_device(rows, device)
        part = partial(moments_of_block, normalize=normalize, where=where)
        found = total("moments", (rows,), part, cls, where=where)
        if found is None:
            raise UnusableInput("the set has no rows; at least 2 are needed")
        return found

    def arrays(self) -> Arrays:
        """Count, mean and scatter by name."""
        return {
            "n": np.array(self.n),
            "mean": self.mean.cpu().numpy(),
            "scatter": self.scatter.cpu().numpy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Moments:
        """Undoes `arrays`, on the CPU."""
        mean, scatter = (torch.from_numpy(arrays[name]) for name in ("mean", "scatter"))
        return cls(int(arrays["n"]), mean, scatter)

    def second_moment_about(self, point: Tensor) -> Tensor:
        """`mean (x - p)(x - p)'`, `(d, d)`."""
        shift = self.mean - point
        return self.covariance.addr_(shift, shift)


class CentredSums:
    """Sum and scatter of pieces of a block about a point near its mean: the mean of the first piece.

    `rows` are those of the block; there may come fewer.
    """

    def __init__(self, rows: int) -> None:
        self.n = 0
        self._rows = rows
        self._point: Tensor | None = None
        self._waiting = 0

    def add(self, piece: Tensor, some: Tensor | None = None) -> None:
        """Take in a float64 piece `(n, d)`, or `some` of its rows `(m,)`; it may be overwritten then."""
        n, dim = len(piece) if some is None else len(some), piece.shape[1]
        if not n:
            return
        if self._point is None:
            self._point = (piece if some is None else piece[some]).mean(dim=0)
            self._drift, self._scatter = torch.zeros_like(self._point), piece.new_zeros((dim, dim))
            self._centred = piece.new_empty((min(self._rows, FACTOR_ELEMENTS // max(1, dim)), dim))
        if self._waiting + n > len(self._centred):
            self._multiply()
        if n > len(self._centred):
            self._centred = piece.new_empty((n, dim))
        centred = self._centred[self._waiting : self._waiting + n]
        if some is not None:
            piece = torch.index_select(piece, 0, some, out=centred)
        self._drift += torch.sub(piece, self._point, out=centred).sum(dim=0)
        self._waiting += n
        self.n += n

    def moments(self) -> Moments:
        """Of all pieces together; there must be a row."""
        assert self._point is not None, "a block has rows"
        self._multiply()
        # The point is not the mean; taking out what is left centres the scatter. Where the first piece is an
        # outlier alone, that costs digits: as many units in the last place as there are rows to one of it.
        drift = self._drift / self.n
        scatter = mirrored(self._scatter).addr_(drift, drift, alpha=-self.n)
        return Moments(self.n, self._point + drift, scatter)

    def _multiply(self) -> None:
        if self._waiting:
            add_gram(self._scatter, self._centred[: self._waiting])
        self._waiting = 0


def float64_blocks(
    rows: Any, *, normalize: bool = True, device: str = "auto", block_rows: int = BLOCK_ROWS
) -> Iterator[Tensor]:
    """Blocks `(<= block_rows, d)` of `rows` in float64 where statistics run, unit rows if asked."""
    where = statistics_device(rows, device)
    row = 0
    for block in iterate(rows, block_rows):
        yield float64_block(block, row, normalize=normalize, where=where)
        row += block.shape[0]


def float64_block(
    block: Any, first_row: int, *, normalize: bool, where: torch.device, name: str = ""
) -> Tensor:
    """One block `(n, d)` in float64 on `where`, unit rows if asked; `first_row` is its place in the set.

    Raises `UnusableInput` for a row that cannot be used, of the set `name`.
    """
    tensor = as_tensor(block)
    if tensor.device != where and tensor.device.type == "mps":
        tensor = tensor.to(where)
    copied = tensor.device != where or tensor.dtype != torch.float64
    tensor = tensor.to(device=where, dtype=torch.float64)
    lengths = _lengths(tensor, first_row, normalize, name)
    if not normalize:
        return tensor
    return _scaled_to_unit(tensor, lengths, out=tensor if copied else None)


def float64_pieces(
    block: Any, first_row: int, *, normalize: bool, where: torch.device, name: str = ""
) -> Iterator[Tensor]:
    """The rows of `float64_block` in pieces that stay in the CPU's cache; whole on other devices.

    Pieces share a buffer, or are rows of the block itself: use one before asking for the next, and leave it
    as it is.
    """
    tensor = as_tensor(block)
    if where.type != "cpu":
        yield float64_block(tensor, first_row, normalize=normalize, where=where, name=name)
        return
    buffer = between = None
    for piece in in_cache(tensor.to(where)):
        if piece.dtype.itemsize == 2:
            # Halves become float32 by an instruction of the processor's, and float64 one by one.
            between = torch.empty(piece.shape) if between is None else between
            piece = between[: len(piece)].copy_(piece)
        if normalize or piece.dtype != torch.float64:
            buffer = torch.empty(piece.shape, dtype=torch.float64) if buffer is None else buffer
            piece = buffer[: len(piece)].copy_(piece)
        lengths = _lengths(piece, first_row, normalize, name)
        yield _scaled_to_unit(piece, lengths, out=piece) if normalize else piece
        first_row += len(piece)


def _scaled_to_unit(rows: Tensor, lengths: Tensor, *, out: Tensor | None) -> Tensor:
    """Rows over their lengths, in `out` or in fresh memory."""
    inverse = lengths.reciprocal()
    # Multiplying takes a third of the time of dividing; a length below 6e-309 has no inverse.
    if bool(inverse.isfinite().all()):
        return torch.mul(rows, inverse, out=out)
    return torch.div(rows, lengths, out=out)


def _lengths(rows: Tensor, first_row: int, normalize: bool, name: str) -> Tensor:
    """Lengths `(n, 1)`; raises `UnusableInput` naming the first row that cannot be used."""
    lengths = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    usable = lengths.isfinite() & (lengths > 0) if normalize else lengths.isfinite()
    if not bool(usable.all()):
        bad = int(torch.nonzero(~usable)[0, 0])
        which = f"{name} row {first_row + bad}".lstrip()
        raise UnusableInput(
            f"{which} has length {float(lengths[bad])}; each row needs a finite length"
            f"{' above 0' if normalize else ''}: drop or repair it"
        )
    return lengths


def moments_of_block(
    first_row: int, block: Any, *, normalize: bool, where: torch.device, name: str = ""
) -> Moments:
    """Moments of the rows of `float64_block`, which as a whole is not formed on the CPU."""
    gathered = CentredSums(len(block))
    for piece in float64_pieces(block, first_row, normalize=normalize, where=where, name=name):
        gathered.add(piece)
    return gathered.moments()


def as_tensor(block: Any) -> Tensor:
    """A block as a tensor, without a copy where torch can look at the memory as it lies."""
    if isinstance(block, Tensor):
        return block.detach()
    block = np.asarray(block)
    # torch warns on read-only memory (memory maps) and refuses negative strides and foreign byte orders.
    if not block.flags.writeable or any(step < 0 for step in block.strides) or not block.dtype.isnative:
        block = block.astype(block.dtype.newbyteorder("="), order="C", copy=True)
    return torch.from_numpy(block)


def unit_rows(rows: Tensor) -> Tensor:
    """`z / ||z||` for each row."""
    return rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True)


def resolve_device(device: str) -> torch.device:
    """The device that `auto|cpu|cuda|mps` names here; raises `UnusableInput` if this machine lacks it."""
    check_choice("--device", device, ("auto", "cpu", "cuda", "mps"))
    have = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if have[name])
    if not have[device]:
        there = ", ".join(name for name, found in have.items() if found)
        raise UnusableInput(f"--device {device} is not available on this machine; it has: {there}")
    return torch.device(device)


def statistics_device(rows: Any, device: str = "auto") -> torch.device:
    """Where float64 statistics of `rows` run: where a tensor lies, else `device`; the CPU for MPS."""
    where = rows.device if isinstance(rows, Tensor) else resolve_device(device)
    return torch.device("cpu") if where.type == "mps" else where
