"""Pairs on which what mean removal does to retrieval is known beforehand.

A mean shift adds `(mean x - mean y) . x_j`, the same for every query, to the product with target row j. Where
targets differ along the gap, those furthest along it are drawn to every query: retrieval falls. Where the
source itself leans along such a direction, taking its mean away takes that pull away: retrieval rises.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import oracles

import realign_core as rc

N, MEANINGS, CLASSES = 240, 32, 4
METHODS = ("identity", "mean_shift", "random_target")


def rows(kind: str, n: int = N, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Target, source `(n, MEANINGS + 2)` and labels `(n,)`: `"harmed"`, `"helped"` or `"spared"`."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(n) % CLASSES)
    centres = 1.5 * np.eye(MEANINGS)[:CLASSES]
    meaning = oracles.unit(centres[labels] + generator.standard_normal((n, MEANINGS)) / np.sqrt(MEANINGS))
    along = generator.uniform(*{"harmed": (0.4, 0.8), "helped": (-0.5, 0.5), "spared": (0, 0)}[kind], n)
    x = np.column_stack([np.sqrt(1 - along**2)[:, None] * meaning, along, np.zeros(n)])
    if kind == "spared":
        noise = 0.45 * generator.standard_normal((2, n, MEANINGS)) / np.sqrt(MEANINGS)
        x, y = (np.column_stack([oracles.unit(meaning + part), np.zeros((n, 2))]) for part in noise)
        return x, y, labels
    leaning = {"harmed": (0, 1), "helped": (1, 0)}[kind]
    y = np.column_stack([0.25 * meaning, np.tile(np.sqrt(1 - 0.25**2) * np.array(leaning), (n, 1))])
    return x, y, labels


@cache
def judged(kind: str, methods: tuple[str, ...] = METHODS, labelled: bool = True) -> rc.Comparison:
    """The comparison of one of the sets."""
    x, y, labels = rows(kind)
    names = np.array(["cat", "dog", "elk", "fox"], dtype=object)[labels] if labelled else None
    data = rc.EmbeddingPair.from_arrays(x, y, paired="yes", labels=names)
    return rc.compare(data, methods=list(methods), k=5)
