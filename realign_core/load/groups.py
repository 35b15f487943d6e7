"""Exact duplicates and the groups of pairs that share a row."""

from __future__ import annotations

import numpy as np


def labels_of(digest: np.ndarray) -> tuple[np.ndarray, int]:
    """Labels int64 (n,) that are equal where the digests (n, 2) are, and how many differ."""
    if not len(digest):
        return np.empty(0, np.int64), 0
    order = np.lexsort((digest[:, 1], digest[:, 0]))
    ranked = digest[order]
    new = np.empty(len(order), bool)
    new[0] = False
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    labels = np.empty(len(order), np.int64)
    labels[order] = np.cumsum(new)
    return labels, int(labels[order[-1]]) + 1


def join_groups(target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Group labels int64 (n,) of pairs, numbered from 0 by first appearance.

    Pairs with equal `target` labels or equal `source` labels belong together, and so on through chains.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n, width = len(target), int(target.max()) + 1
    size = width + int(source.max()) + 1
    links = coo_matrix((np.ones(n, np.int8), (target, source + width)), shape=(size, size))
    component = connected_components(links, directed=False)[1][target]
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
