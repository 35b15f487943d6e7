"""The bias that makes a projected centroid exact: damped Newton in repeated passes (methods, section 4a)."""

from __future__ import annotations

import torch
from torch import Tensor

from realign_core.linalg import gram

TOLERANCE = 1e-14
"""A gradient of this norm is exact: what remains is rounding."""

STALLED = 1e-10
"""Below this norm a gradient that no longer shrinks has met rounding, not a difficulty."""

MAX_PASSES = 60


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
        self._clear()

    def add(self, rows: Tensor) -> None:
        """Add rows to the evaluation of the candidate."""
        if self._scratch is None or self._scratch.shape[0] < len(rows):
            self._scratch = torch.empty_like(rows)
        moved = torch.add(rows, self._candidate.to(rows.device), out=self._scratch[: len(rows)])
        # A row that lands on 0 has no direction; with a tiny length it adds the zero vector, a subgradient.
        lengths = torch.linalg.vector_norm(moved, dim=1).clamp_min(torch.finfo(rows.dtype).tiny)
        self._n += len(rows)
        self._lengths += float(lengths.sum())
        self._directions += (moved.mT @ (1 / lengths)).cpu()
        if self._renew:
            # mean (I - u u') / ||z + b||: the weights go in as their roots, so one product gives the sum.
            self._inverse_lengths += float((1 / lengths).sum())
            weighted = moved.div_(lengths[:, None] ** 1.5)
            self._outer += gram(weighted).cpu()

    def end_pass(self) -> None:
        """Take or reject the candidate, and choose the next."""
        self.passes += 1
        value = self._lengths / self._n - float(self.target @ self._candidate)
        gradient = self._directions / self._n - self.target
        gap = float(torch.linalg.vector_norm(gradient))
        falls = value <= self._value + 1e-4 * self._fraction * self._slope
        if self.passes == 1 or (falls and gap > STALLED) or gap <= 0.5 * self.gap:
            self._accept(value, gradient, gap)
        elif min(gap, self.gap) <= STALLED:
            if gap < self.gap:
                self.bias, self.gap = self._candidate, gap
            self.done = True
        else:
            self._fraction /= 2
        self.done = self.done or self.passes >= MAX_PASSES
        self._candidate = self.bias + self._fraction * self._step
        self._clear()

    def _accept(self, value: float, gradient: Tensor, gap: float) -> None:
        if self._renew:
            d = len(gradient)
            self._hessian = (
                self._inverse_lengths * torch.eye(d, dtype=gradient.dtype) - self._outer
            ) / self._n
        # An old Hessian is enough once it gains a digit a pass, and a pass without one costs far less.
        self._renew = gap > 1e-2 or gap > 0.1 * self.gap
        self.bias, self.gap, self._value, self._fraction = self._candidate, gap, value, 1.0
        self.done = gap <= TOLERANCE
        self._step = -_solve(self._hessian, gradient)
        self.done = self.done or not bool(self._step.any())
        self._slope = float(gradient @ self._step)

    def _clear(self) -> None:
        self._n = 0
        self._lengths = 0.0
        self._directions = torch.zeros_like(self.target)
        self._inverse_lengths = 0.0
        d = len(self.target) if self._renew else 0
        self._outer = self.target.new_zeros(d, d)


def _solve(hessian: Tensor, gradient: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(hessian)
    if failed:
        # Rows on one line leave the Hessian blind along it; the step then stays in its range.
        return torch.linalg.pinv(hessian, hermitian=True) @ gradient
    return torch.cholesky_solve(gradient[:, None], factor)[:, 0]
