"""Accuracy of streamed moments: the mean of 500 000 rows, and a covariance of true condition number 1e6."""

from __future__ import annotations

import math

import numpy as np
import torch

from benchmarks.timing import show
from realign_core.linalg import condition_number, eigenvalues_descending
from realign_core.moments import Moments

MEAN_ERROR, CONDITION_ERROR = 1e-12, 1e-9


def run() -> dict:
    """Largest error of the mean against correctly rounded sums; relative error of the condition number."""
    mean_error = mean_of_many_rows()
    ours, raw = condition_errors()
    show(
        [
            ("mean of 500 000 rows, largest error", f"{mean_error:.1e} (at most {MEAN_ERROR:g})"),
            ("condition number 1e6, relative error", f"{ours:.1e} (at most {CONDITION_ERROR:g})"),
            ("the same by sum(x x') - n m m' in float32", f"{raw:.1e}"),
        ]
    )
    return {
        "mean_error": mean_error,
        "condition_error": ours,
        "raw_float32_error": raw,
        "within": mean_error <= MEAN_ERROR and ours <= CONDITION_ERROR,
    }


def mean_of_many_rows(n: int = 500_000, dim: int = 16) -> float:
    """Streamed mean of float32 rows against `math.fsum`."""
    rows = np.random.default_rng(0).standard_normal((n, dim)).astype(np.float32) + np.float32(0.8)
    mean = Moments.from_batches(rows, normalize=False, device="cpu").mean.numpy()
    exact = np.array([math.fsum(map(float, column)) / n for column in rows.T])
    return float(np.abs(mean - exact).max())


def condition_errors(n: int = 20_000, dim: int = 64) -> tuple[float, float]:
    """Rows whose covariance has condition number 1e6 by construction, under a mean of norm 0.8."""
    generator = np.random.default_rng(0)
    # Orthonormal columns that each sum to zero: the sample covariance is then the wanted one.
    columns = generator.standard_normal((n, dim))
    columns -= columns.mean(axis=0)
    columns, _ = np.linalg.qr(columns)
    basis, _ = np.linalg.qr(generator.standard_normal((dim, dim)))
    spread = np.sqrt(np.logspace(0, -6, dim)) * 0.1 * np.sqrt(n)
    mean = np.full(dim, 0.8 / np.sqrt(dim))
    rows = (columns * spread) @ basis.T + mean
    ours = condition_number(
        eigenvalues_descending(Moments.from_batches(rows, normalize=False, device="cpu").covariance)
    )
    single = rows.astype(np.float32)
    centre = single.mean(axis=0)
    raw = single.T @ single / np.float32(n) - np.outer(centre, centre)
    values = eigenvalues_descending(torch.from_numpy(raw.astype(np.float64)))
    assert ours is not None, "the rows vary"
    return abs(ours / 1e6 - 1), abs(float(values[0] / values[-1]) / 1e6 - 1)
