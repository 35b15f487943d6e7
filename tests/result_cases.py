"""Small comparisons with a known make-up, each computed once, for tests of figures, findings and report."""

from __future__ import annotations

from functools import cache

import numpy as np

import realign_core as rc

EVERY = (
    "identity",
    "mean_shift",
    "c3",
    "anchor_trace",
    "realign",
    "rotation",
    "blockwise",
    "gaussian_ot",
    "procrustes",
    "random_target",
)
FEW = ("identity", "realign")


def rows(n: int, d: int, *, shift: float = 0.8, own: float = 0.3, seed: int = 0):
    """Pairs `(n, d)` that share a meaning, lie `shift` apart and differ by noise of size `own`."""
    generator = np.random.default_rng(seed)
    decay = np.arange(1, d + 1) ** -0.7
    meaning = generator.standard_normal((n, d)) * decay
    away = np.zeros(d)
    away[-1] = shift
    base = np.zeros(d)
    base[0] = 3.0
    target = base + meaning + own * generator.standard_normal((n, d)) * decay
    source = base + 3 * away + meaning + own * generator.standard_normal((n, d)) * decay
    return target, source


def _compare(target, source, methods, *, paired="auto", normalize=True, **options):
    data = rc.EmbeddingPair.from_arrays(target, source, paired=paired, normalize=normalize)
    return rc.compare(data, methods=list(methods), **{"bootstrap": 40, "k": 5, **options})


@cache
def case(name: str):
    """The comparison called `name`."""
    target, source = rows(160, 12)
    if name == "every":
        return _compare(target, source, EVERY, paired="yes")
    if name == "trained":
        small = {"anisoalign": {"steps": 30, "width": 16}}
        return _compare(target, source, ("realign", "anisoalign"), paired="yes", method_options=small)
    if name == "unpaired":
        return _compare(target, source[:130], ("identity", "c3", "realign", "random_target"), paired="no")
    if name == "single":
        return _compare(target, source, ("realign",), paired="yes")
    if name == "plane":
        return _compare(*rows(60, 2), FEW, paired="yes")
    if name == "short":
        return _compare(*rows(30, 50), (*FEW, "blockwise"), paired="yes")
    if name == "few":
        return _compare(*rows(9, 4), FEW, paired="yes", k=3)
    if name == "identical":
        return _compare(target, target, FEW, paired="yes")
    if name == "raw":
        return _compare(target, source, FEW, paired="yes", normalize=False)
    if name == "constant":
        return _compare(target, np.tile(source[:1], (len(target), 1)), FEW, paired="no")
    if name == "no gap":
        same, other = rows(400, 12, shift=0.0, own=0.6)
        return _compare(same[:200], other[200:], FEW, paired="no")
    if name == "whole":
        return _compare(target, source, FEW, paired="yes", energy=1.0)
    raise KeyError(name)


CASES = (
    "every", "unpaired", "single", "plane", "short", "few", "identical", "raw", "constant", "no gap", "whole",
)  # fmt: skip
