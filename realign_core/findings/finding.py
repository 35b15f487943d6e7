"""One thing that the numbers say."""

from __future__ import annotations

from dataclasses import dataclass

ROUNDING = 1e-12
"""A length at or under this is rounding, not a finding."""


@dataclass(frozen=True)
class Finding:
    """A sentence or two. `topic`: parts, subspace, angle, shape, drift, coupling, sources, costs, uses,
    methods, needs or published; of a training run leakage, stability, locking or decoupling. `score` is
    the one that methods are ranked by, where they are.
    """

    topic: str
    text: str
    score: str | None = None
