"""What each pass over a pair of sets adds up: first moments, then what depends on the means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.diagnostics.projecting import Projections, sums_of
from realign_core.diagnostics.unit_noise import UnitScatter
from realign_core.load.passes import Arrays, inside, prefixed
from realign_core.moments import CentredSums, Moments, as_tensor, float64_pieces
from realign_core.validation import UnusableInput


@dataclass(frozen=True)
class PairMoments:
    """Moments of target, of source and of `D = x - y` on two halves of the pairs; `distance` is `sum ||D||`.

    A half without a row in it is None.
    """

    target: Moments
    source: Moments
    fit: Moments | None
    judge: Moments | None
    distance: float

    @classmethod
    def of(
        cls,
        first_row: int,
        target: Any,
        source: Any,
        *,
        first_half: np.ndarray,
        normalize: bool,
        where: torch.device,
    ) -> PairMoments:
        """Of a block of pairs; `first_half` `(n,)` is true where a pair of the whole set fits."""
        target, source = map(as_tensor, (target, source))
        if target.shape != source.shape:
            raise UnusableInput(
                f"target block {tuple(target.shape)} and source block {tuple(source.shape)} differ; "
                "pairs need equal shapes"
            )
        of_target, of_source, fit, judge = (CentredSums(len(target)) for _ in range(4))
        mask = torch.as_tensor(first_half[first_row : first_row + len(target)], device=where)
        pieces = partial(float64_pieces, first_row=first_row, normalize=normalize, where=where)
        distance, start = torch.zeros((), dtype=torch.float64, device=where), 0
        buffer: Tensor | None = None
        for x, y in zip(pieces(target), pieces(source), strict=True):
            of_target.add(x)
            of_source.add(y)
            buffer = torch.empty_like(x) if buffer is None else buffer
            difference = torch.sub(x, y, out=buffer[: len(x)])
            distance += torch.linalg.vector_norm(difference, dim=1).sum()
            fits = mask[start : start + len(x)]
            fit.add(difference, torch.nonzero(fits)[:, 0])
            judge.add(difference, torch.nonzero(~fits)[:, 0])
            start += len(x)
        return cls(
            of_target.moments(),
            of_source.moments(),
            fit.moments() if fit.n else None,
            judge.moments() if judge.n else None,
            float(distance),
        )

    def merge(self, other: PairMoments) -> PairMoments:
        """Of both sets of pairs together."""
        return PairMoments(
            self.target.merge(other.target),
            self.source.merge(other.source),
            _merged(self.fit, other.fit),
            _merged(self.judge, other.judge),
            self.distance + other.distance,
        )

    def arrays(self) -> Arrays:
        """All fields by name."""
        parts = {name: getattr(self, name) for name in ("target", "source", "fit", "judge")}
        found = {key: array for name, part in parts.items() for key, array in prefixed(name, part).items()}
        return {**found, "distance": np.array(self.distance)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PairMoments:
        """Undoes `arrays`."""
        target, source, fit, judge = (
            inside(name, arrays, Moments) for name in ("target", "source", "fit", "judge")
        )
        assert target is not None, "both sets have rows"
        assert source is not None, "both sets have rows"
        return cls(target, source, fit, judge, float(arrays["distance"]))


def _merged(first: Moments | None, second: Moments | None) -> Moments | None:
    return second if first is None else first if second is None else first.merge(second)


@dataclass(frozen=True)
class Steps:
    """The steps of ReAlign as maps of source rows; `scale` is None where `T_y = 0`."""

    target_mean: Tensor
    source_mean: Tensor
    scale: float | None

    @property
    def anchored(self) -> Projections:
        """Unit rows of `y - mu_y + mu_x`."""
        return Projections.of((1.0, self.target_mean - self.source_mean))

    @property
    def traced(self) -> Projections:
        """Unit rows of `mu_x + s (y - mu_y)`; the scale must exist."""
        assert self.scale is not None, "the source varies"
        return Projections.of((self.scale, self.target_mean - self.scale * self.source_mean))

    def centred(self, centroid: Tensor) -> Projections:
        """Unit rows after the last step too: anchored, traced, and moved by the mean less `centroid`."""
        return self.traced.then(1.0, self.target_mean - centroid)


@dataclass(frozen=True)
class Sums:
    """Sums over rows by name, `(d,)` or scalars, and those over units where captions share an image."""

    sums: dict[str, Tensor]
    units: UnitScatter | None = None

    def merge(self, other: Sums) -> Sums:
        """Of both sets of rows together."""
        units = self.units
        if units is not None and other.units is not None:
            units = units.merge(other.units)
        return Sums({name: part + other.sums[name] for name, part in self.sums.items()}, units)

    def arrays(self) -> Arrays:
        """All sums by name."""
        found = {f"sum.{name}": part.cpu().numpy() for name, part in self.sums.items()}
        return {**found, **prefixed("units", self.units)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Sums:
        """Undoes `arrays`, on the CPU."""
        sums = {key[4:]: torch.from_numpy(part) for key, part in arrays.items() if key.startswith("sum.")}
        return cls(sums, inside("units", arrays, UnitScatter))


def mapped_sums(
    first_row: int,
    source: Any,
    *,
    maps: dict[str, Projections],
    normalize: bool,
    where: torch.device,
) -> Sums:
    """Sums `(d,)` of a block of source rows after each of `maps`."""
    found = _zeros(maps, source.shape[1], where)
    for piece in float64_pieces(source, first_row, normalize=normalize, where=where):
        _add(found, sums_of(piece, maps))
    return Sums(found)


def _add(sums: dict[str, Tensor], more: dict[str, Tensor]) -> None:
    for name, part in more.items():
        sums[name] += part


def _zeros(maps: dict[str, Projections], dim: int, where: torch.device) -> dict[str, Tensor]:
    return {name: torch.zeros(dim, dtype=torch.float64, device=where) for name in maps}


def second_sums(
    first_row: int,
    target: Any,
    source: Any,
    *,
    maps: dict[str, Projections],
    mean: Tensor,
    units: tuple[np.ndarray, np.ndarray] | None,
    normalize: bool,
    where: torch.device,
) -> Sums:
    """`mapped_sums` of a block of pairs, the sum `deviation` of `||x - y - mean||`, and units.

    `units` are the number and the size of each pair's unit, `(n,)` of the whole set.
    """
    pieces = partial(float64_pieces, first_row=first_row, normalize=normalize, where=where)
    found = _zeros(maps, source.shape[1], where)
    deviation, deviations = torch.zeros((), dtype=torch.float64, device=where), []
    buffer: Tensor | None = None
    for a, b in zip(pieces(target), pieces(source), strict=True):
        _add(found, sums_of(b, maps))
        buffer = torch.empty_like(a) if buffer is None else buffer
        apart = torch.sub(a, b, out=buffer[: len(a)]).sub_(mean)
        deviation += torch.linalg.vector_norm(apart, dim=1).sum()
        if units is not None:
            deviations.append(apart.clone())
    scatter = None
    if units is not None:
        here = slice(first_row, first_row + len(target))
        scatter = UnitScatter.of(torch.cat(deviations), units[0][here], units[1][here])
    return Sums({**found, "deviation": deviation}, scatter)
