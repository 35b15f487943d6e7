"""What each shape figure reads on isotropic Gaussian data of the same size (methods, section 2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.linalg.lapack import dsterf
from torch import Tensor

from realign_core.diagnostics.shape import power_law
from realign_core.linalg import condition_number, effective_condition_number

DRAWS = 20


@dataclass(frozen=True)
class Isotropic:
    """References for isotropic rows of this count and dimension; dimensionless."""

    kappa_u: float | None
    kappa_v: float | None
    kappa_eff_u: float | None
    kappa_eff_v: float | None
    anisotropy: float | None
    effective_dimension_ratio: float | None
    alpha: float | None


def wishart_spectrum(n: int, dim: int, generator: np.random.Generator) -> Tensor:
    """Descending eigenvalues `(dim,)` of the covariance of `n` isotropic Gaussian rows.

    Drawn exactly from its bidiagonal model (Dumitriu & Edelman 2002): chi variates on two diagonals have
    the singular values of an `(n - 1, dim)` Gaussian matrix, so no such matrix is formed.
    """
    dof = n - 1
    small, large = min(dim, dof), max(dim, dof)
    main = np.sqrt(generator.chisquare(large - np.arange(small)))
    below = np.sqrt(generator.chisquare(np.arange(small - 1, 0, -1)))
    squares = main**2
    squares[1:] += below**2
    values = squares
    if small > 1:
        # Without vectors, QR on the diagonals alone is three times as fast as SciPy's default driver.
        values, failed = dsterf(squares, main[:-1] * below)
        if failed:
            raise RuntimeError(f"LAPACK found all but {failed} eigenvalues of a tridiagonal matrix")
    full = np.zeros(dim)
    full[:small] = np.maximum(values[::-1], 0) / n
    return torch.from_numpy(full)


@lru_cache(maxsize=64)
def isotropic_spectra(n: int, dim: int, seed: int) -> tuple[Tensor, ...]:
    """`wishart_spectrum` of each seeded draw; none in no dimension."""
    generator = np.random.default_rng((seed, dim))
    return tuple(wishart_spectrum(n, dim, generator) for _ in range(DRAWS if dim else 0))


def isotropic_reference(n: int, dim: int, rank: int, *, paired: bool, seed: int = 0) -> Isotropic:
    """References for `n` rows in `dim` dimensions cut at `rank`; those of the residual need pairs."""
    in_u, in_v = (isotropic_spectra(n, width, seed) if paired else () for width in (rank, dim - rank))
    return Isotropic(
        kappa_u=_mean(condition_number, in_u),
        kappa_v=_mean(condition_number, in_v),
        kappa_eff_u=_mean(effective_condition_number, in_u),
        kappa_eff_v=_mean(effective_condition_number, in_v),
        anisotropy=(1 + math.sqrt(dim / n)) ** 2 if paired else None,
        effective_dimension_ratio=1 / (1 + dim / n) if paired else None,
        alpha=_alpha(n, dim, seed),
    )


@lru_cache(maxsize=64)
def _alpha(n: int, dim: int, seed: int) -> float | None:
    return _mean(lambda values: power_law(values)[0], isotropic_spectra(n, dim, seed))


def _mean(figure: Callable[[Tensor], float | None], spectra: Sequence[Tensor]) -> float | None:
    found = [value for value in map(figure, spectra) if value is not None]
    return float(np.mean(found)) if found else None
