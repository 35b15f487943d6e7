"""A seeded sample of rows that keeps the shares of a set's parts: of its labels, or of places in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from realign_core.load.arrays import ConcatRows
from realign_core.load.batches import Batches

if TYPE_CHECKING:
    from realign_core.load.pair import EmbeddingPair

SLICES = 64
"""Equal parts of a file that serve as strata where rows have no labels; shards of a folder are parts too."""
BY_LABEL, BY_PLACE = "label", "place in the file"


@dataclass(frozen=True, eq=False)
class Strata:
    """`code` int32 (n,) numbers the stratum of each row; `by` says in words what the strata are."""

    code: np.ndarray
    by: str

    def of(self, rows: np.ndarray) -> Strata:
        """The strata of the rows with these numbers, in their order."""
        return Strata(self.code[rows], self.by)

    def sample(self, rows: np.ndarray, size: int, seed: int | np.random.Generator) -> np.ndarray:
        """`size` of these row numbers, ascending, shares kept; all of them where they are no more."""
        return np.sort(rows[stratified(self.code[rows], size, seed)])


def strata_of(pair: EmbeddingPair, size: int) -> tuple[Strata, Strata]:
    """The strata of target and source from which `size` rows are to be drawn.

    Pairs go by their labels, and so do the targets of unpaired sets, which labels belong to; everything else,
    and sets with more labels than rows to draw, goes by the place in the file. Pairs share their strata, so
    that one sample serves both sets.
    """
    target = by_label(pair.labels, size) or by_place(pair.target)
    return target, target if pair.paired else by_place(pair.source)


def sample_both(
    strata: Sequence[Strata], rows: Sequence[np.ndarray], size: int, seed: int, *, paired: bool
) -> tuple[np.ndarray, np.ndarray]:
    """At most `size` of the target's and of the source's row numbers, ascending; of pairs the same."""
    generator = np.random.default_rng(seed)
    target = strata[0].sample(rows[0], size, generator)
    return target, target if paired else strata[1].sample(rows[1], size, generator)


def in_words(strata: Sequence[Strata]) -> str:
    """By what the rows of target and source are stratified, as a part of a sentence."""
    target, source = (part.by for part in strata)
    if target == source:
        return f"stratified by {target}"
    return f"target rows stratified by {target}, source rows by {source}"


def by_label(labels: np.ndarray | None, size: int) -> Strata | None:
    """A stratum for each label, and one for rows without any; None for more of them than `size`, or one."""
    if labels is None:
        return None
    numbers: dict[str, int] = {}
    # None and NaN, which alone differs from itself, are no label.
    texts = ("" if label is None or label != label else str(label) for label in labels)
    code = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int32, len(labels))
    return Strata(code, BY_LABEL) if 1 < len(numbers) <= size else None


def by_place(rows: Batches) -> Strata:
    """A stratum for each of `SLICES` equal parts of a file, cut further where one shard ends."""
    n = rows.source.shape[0]
    edges = np.linspace(0, n, SLICES + 1).round().astype(np.int64)
    if isinstance(rows.source, ConcatRows):
        edges = np.union1d(edges, rows.source.ends)
    place = np.arange(n) if rows.keep is None else rows.keep
    return Strata(np.searchsorted(edges, place, side="right").astype(np.int32), BY_PLACE)


def stratified(code: np.ndarray, size: int, seed: int | np.random.Generator) -> np.ndarray:
    """Places, ascending, of `size` rows drawn at random within the strata that `code` (n,) numbers.

    Each stratum gives its share of the sample (`shares_of`); all n places where there are no more.
    """
    if len(code) <= size:
        return np.arange(len(code))
    generator = np.random.default_rng(seed)
    _, stratum, counts = np.unique(code, return_inverse=True, return_counts=True)
    wanted = shares_of(counts, size)
    # A shuffled order of the rows, stratum by stratum: the first of each are a random part of it.
    shuffled = generator.permutation(len(code))
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    rank = np.arange(len(code)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[rank < np.repeat(wanted, counts)])


def shares_of(counts: np.ndarray, size: int) -> np.ndarray:
    """How many of `size` rows, at most all, each stratum of `counts` rows gives: int64, summing to `size`.

    Proportional by the largest remainder; where there are rows enough, a stratum that would give none gives
    one, at the cost of the stratum most above its share.
    """
    quota = counts * (size / counts.sum())
    found = np.floor(quota).astype(np.int64)
    left = size - int(found.sum())
    found[np.argsort(found - quota, kind="stable")[:left]] += 1
    if size >= len(counts):
        for empty in np.flatnonzero(found == 0):
            found[np.argmax(np.where(found > 1, found - quota, -np.inf))] -= 1
            found[empty] = 1
    return found
