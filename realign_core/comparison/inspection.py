"""What a method did to single rows: neighbours kept and lost, the rows harmed most, the effect per label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realign_core.comparison.result import JudgedRows, NeighbourLists

RESAMPLES = 1_000


@dataclass(frozen=True)
class Neighbourhood:
    """The k nearest source rows of one row before and after a map, as places among the judged rows.

    `kept` marks those before that are still there; `stayed` those after that were there before.
    """

    before: np.ndarray
    before_cosines: np.ndarray
    kept: np.ndarray
    after: np.ndarray
    after_cosines: np.ndarray
    stayed: np.ndarray

    @property
    def share(self) -> float:
        """Share of the neighbours that were kept."""
        return float(self.kept.mean())


@dataclass(frozen=True)
class LabelEffect:
    """Mean share of neighbours kept by the rows of a label, with its 95 % interval.

    None stands in for the interval of a single row or group.
    """

    label: str
    rows: int
    kept: float
    interval: tuple[float, float] | None


def neighbourhood(rows: JudgedRows, after: NeighbourLists, place: int, k: int) -> Neighbourhood:
    """The neighbours of the row at `place` before and after a map; at most as many as there are."""
    old, new = rows.before.places[place, :k], after.places[place, :k]
    return Neighbourhood(
        before=old,
        before_cosines=rows.before.cosines[place, :k],
        kept=np.isin(old, new),
        after=new,
        after_cosines=after.cosines[place, :k],
        stayed=np.isin(new, old),
    )


def shares_kept(rows: JudgedRows, after: NeighbourLists, k: int) -> np.ndarray:
    """Neighbourhood retention of every judged row, `(n,)` float64."""
    old, new = rows.before.places[:, :k], after.places[:, :k]
    found = np.zeros(len(old), dtype=np.int64)
    for column in range(new.shape[1]):
        found += (old == new[:, column, None]).any(axis=1)
    return found / old.shape[1]


def most_harmed(shares: np.ndarray, count: int) -> np.ndarray:
    """Places of the `count` rows that kept the smallest share, the least first; ties by place."""
    return np.argsort(shares, kind="stable")[:count]


def label_effects(
    shares: np.ndarray, labels: np.ndarray, *, groups: np.ndarray | None = None, seed: int = 0
) -> tuple[LabelEffect, ...]:
    """The share kept by the rows of each label, the least first; rows without a label are left out.

    Intervals are a percentile bootstrap of the rows, with `groups` (pairs that share a row) drawn whole.
    """
    texts = np.array(["" if label is None else str(label) for label in labels], dtype=object)
    generator = np.random.default_rng(seed)
    effects = []
    for label in sorted(set(texts) - {""}):
        members = np.flatnonzero(texts == label)
        unit = None if groups is None else groups[members]
        effects.append(
            LabelEffect(
                label=label,
                rows=len(members),
                kept=float(shares[members].mean()),
                interval=_interval(shares[members], unit, generator),
            )
        )
    return tuple(sorted(effects, key=lambda effect: (effect.kept, effect.label)))


def _interval(
    values: np.ndarray, unit: np.ndarray | None, generator: np.random.Generator
) -> tuple[float, float] | None:
    sums, sizes = values, np.ones(len(values))
    if unit is not None:
        _, place = np.unique(unit, return_inverse=True)
        sums, sizes = np.bincount(place, weights=values), np.bincount(place).astype(float)
    count = len(sums)
    if count < 2:
        return None
    weights = generator.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    low, high = np.percentile(weights @ sums / (weights @ sizes), [2.5, 97.5])
    return float(low), float(high)
