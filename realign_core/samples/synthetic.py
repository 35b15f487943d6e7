"""Pairs with a known answer: gap, spectra, residual and drift as chosen, met exactly by the sample.

With an orthonormal basis B, its first r columns U and the rest V, and coordinates s, e that have zero mean,
unit covariance and no correlation *in the sample*,

    y_i = mu + B (signal^(1/2) s_i - residual^(1/2) e_i / 2)
    x_i = mu + m + B (signal^(1/2) s_i + residual^(1/2) e_i / 2),

so that `x - y` has mean m and covariance `B diag(residual) B'`, and `S_x + S_y`, which is
`B diag(2 signal + residual / 2) B'`, has B for its eigenvectors. Rows are not on the sphere: analyse them
with `normalize=False` for exact figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from realign_core.validation import UnusableInput


@dataclass(frozen=True)
class KnownPair:
    """Target and source rows `(n, d)` float64, and what they must read.

    `basis` `(d, d)` has U in its first `rank` columns; `residual` `(d,)` are the variances of `x - y` along
    it; `covariance` `(d, d)` is that of each set; `mean_target` and `mean_source` are the means `(d,)`.
    """

    target: np.ndarray
    source: np.ndarray
    basis: np.ndarray
    rank: int
    residual: np.ndarray
    covariance: np.ndarray
    mean_target: np.ndarray
    mean_source: np.ndarray

    @property
    def anisotropy(self) -> float:
        """`A_r`: largest over mean variance of the residual."""
        return float(self.residual.max() / self.residual.mean())

    @property
    def anchor_drift(self) -> np.ndarray:
        """Second-order drift `(d,)` of the centroid once the anchored source is normalised [R, thm B.14]."""
        length = np.linalg.norm(self.mean_target)
        a, spread = self.mean_target / length, self.covariance
        along = spread @ a
        return (1.5 * a * (a @ along) - along - a * np.trace(spread) / 2) / length**2


def known_pair(
    n: int,
    dim: int,
    *,
    rank: int,
    pmb: float = 0.6,
    cob: float = 0.3,
    angle: float = 90.0,
    signal_decay: float = 1.0,
    residual_u: tuple[float, float] = (0.3, 0.01),
    residual_v: tuple[float, float] = (0.005, 0.001),
    mean_norm: float = 1.0,
    seed: int = 0,
) -> KnownPair:
    """Pairs whose gap is `pmb` long in U and `cob` in V, `angle` degrees from the leading noise of V.

    The residual variances fall geometrically from the first to the second of `residual_u` over U and of
    `residual_v` over V; those of the shared signal, in U, as `rank^-signal_decay`. `mean_norm` is the length
    of the target's mean. Raises `UnusableInput` where `n <= 2 dim`, U or V has fewer than two
    dimensions, or the frame would not separate U from V.
    """
    if n <= 2 * dim or not 2 <= rank <= dim - 2:
        raise UnusableInput(
            f"n is {n}, dim {dim} and rank {rank}; give more than {2 * dim} rows and a rank from 2 to "
            f"{dim - 2}"
        )
    generator = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(generator.standard_normal((dim, dim)))
    rows = generator.standard_normal((n, 2 * dim))
    unit, _ = np.linalg.qr(rows - rows.mean(axis=0))
    signal_part, residual_part = np.split(unit * math.sqrt(n), 2, axis=1)

    residual = np.concatenate([np.geomspace(*residual_u, rank), np.geomspace(*residual_v, dim - rank)])
    signal = np.zeros(dim)
    signal[:rank] = np.arange(1, rank + 1) ** -signal_decay
    pooled = 2 * signal + residual / 2
    if pooled[:rank].min() <= pooled[rank:].max():
        raise UnusableInput(
            "the residual in V outweighs a direction of U; give a smaller residual_v or signal_decay"
        )

    turn = math.radians(angle)
    in_v = math.cos(turn) * basis[:, rank] + math.sin(turn) * basis[:, rank + 1]
    gap = pmb * basis[:, 0] + cob * in_v
    mean_target = mean_norm * basis[:, 1]
    mean_source = mean_target - gap
    shared = (signal_part * np.sqrt(signal)) @ basis.T
    apart = (residual_part * np.sqrt(residual)) @ basis.T
    return KnownPair(
        target=mean_target + shared + apart / 2,
        source=mean_source + shared - apart / 2,
        basis=basis,
        rank=rank,
        residual=residual,
        covariance=(basis * (signal + residual / 4)) @ basis.T,
        mean_target=mean_target,
        mean_source=mean_source,
    )
