"""Synthetic pairs and the statistics that the diagnostics read off them."""

from __future__ import annotations

import numpy as np

from realign_core.diagnostics import PairStatistics
from realign_core.frame import FixedFrame


def pairs(n=120, dim=7, seed=0):
    generator = np.random.default_rng(seed)
    base = generator.standard_normal((n, dim)) / np.arange(1, dim + 1)
    noise = generator.standard_normal((2, n, dim)) * 0.3
    shift = generator.standard_normal((2, 1, dim))
    return base + noise[0] + shift[0], base + noise[1] + shift[1]


def collect(x, y, paired=True, **options):
    return PairStatistics.collect(x, y, paired=paired, **options)


def framed(statistics, energy=0.9):
    return FixedFrame.from_moments(statistics.source, statistics.target, energy=energy)
