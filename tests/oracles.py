"""Naive float64 NumPy versions of what the project computes: slow, short and written from the formulas."""

from __future__ import annotations

import numpy as np


def unit(rows):
    rows = np.asarray(rows, dtype=np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def covariance(rows):
    centred = rows - rows.mean(axis=0)
    return centred.T @ centred / len(rows)


def mean_shift(y, x):
    y, x = unit(y), unit(x)
    return unit(y - y.mean(axis=0) + x.mean(axis=0))


def anchor_trace(y, x):
    y, x = unit(y), unit(x)
    scale = np.sqrt(np.trace(covariance(x)) / np.trace(covariance(y)))
    return unit(x.mean(axis=0) + scale * (y - y.mean(axis=0)))


def centroid_step(z, x):
    return unit(z - z.mean(axis=0) + unit(x).mean(axis=0))


def realign(y, x):
    return centroid_step(anchor_trace(y, x), x)


def power(matrix, exponent, cutoff=1e-10):
    values, vectors = np.linalg.eigh(matrix)
    inside = values > cutoff * values.max()
    powers = np.where(inside, np.where(inside, values, 1.0) ** exponent, 0.0)
    return (vectors * powers) @ vectors.T


def oas(matrix, n):
    k = len(matrix)
    a, m = np.mean(matrix**2), np.trace(matrix) / k
    amount = min(1.0, (a + m**2) / ((n + 1) * (a - m**2 / k)))
    return (1 - amount) * matrix + amount * m * np.eye(k)


def blockwise(y, x, energy=0.99, shrink=oas):
    y, x = unit(y), unit(x)
    values, vectors = np.linalg.eigh(covariance(x) + covariance(y))
    values, vectors = values[::-1], vectors[:, ::-1]
    rank = 1 + int(np.argmax(np.cumsum(values) / values.sum() >= energy))
    moved = y - y.mean(axis=0) + x.mean(axis=0)
    mapped = np.zeros_like(y)
    for basis in (vectors[:, :rank], vectors[:, rank:]):
        if basis.shape[1] == 0:
            continue
        a = shrink(basis.T @ covariance(y) @ basis, len(y))
        b = shrink(basis.T @ covariance(x) @ basis, len(x))
        mapped += moved @ basis @ (power(b, 0.5) @ power(a, -0.5)).T @ basis.T
    return centroid_step(unit(mapped), x)


def gaussian_ot(y, x, shrink=oas):
    y, x = unit(y), unit(x)
    a, b = shrink(covariance(y), len(y)), shrink(covariance(x), len(x))
    inverse = power(a, -0.5)
    matrix = inverse @ power(power(a, 0.5) @ b @ power(a, 0.5), 0.5) @ inverse
    return centroid_step(unit(x.mean(axis=0) + (y - y.mean(axis=0)) @ matrix.T), x)


def retention(y, z, k):
    def neighbours(rows):
        cosine = unit(rows) @ unit(rows).T
        np.fill_diagonal(cosine, -np.inf)
        return np.argsort(-cosine, axis=1)[:, :k]

    pairs = zip(neighbours(y), neighbours(z), strict=True)
    return np.mean([len(set(before) & set(after)) / k for before, after in pairs])


def pairwise_correlation(y, z):
    upper = np.triu_indices(len(y), 1)
    return np.corrcoef((unit(y) @ unit(y).T)[upper], (unit(z) @ unit(z).T)[upper])[0, 1]
