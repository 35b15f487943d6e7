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
    pairs = zip(nearest(y, y, k, exclude_self=True), nearest(z, z, k, exclude_self=True), strict=True)
    return np.mean([len(set(before) & set(after)) / k for before, after in pairs])


def pairwise_correlation(y, z):
    upper = np.triu_indices(len(y), 1)
    return np.corrcoef((unit(y) @ unit(y).T)[upper], (unit(z) @ unit(z).T)[upper])[0, 1]


def nearest(queries, keys, k, exclude_self=False):
    """Indices of the k keys of largest cosine, ties (to 12 digits) to the lower index."""
    cosines = np.round(unit(queries) @ unit(keys).T, 12)
    if exclude_self:
        np.fill_diagonal(cosines, -np.inf)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]


def foreign_neighbours(own, other, k):
    """How many of the k nearest rows of the pooled set are of the other modality; ties to the own."""
    found = nearest(own, np.concatenate([own, other]), k + 1)
    counts = []
    for row, indices in enumerate(found):
        others = [index for index in indices if index != row][:k]
        counts.append(sum(index >= len(own) for index in others))
    return np.array(counts)


def entropy_bits(share):
    terms = [-p * np.log2(p) for p in (share, 1 - share) if p > 0]
    return float(sum(terms))


def expected_entropy(n_x, n_z, k):
    """`E H2(K / k)` by enumerating how many of k drawn rows are target rows."""
    from math import comb

    ways = [comb(n_x, j) * comb(n_z, k - j) for j in range(k + 1)]
    return sum(w * entropy_bits(j / k) for j, w in enumerate(ways)) / comb(n_x + n_z, k)


def jensen_shannon(a, b):
    """Base 2, of two histograms given as counts."""
    a, b = a / a.sum(), b / b.sum()
    middle = (a + b) / 2
    sides = [np.sum(p[p > 0] * np.log2(p[p > 0] / middle[p > 0])) for p in (a, b)]
    return float(sum(sides)) / 2


def cosines_of_pairs(rows):
    upper = np.triu_indices(len(rows), 1)
    return (unit(rows) @ unit(rows).T)[upper]


def cosine_js(x, z):
    counts = [np.histogram(cosines_of_pairs(rows), bins=200, range=(-1, 1))[0] for rows in (x, z)]
    return jensen_shannon(*counts)


def power_law_exponent(matrix):
    values = np.linalg.eigvalsh(matrix)[::-1]
    values = values[values > 1e-10 * values[0]]
    count = 1 + int(np.argmax(np.cumsum(values) / values.sum() >= 0.99 - 1e-12))
    if count < 3:
        return None
    return -np.polyfit(np.log(np.arange(1, count + 1)), np.log(values[:count]), 1)[0]


def recall(queries, keys, groups, k):
    """Share of queries for which fewer than k keys outside the group score above the best of the group."""
    cosines = np.round(unit(queries) @ unit(keys).T, 12)
    found = []
    for row, group in enumerate(groups):
        own = groups == group
        found.append(np.sum(cosines[row, ~own] > cosines[row, own].max()) < k)
    return float(np.mean(found))


def uncentred_anisotropy(difference):
    moment = difference.T @ difference / len(difference)
    return float(np.linalg.eigvalsh(moment)[-1] * len(moment) / np.trace(moment))


def zero_shot(x, z, labels, groups):
    """Accuracy of the nearest class mean of z for rows of x, less the row's group; below 0 is no label."""
    names = np.unique(labels[labels >= 0])
    shares = []
    for row in np.flatnonzero(labels >= 0):
        apart = groups != groups[row]
        centres = np.array([unit(z[apart & (labels == name)].sum(0)[None])[0] for name in names])
        cosines = (centres @ x[row]).round(12)
        best = cosines == cosines.max()
        shares.append(best[names == labels[row]][0] / best.sum())
    return np.mean(shares)


def method_scores(x, y, z, k=10, groups=None, paired=True, labels=None):
    """Every score of a mapped source z of y, for a target x (methods, section 5); floors aside."""
    x_to_z, z_to_x = foreign_neighbours(x, z, 20), foreign_neighbours(z, x, 20)
    expected = expected_entropy(len(x), len(z), 20)
    found = {
        "centroid_gap": np.linalg.norm(x.mean(0) - z.mean(0)),
        "retention": retention(y, z, k),
        "omega": retention(y, z, 20),
        "phi": np.mean(np.sum(unit(y) * unit(z), axis=1)),
        "psi": pairwise_correlation(y, z),
        "mixing_source": z_to_x.mean() / 20,
        "mixing_target": x_to_z.mean() / 20,
        "mixing": (z_to_x.sum() + x_to_z.sum()) / 20 / (len(x) + len(z)),
        "entropy_mixing_source": np.mean([entropy_bits(c / 20) for c in z_to_x]) / expected,
        "entropy_mixing_target": np.mean([entropy_bits(c / 20) for c in x_to_z]) / expected,
        "cosine_js": cosine_js(x, z),
        "covariance_discrepancy": np.linalg.norm(covariance(x) - covariance(z))
        / np.linalg.norm(covariance(x)),
        "trace_ratio": np.trace(covariance(z)) / np.trace(covariance(x)),
        "alpha": power_law_exponent(covariance(z)),
    }
    if not paired:
        return found
    groups = np.arange(len(x)) if groups is None else groups
    for rank in (1, 5, 10):
        found[f"recall_at_{rank}"] = recall(z, x, groups, rank)
        found[f"recall_at_{rank}_reverse"] = recall(x, z, groups, rank)
    found["paired_cosine"] = np.mean(np.sum(unit(x) * unit(z), axis=1))
    found["zero_shot"] = None if labels is None else zero_shot(unit(x), unit(z), labels, groups)
    found["anisotropy"] = uncentred_anisotropy(x - z)
    return found
