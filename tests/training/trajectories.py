"""Synthetic training runs whose figures are known: chosen U, V, spectra, bias and gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VARIANCES_U = (4.0, 3.0, 2.0, 1.0)


def orthogonal(dim: int, generator: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(generator.standard_normal((dim, dim)))[0]


def white(n: int, dim: int, generator: np.random.Generator) -> np.ndarray:
    """Rows of mean 0 and covariance I, exactly."""
    rows = generator.standard_normal((n, dim))
    rows -= rows.mean(axis=0)
    return np.linalg.qr(rows)[0] * np.sqrt(n)


@dataclass(frozen=True)
class World:
    """U is spanned by the first columns of `q`; what both modalities share varies in U alone."""

    q: np.ndarray
    n: int = 200

    @classmethod
    def of(cls, dim=12, n=200, seed=0):
        return cls(orthogonal(dim, np.random.default_rng(seed)), n)

    @property
    def dim(self):
        return len(self.q)

    @property
    def rank(self):
        return len(VARIANCES_U)

    @property
    def u(self):
        return self.q[:, : self.rank]

    @property
    def v(self):
        return self.q[:, self.rank :]

    def rows(self, gamma, noise_u=(0.02, 0.01, 0.005, 0.002), noise_v=None, turn=None, seed=1):
        """Image and text rows `(n, d)`: shared meaning in U, residuals of these variances, bias `v @ gamma`.

        `turn` is an orthogonal map `(d, d)` of everything but the bias.
        """
        noise_v = np.zeros(self.dim - self.rank) if noise_v is None else np.asarray(noise_v)
        generator = np.random.default_rng(seed)
        drawn = white(self.n, self.rank + self.dim, generator)
        shared = drawn[:, : self.rank] * np.sqrt(VARIANCES_U) @ self.u.T
        residual = drawn[:, self.rank :] * np.sqrt([*noise_u, *noise_v]) @ self.q.T
        turn = np.eye(self.dim) if turn is None else turn
        bias = self.v @ np.asarray(gamma)
        return (shared + residual / 2) @ turn.T + bias / 2, (shared - residual / 2) @ turn.T - bias / 2

    def turn(self, degrees):
        """Rotation of the last direction of U towards the first of V."""
        a, b = self.q[:, self.rank - 1], self.q[:, self.rank]
        angle = np.radians(degrees)
        plane = np.outer(a, a) + np.outer(b, b)
        return (
            np.eye(self.dim) + (np.cos(angle) - 1) * plane + np.sin(angle) * (np.outer(b, a) - np.outer(a, b))
        )

    def bias(self, *leading):
        """Coordinates in V, zeros behind."""
        return np.array([*leading, *np.zeros(self.dim - self.rank - len(leading))])
