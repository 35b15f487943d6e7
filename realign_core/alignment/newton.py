"""The bias that makes a projected centroid exact: damped Newton in repeated passes (methods, section 4a)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core.linalg import gram
from realign_core.load.passes import Arrays

TOLERANCE = 1e-14
"""A gradient of this norm is exact: what remains is rounding."""

STALLED = 1e-10
"""Below this norm a gradient that no longer shrinks has met rounding, not a difficulty."""

MAX_PASSES = 60


@dataclass(frozen=True)
class Evaluation:
    """Sums over `n` rows `v = z + b`: of `||v||`, of `v / ||v||` `(d,)`, and, where the Hessian is to be new,
    of `1 / ||v||` and of `v v' / ||v||^3` `(d, d)`."""

    n: int
    lengths: float
    directions: Tensor
    inverse_lengths: float
    outer: Tensor

    def merge(self, other: Evaluation) -> Evaluation:
        """Of both sets of rows together."""
        return Evaluation(
            self.n + other.n,
            self.lengths + other.lengths,
            self.directions + other.directions,
            self.inverse_lengths + other.inverse_lengths,
            self.outer + other.outer,
        )

    def arrays(self) -> Arrays:
        """All sums by name."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Evaluation:
        """Undoes `arrays`."""
        directions, outer = (torch.from_numpy(arrays[name]) for name in ("directions", "outer"))
        numbers = float(arrays["lengths"]), float(arrays["inverse_lengths"])
        return cls(int(arrays["n"]), numbers[0], directions, numbers[1], outer)


class CentroidNewton:
    """Minimises the convex `f(b) = mean ||z + b|| - p.b`, whose gradient is `mean normalize(z + b) - p`.

    One pass over the rows z evaluates one candidate: `add` each block `(n, d)`, then `end_pass`, until
    `done`. A candidate is taken if f falls enough (Armijo) or, where f can no longer resolve it, if the
    gradient halves; else the step is halved. The minimiser exists for `||p|| < 1` and is unique unless
    all rows lie on a line.
    """

    def __init__(self, target: Tensor, start: Tensor):
        self.target = target
        self.bias = start
        self.gap = torch.inf
        self.passes = 0
        self.done = False
        self._candidate = start
        self._value = torch.inf
        self._slope = 0.0
        self._fraction = 1.0
        self._scratch: Tensor | None = None
        self._renew = True

    def evaluate(self, rows: Tensor) -> Evaluation:
        """The candidate on some rows `(n, d)`."""
        if self._scratch is None or self._scratch.shape[0] < len(rows):
            self._scratch = torch.empty_like(rows)
        moved = torch.add(rows, self._candidate.to(rows.device), out=self._scratch[: len(rows)])
        # A row that lands on 0 has no direction; with a tiny length it adds the zero vector, a subgradient.
        lengths = torch.linalg.vector_norm(moved, dim=1).clamp_min(torch.finfo(rows.dtype).tiny)
        total, directions = float(lengths.sum()), (moved.mT @ (1 / lengths)).cpu()
        if not self._renew:
            return Evaluation(len(rows), total, directions, 0.0, directions.new_zeros(0, 0))
        # mean (I - u u') / ||z + b||: the weights go in as their roots, so one product gives the sum.
        inverse = float((1 / lengths).sum())
        weighted = moved.div_(lengths[:, None] ** 1.5)
        return Evaluation(len(rows), total, directions, inverse, gram(weighted).cpu())

    def end_pass(self, found: Evaluation) -> None:
        """Take or reject the candidate by what all rows evaluate to, and choose the next."""
        self.passes += 1
        value = found.lengths / found.n - float(self.target @ self._candidate)
        gradient = found.directions / found.n - self.target
        gap = float(torch.linalg.vector_norm(gradient))
        falls = value <= self._value + 1e-4 * self._fraction * self._slope
        if self.passes == 1 or (falls and gap > STALLED) or gap <= 0.5 * self.gap:
            self._accept(found, value, gradient, gap)
        elif min(gap, self.gap) <= STALLED:
            if gap < self.gap:
                self.bias, self.gap = self._candidate, gap
            self.done = True
        else:
            self._fraction /= 2
        self.done = self.done or self.passes >= MAX_PASSES
        self._candidate = self.bias + self._fraction * self._step

    def _accept(self, found: Evaluation, value: float, gradient: Tensor, gap: float) -> None:
        if self._renew:
            identity = torch.eye(len(gradient), dtype=gradient.dtype)
            self._hessian = (found.inverse_lengths * identity - found.outer) / found.n
        # An old Hessian is enough once it gains a digit a pass, and a pass without one costs far less.
        self._renew = gap > 1e-2 or gap > 0.1 * self.gap
        self.bias, self.gap, self._value, self._fraction = self._candidate, gap, value, 1.0
        self.done = gap <= TOLERANCE
        self._step = -_solve(self._hessian, gradient)
        self.done = self.done or not bool(self._step.any())
        self._slope = float(gradient @ self._step)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_scratch": None}


def _solve(hessian: Tensor, gradient: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(hessian)
    if failed:
        # Rows on one line leave the Hessian blind along it; the step then stays in its range.
        return torch.linalg.pinv(hessian, hermitian=True) @ gradient
    return torch.cholesky_solve(gradient[:, None], factor)[:, 0]
