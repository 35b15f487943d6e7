"""The oracle path ([A, sec. 3.3] arXiv 2605.07825): each row walks towards its own partner.

A share of the leading paired residual directions is removed, so the path needs every judged row's partner:
it shows what knowing the partner buys, and is no method. It starts from a mean
shift, so it does not bound methods that keep more of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from realign_core.linalg import eigh_descending
from realign_core.moments import Moments, float64_blocks, unit_rows

ALPHAS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Shares of the residual directions that are removed, in the order of the path."""


@dataclass(frozen=True)
class OraclePath:
    """`z_i = normalize(y_i + m + P_K (x_i - y_i - m))`, `m` `(d,)` the mean of x - y.

    `directions` `(d, d)` holds the eigenvectors of `Cov(x - y)` as columns, largest first; P_K projects onto
    the first `K = round(alpha d)`. At alpha 0 this is `mean_shift`, at 1 it gives x.
    """

    mean: Tensor
    directions: Tensor
    normalize: bool = True

    @classmethod
    def fit(cls, *, source: Any, target: Any, normalize: bool = True, device: str = "auto") -> OraclePath:
        """Learn mean and directions from pairs: row i of the source belongs to row i of the target.

        Raises `UnusableInput` for rows without a direction; the sets must be equally long.
        """
        total: Moments | None = None
        blocks = (float64_blocks(rows, normalize=normalize, device=device) for rows in (source, target))
        for y, x in zip(*blocks, strict=True):
            part = Moments.of(x - y)
            total = part if total is None else total.merge(part)
        assert total is not None, "there are rows to fit on"
        return cls(total.mean, eigh_descending(total.covariance)[1], normalize)

    def at(self, alpha: float, source: Tensor, target: Tensor) -> Tensor:
        """The pairs' source rows `(n, d)`, float64, a share alpha along."""
        leading = self.directions[:, : round(alpha * len(self.mean))].to(source.device)
        mean = self.mean.to(source.device)
        moved = source + mean + (target - source - mean) @ leading @ leading.mT
        return unit_rows(moved) if self.normalize else moved

    @staticmethod
    def alphas_of(dim: int) -> tuple[float, ...]:
        """The shares that differ in directions; in few dimensions some round to the same number."""
        first: dict[int, float] = {}
        for alpha in ALPHAS:
            first.setdefault(round(alpha * dim), alpha)
        # The end of the path is x, whatever share rounds to it.
        return tuple(1.0 if kept == dim else alpha for kept, alpha in first.items())
