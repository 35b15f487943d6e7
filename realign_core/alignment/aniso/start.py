"""Where the refinement starts: phases kept, radii and rest with the target's spread ([A, sec. 4.3])."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from realign_core.alignment.aniso.polar import Polar, in_rest
from realign_core.alignment.aniso.quantiles import knots, level_count, map_radii

ROUNDING = 1e-9
"""Spread at or below this share of the rows' own is no spread."""

RADIAL_MAPS = ("quantile", "scale", "none")


@dataclass(frozen=True)
class Start:
    """`basis` `(d, r)`; `radii_source`, `radii_target` `(m, levels)` the knots of the radial map;
    `spread_ratio` `(d,)` the diagonal of D_V."""

    basis: Tensor
    radii_source: Tensor
    radii_target: Tensor
    spread_ratio: Tensor

    @classmethod
    def of(cls, source: Polar, target: Polar, basis: Tensor, *, radial_map: str, levels: int) -> Start:
        """Learnt from polar blocks of both sets, each around its own centre; no row is matched to another."""
        from_radii, to_radii = _radial_knots(source.radii, target.radii, radial_map, levels)
        spread_source, spread_target = (
            polar.rest.square().mean(dim=0).sub(polar.rest.mean(dim=0).square()).clamp(min=0).sqrt()
            for polar in (source, target)
        )
        # A coordinate of V in which the source varies by rounding alone has nothing to stretch.
        whole = source.radii.square().sum(dim=1).mean() + spread_source.square().sum()
        varies = spread_source > ROUNDING * whole.sqrt()
        ratio = torch.where(varies, spread_target / spread_source.where(varies, 1), 1.0)
        return cls(basis, from_radii.cpu(), to_radii.cpu(), ratio.cpu())

    def __call__(self, source: Polar) -> Polar:
        """The start of rows given as polar blocks around the source's centre."""
        radii = map_radii(source.radii, self.radii_source, self.radii_target)
        return Polar(source.phases, radii, in_rest(source.rest * self.spread_ratio, self.basis))

    def to(self, device: torch.device, dtype: torch.dtype) -> Start:
        """The same where the rows lie."""
        return Start(*(getattr(self, f.name).to(dtype).to(device) for f in fields(self)))


def _radial_knots(source: Tensor, target: Tensor, radial_map: str, levels: int) -> tuple[Tensor, Tensor]:
    if radial_map == "quantile":
        levels = level_count(levels, min(len(source), len(target)))
        return knots(source, levels), knots(target, levels)
    # One knot in the middle, beyond which its ratio goes on, scales a block as a whole.
    middle = source.square().mean(dim=0).sqrt()[:, None]
    to = target.square().mean(dim=0).sqrt()[:, None] if radial_map == "scale" else middle
    return middle, to
