"""Anchor and trace: ReAlign without its last step [R, table 5]."""

from __future__ import annotations

from torch import Tensor

from realign_core.alignment.affine import AffineAligner
from realign_core.alignment.statistics import MeanTrace, trace_ratio_scale
from realign_core.moments import Moments


class AnchorTrace(AffineAligner):
    """`normalize(mu_x + s (y - mu_y))`, `s = sqrt(T_x / T_y)`.

    Learns `scale_` s, `trace_source_` and `trace_target_`. `fit` raises `UnusableInput` where `T_y = 0`
    and warns where `T_x = 0`.
    """

    name = "anchor_trace"

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        self.trace_source_, self.trace_target_ = source.trace, target.trace
        self._set_map(*anchor_trace_map(source, target, self.name))


def anchor_trace_map(
    source: MeanTrace | Moments, target: MeanTrace | Moments, name: str = "anchor_trace"
) -> tuple[float, Tensor]:
    """`s` and `mu_x - s mu_y`, so that the map is `normalize(s y + bias)`."""
    scale = trace_ratio_scale(source, target, name)
    return scale, target.mean - scale * source.mean
