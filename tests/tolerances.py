"""How close is close enough, by the precision that a figure is computed in."""

EXACT = 1e-12
"""Identities of float64 figures of order one."""

SOLVED = 1e-9
"""float64 figures that went through an eigenproblem or a linear solve."""

COSINE32 = 2e-6
"""Figures read off float32 products of unit rows, and means of them."""

GOLDEN = 1e-6
"""Agreement with an independent implementation on real data."""

GOLDEN_SENSITIVE = 1e-2
"""The same for condition numbers, rank-sensitive correlations and histograms with edges."""

GOLDEN_ZERO = 1e-9
"""The same, absolute, for figures that are zero but for rounding."""
