"""ReAlign ([R, sec. 4] arXiv 2602.07026)."""

from __future__ import annotations

from torch import Tensor

from realign_core.alignment.anchor_trace import AnchorTrace
from realign_core.alignment.statistics import MeanTrace, trace_ratio_scale
from realign_core.moments import Moments
from realign_core.validation import check_fraction


class ReAlign(AnchorTrace):
    """`e' = normalize(mu_x + s (y - mu_y))`, then `normalize(e' - mu' + mu_x)`, mu' the mean of e'.

    `strength` t in 0..1 goes that share of the way: `(1 - t) mu_y + t mu_x` stands for mu_x and
    `1 - t + t s` for s, so that 0 leaves every row where it is and 1 is the method as published.
    The second pass over the source gives `centroid_` = mu'; without projection to a sphere mu' is the mean
    aimed at already, and the method is `AnchorTrace`. `scale_` is the scale as applied. `fit` raises
    `UnusableInput` for a strength out of range and where `T_y = 0`.
    """

    name = "realign"
    centroid_stage = True

    def __init__(self, *, strength: float = 1.0, normalize: bool = True):
        super().__init__(normalize=normalize)
        self.strength = strength

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        strength = check_fraction("strength", self.strength, low_open=False)
        self.trace_source_, self.trace_target_ = source.trace, target.trace
        scale = (1 - strength) + strength * trace_ratio_scale(source, target, self.name)
        self._set_map(scale, self._aim() - scale * source.mean)

    def _aim(self) -> Tensor:
        return self.mean_source_.lerp(self.mean_target_, self.strength)
