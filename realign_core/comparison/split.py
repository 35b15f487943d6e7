"""Which rows a method is fitted on and which it is judged on (methods, section 0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST_EVALUATION = 10


@dataclass(frozen=True)
class Split:
    """Row indices of the fitting and the judging side, for target and source; equal arrays for pairs."""

    fit_target: np.ndarray
    fit_source: np.ndarray
    judge_target: np.ndarray
    judge_source: np.ndarray

    @property
    def smallest_judged(self) -> int:
        """Rows on the smaller judging side."""
        return min(len(self.judge_target), len(self.judge_source))


def split_pairs(n: int, split: float, seed: int, groups: np.ndarray | None = None) -> Split:
    """Split n pairs: the first `floor(split n)` of a seeded permutation fit, the rest judge.

    Pairs of one group stay together: groups are taken whole, in the order in which the permutation meets
    them, until the fitting side has its rows.
    """
    order = np.random.default_rng(seed).permutation(n)
    wanted = int(np.floor(split * n))
    if groups is None:
        fit, judge = order[:wanted], order[wanted:]
    else:
        _, label, size = np.unique(groups[order], return_inverse=True, return_counts=True)
        first_met = np.full(len(size), n)
        np.minimum.at(first_met, label, np.arange(n))
        by_meeting = np.argsort(first_met)
        before = np.zeros(len(size), dtype=np.int64)
        before[by_meeting] = np.cumsum(size[by_meeting]) - size[by_meeting]
        on_fit_side = before[label] < wanted
        fit, judge = order[on_fit_side], order[~on_fit_side]
    return Split(fit, fit, judge, judge)


def split_unpaired(n_target: int, n_source: int, split: float, seed: int) -> Split:
    """Split two independent sets: target first, then source, from the same generator."""
    generator = np.random.default_rng(seed)
    sides = []
    for n in (n_target, n_source):
        order = generator.permutation(n)
        wanted = int(np.floor(split * n))
        sides.append((order[:wanted], order[wanted:]))
    (fit_target, judge_target), (fit_source, judge_source) = sides
    return Split(fit_target, fit_source, judge_target, judge_source)
