"""Symmetric eigenproblems, matrix roots, condition numbers and shrinkage, all in float64.

Every cutoff that decides what counts as zero stands here, once and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from realign_core.single_thread import each_alone

RANK_CUTOFF = 1e-10
"""Eigenvalues at or below this share of the largest are numerically zero (methods, section 0)."""

ZERO_TRACE = 1e-13
"""Total variance at or below this share of the rows' mean square is rounding: the set is constant."""

SIDE_BY_SIDE_UP_TO = 2048
"""Up to this dimension several eigenproblems are faster a thread each than one after the other."""

PIECE_ELEMENTS = 2**18
"""Numbers of a piece that stays in cache through several steps, each with a result of its own."""

FACTOR_ELEMENTS = 2**21
"""Numbers of the rows whose product is formed at once: fewer are slower, more no longer stay in the cache."""

ITERATED_FROM = 200
"""From this dimension on, a leading eigenvalue alone comes faster from Lanczos than from all of them."""


def eigh_descending(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues `(d,)`, largest first, and eigenvectors `(d, d)` in columns, of a symmetric matrix.

    The sign of each vector is fixed by making its entry of largest magnitude positive, so that equal
    input gives equal figures.
    """
    values, vectors = torch.linalg.eigh(symmetrize(matrix))
    values, vectors = values.flip(0), vectors.flip(1)
    if vectors.numel():
        peak = vectors.abs().argmax(dim=0)
        sign = vectors[peak, torch.arange(vectors.shape[1], device=vectors.device)].sign()
        vectors = vectors * sign
    return values, vectors


def eigenvalues_descending(matrix: Tensor) -> Tensor:
    """Eigenvalues `(d,)` of a symmetric matrix, largest first."""
    if matrix.device.type == "cpu":
        return torch.from_numpy(_ascending(matrix.numpy())[::-1].copy())
    return torch.linalg.eigvalsh(symmetrize(matrix)).flip(0)


def spectra_descending(matrices: Iterable[Tensor]) -> Iterator[Tensor]:
    """`eigenvalues_descending` of each matrix; small ones side by side, a thread each."""
    matrices = iter(matrices)
    first = next(matrices, None)
    if first is None:
        return
    matrices = chain([first], matrices)
    if first.device.type != "cpu" or first.shape[0] > SIDE_BY_SIDE_UP_TO:
        yield from map(eigenvalues_descending, matrices)
        return
    for values in each_alone(_ascending, (matrix.numpy() for matrix in matrices)):
        yield torch.from_numpy(values[::-1].copy())


def _ascending(matrix: np.ndarray) -> np.ndarray:
    # NumPy's LAPACK finds values alone faster than torch's, in 0.029 s for 0.039 s at d = 768.
    return np.linalg.eigvalsh((matrix + matrix.T) / 2)


def largest_eigenvalue(matrix: Tensor) -> float:
    """Largest eigenvalue of a positive semidefinite `(d, d)` matrix, to full precision."""
    dim = matrix.shape[0]
    if dim < ITERATED_FROM:
        return float(eigenvalues_descending(matrix)[0])
    # Imported here: whoever looks for no such eigenvalue need not wait for it.
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    exact = matrix.to("cpu", torch.float64)
    start = np.random.default_rng(0).standard_normal(dim)

    def times(vector: np.ndarray) -> np.ndarray:
        # torch's threads sleep between products, NumPy's wait for the next one at full speed.
        return torch.mv(exact, torch.from_numpy(vector.ravel())).numpy()

    operator = LinearOperator((dim, dim), matvec=times, dtype=np.float64)
    try:
        return float(eigsh(operator, k=1, v0=start, tol=0, return_eigenvectors=False)[0])
    except ArpackError:
        return float(eigenvalues_descending(matrix)[0])


def in_cache(rows: Tensor, elements: int = PIECE_ELEMENTS) -> Iterator[Tensor]:
    """Pieces of `(n, d)` rows that stay in the CPU's cache; all rows at once on other devices.

    What is computed from a large block at once goes through fresh memory, which costs more than the sums.
    """
    many = rows.device.type != "cpu"
    return iter(rows.split(max(1, len(rows) if many else elements // max(1, rows.shape[1]))))


def row_products(a: Tensor, b: Tensor) -> Tensor:
    """`a_i . b_i`, `(n,)`, of rows `(n, d)`."""
    return torch.cat([torch.linalg.vecdot(*parts) for parts in zip(in_cache(a), in_cache(b), strict=True)])


def gram(rows: Tensor) -> Tensor:
    """`rows' rows`, `(d, d)`, of `(n, d)` rows."""
    if rows.device.type == "cpu":
        # NumPy sees that both factors are the same and forms one triangle: half the multiplications.
        array = rows.numpy()
        return torch.from_numpy(array.T @ array)
    return rows.mT @ rows


def add_gram(total: Tensor, rows: Tensor) -> None:
    """Add `rows' rows` of float64 rows `(n, d)` to `total`, contiguous `(d, d)`, which `mirrored` completes.

    On the CPU the upper triangle alone is added to, in place: a product by itself has to be mirrored and
    added each time, which for 1 400 rows of 768 is a fifth of the time.
    """
    if rows.device.type != "cpu":
        total.addmm_(rows.mT, rows)
        return
    # Imported here: whoever only maps rows needs no scatter.
    from scipy.linalg.blas import dsyrk

    plain = total.is_contiguous() and total.dtype == torch.float64
    assert plain, "another layout or type would be copied, and the copy added to"
    # What lies row by row is, to a library that reads by columns, the transpose, with its lower triangle.
    dsyrk(1.0, rows.numpy().T, beta=1.0, c=total.numpy().T, lower=1, overwrite_c=1)


def mirrored(total: Tensor) -> Tensor:
    """The symmetric matrix whose upper triangle `add_gram` has filled."""
    upper = total.triu()
    return upper + upper.triu(1).mT


def symmetrize(matrix: Tensor) -> Tensor:
    """The symmetric part, which removes rounding asymmetry before a symmetric solver."""
    return (matrix + matrix.mT) / 2


def numerical_rank(values: Tensor) -> int:
    """How many of the descending eigenvalues exceed `RANK_CUTOFF` times the largest."""
    if values.numel() == 0 or values[0] <= 0:
        return 0
    return int((values > RANK_CUTOFF * values[0]).sum())


def energy_rank(values: Tensor, energy: float) -> int:
    """Smallest number of leading eigenvalues holding `energy` of their sum, capped at the numerical rank."""
    rank = numerical_rank(values)
    # The tail of a long spectrum may hold less than the rounding allowed below.
    if rank == 0 or energy >= 1:
        return rank
    # Only eigenvalues inside the rank carry energy: rounding below it may be negative.
    share = torch.cumsum(values[:rank], 0) / values[:rank].sum()
    # A share that equals the threshold must count as reached whatever the order of summation.
    reached = torch.nonzero(share >= energy - 1e-12)
    return int(reached[0]) + 1 if len(reached) else rank


def k99(values: Tensor) -> int:
    """Smallest number of leading eigenvalues that hold 99 % of the energy."""
    return energy_rank(values, 0.99)


def condition_number(values: Tensor) -> float | None:
    """Largest over smallest eigenvalue inside the numerical rank; None where every eigenvalue is zero."""
    rank = numerical_rank(values)
    return float(values[0] / values[rank - 1]) if rank else None


def effective_condition_number(values: Tensor) -> float | None:
    """Largest eigenvalue over the k99-th (methods, section 2); None where every eigenvalue is zero."""
    rank = k99(values)
    return float(values[0] / values[rank - 1]) if rank else None


def spd_power(matrix: Tensor, exponent: float) -> Tensor:
    """Symmetric power of a positive semidefinite matrix; a negative exponent inverts on its range only."""
    values, vectors = eigh_descending(matrix)
    rank = numerical_rank(values)
    powers = torch.zeros_like(values)
    powers[:rank] = values[:rank] ** exponent
    return (vectors * powers) @ vectors.mT


def oas_shrinkage(covariance: Tensor, n: int) -> float:
    """Oracle-approximating shrinkage in 0..1 for a `(k, k)` population covariance of `n` rows.

    With `a = mean(S o S)` and `m = tr S / k`: `min(1, (a + m^2) / ((n + 1)(a - m^2 / k)))`
    (Chen, Wiesel, Eldar, Hero 2010, as scikit-learn's OAS). A multiple of the identity gives 1.
    """
    k = covariance.shape[0]
    trace = float(covariance.trace())
    if trace <= 0:
        return 1.0
    # The shrinkage has no scale; divided first, squares of very large or small entries stay in float64.
    mean_square = float((covariance / trace).square().mean())
    mean_variance = 1 / k
    spread = mean_square - mean_variance**2 / k
    if spread <= 0:
        return 1.0
    return min(1.0, (mean_square + mean_variance**2) / ((n + 1) * spread))


def shrink(covariance: Tensor, amount: float) -> Tensor:
    """`(1 - amount) S + amount m I` with `m = tr S / k`: the trace stays."""
    k = covariance.shape[0]
    mean_variance = covariance.trace() / k
    identity = torch.eye(k, dtype=covariance.dtype, device=covariance.device)
    return (1 - amount) * covariance + amount * mean_variance * identity


def monge_map(source: Tensor, target: Tensor) -> Tensor:
    """`A = S_y^(-1/2) (S_y^(1/2) S_x S_y^(1/2))^(1/2) S_y^(-1/2)`, symmetric, with `A S_y A = S_x`.

    The optimal transport map between centred Gaussians of covariance `source` and `target`, `(d, d)`
    (Peyre & Cuturi 2019, remark 2.31).
    """
    root = spd_power(source, 0.5)
    inverse_root = spd_power(source, -0.5)
    return symmetrize(inverse_root @ spd_power(root @ target @ root, 0.5) @ inverse_root)
