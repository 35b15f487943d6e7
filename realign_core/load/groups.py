"""Exact duplicates and the groups of pairs that share a row."""

from __future__ import annotations

import numpy as np


def labels_of(digest: np.ndarray) -> tuple[np.ndarray, int]:
    """For each of the digests (n, 2) the number, int64 (n,), of the first that equals it; how many differ."""
    labels = np.arange(len(digest))
    # Stable, here and below: among equal ones the first row stays first.
    order = np.argsort(digest[:, 0], kind="stable")
    repeats = _as_before(digest[order, 0])
    if not repeats.any():
        return labels, len(digest)
    same = repeats & _as_before(digest[order, 1])
    if not np.array_equal(same, repeats):
        # Next to unheard of: digests that differ have one half in common, and may lie between equal ones.
        order = np.lexsort((digest[:, 1], digest[:, 0]))
        same = _as_before(digest[order, 0]) & _as_before(digest[order, 1])
    first = order[~same]
    labels[order] = first[np.cumsum(~same) - 1]
    return labels, len(first)


def repeated(values: np.ndarray) -> np.ndarray:
    """Whether each of the values (n,) is there a second time."""
    order = np.argsort(values)
    as_before = _as_before(values[order])
    found = np.empty(len(values), bool)
    found[order] = as_before | np.append(as_before[1:], False)[: len(values)]
    return found


def _as_before(values: np.ndarray) -> np.ndarray:
    """Whether each of the values (n,) equals the one before it."""
    found = np.zeros(len(values), bool)
    np.equal(values[1:], values[:-1], out=found[1:])
    return found


def join_groups(target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Group labels int64 (n,) of pairs, numbered from 0 by first appearance.

    Pairs with equal `target` labels or equal `source` labels belong together, and so on through chains. A
    label is the number of the first pair that has it, as `labels_of` gives them.
    """
    own = np.arange(len(target))
    if np.array_equal(source, own):
        first = target
    elif np.array_equal(target, own):
        first = source
    else:
        first = _connected(target, source)
    return (np.cumsum(first == own) - 1)[first]


def _connected(target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The number of the first pair that each pair is connected to."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(target)
    own = np.arange(n)
    links = np.concatenate([own, own]), np.concatenate([target, source])
    matrix = coo_matrix((np.ones(2 * n, np.int8), links), shape=(n, n))
    count, component = connected_components(matrix, directed=False)
    first = np.empty(count, np.int64)
    # Backwards, since the last that is written stays.
    first[component[::-1]] = own[::-1]
    return first[component]
