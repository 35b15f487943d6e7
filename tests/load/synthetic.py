"""Pairs with a shared signal, and looking for a warning in a report."""

import numpy as np


def pairs(n=200, d=16, seed=0, noise=0.7, dtype=np.float64):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, d))
    y = x + noise * generator.standard_normal((n, d)) + 1.0
    return x.astype(dtype), y.astype(dtype)


def has(report, text):
    return any(text in warning for warning in report.warnings)
