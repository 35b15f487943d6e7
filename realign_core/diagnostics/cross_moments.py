"""Sums over all pairs of rows of products of their cosines, from d x d instead of n x n arrays.

For unit rows a_i and b_i with means m_a and m_b, let `A`, `B` hold the centred rows. The inner products
split, `a_i . a_j - |m_a|^2 = A_i . A_j + u_i + u_j` with `u = A m_a`, and both the rows of `A A'` and u sum
to zero, so that over all i and j

    sum (a_i . a_j - |m_a|^2)(b_i . b_j - |m_b|^2) = ||A' B||_F^2 + 2 n m_a' A' B m_b.

Digits stay where cosines hardly vary, and no n x n array is formed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from realign_core.linalg import FACTOR_ELEMENTS, add_gram, in_cache, mirrored


@dataclass(frozen=True)
class CrossMoments:
    """Means `(d,)` of rows a and b, their cross-scatter `sum (a - m_a)(b - m_b)'` `(d, d)`, and the sums of
    `|a|^2`, of `|b|^2` and of their product over rows; float64."""

    n: int
    mean_a: Tensor
    mean_b: Tensor
    scatter: Tensor
    square_a: float
    square_b: float
    square_ab: float

    @classmethod
    def of(cls, a: Tensor, b: Tensor) -> CrossMoments:
        """Of rows `(n, d)` that belong together; `b` may be `a` itself."""
        mean_a = a.mean(dim=0)
        mean_b = mean_a if b is a else b.mean(dim=0)
        scatter = a.new_zeros((a.shape[1], a.shape[1]))
        for part_a, part_b in zip(*(in_cache(rows, FACTOR_ELEMENTS) for rows in (a, b)), strict=True):
            centred = part_a - mean_a
            if b is a:
                add_gram(scatter, centred)
            else:
                scatter.addmm_(centred.mT, part_b - mean_b)
        if b is a:
            scatter = mirrored(scatter)
        length_a = torch.linalg.vector_norm(a, dim=1).square()
        length_b = length_a if b is a else torch.linalg.vector_norm(b, dim=1).square()
        sums = (float(length_a.sum()), float(length_b.sum()), float(length_a @ length_b))
        return cls(len(a), mean_a, mean_b, scatter, *sums)

    def without(self, part: CrossMoments) -> CrossMoments:
        """Of the rows that are left when those of `part` are taken out."""
        n = self.n - part.n
        shift_a, shift_b = self.mean_a - part.mean_a, self.mean_b - part.mean_b
        return CrossMoments(
            n,
            self.mean_a + shift_a * (part.n / n),
            self.mean_b + shift_b * (part.n / n),
            (self.scatter - part.scatter).addr_(shift_a, shift_b, alpha=-self.n * part.n / n),
            self.square_a - part.square_a,
            self.square_b - part.square_b,
            self.square_ab - part.square_ab,
        )

    @property
    def product(self) -> float:
        """`sum over i != j of (a_i . a_j - |m_a|^2)(b_i . b_j - |m_b|^2)`."""
        n, mean_a, mean_b = self.n, self.mean_a, self.mean_b
        every = float(torch.linalg.matrix_norm(self.scatter)) ** 2 + 2 * n * float(
            mean_a @ self.scatter @ mean_b
        )
        alpha, beta = float(mean_a @ mean_a), float(mean_b @ mean_b)
        own = self.square_ab - beta * self.square_a - alpha * self.square_b + n * alpha * beta
        return every - own

    @property
    def first(self) -> tuple[float, float]:
        """`sum over i != j of a_i . a_j - |m_a|^2`, and of b."""
        of_a, of_b = (
            self.n * float(mean @ mean) - square
            for mean, square in ((self.mean_a, self.square_a), (self.mean_b, self.square_b))
        )
        return of_a, of_b


def all_pair_sums(product_a: float, product_b: float, across: CrossMoments) -> Tensor:
    """Sums `(6,)` of 1, a, b, a a, b b, a b over ordered pairs of distinct rows, each cosine less `|m|^2`.

    `across` are the moments of a with b, the products those of a with a and of b with b;
    `angular.correlation` takes the sums.
    """
    a, b = across.first
    sums = [across.n * (across.n - 1), a, b, product_a, product_b, across.product]
    return torch.tensor(sums, dtype=torch.float64)
