"""Which rows of large sets methods are judged on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from realign_core.comparison.projection import SHOWN_ROWS
from realign_core.comparison.settings import Settings
from realign_core.load import EmbeddingPair
from realign_core.load.strata import Strata, in_words, sample_both, strata_of


class Sampling:
    """The seeded, stratified sample of at most `score_rows` rows of each set that scores rest on."""

    def __init__(self, data: EmbeddingPair, settings: Settings):
        self.data, self.settings = data, settings

    @property
    def in_memory(self) -> bool:
        """Whether all rows are loaded and judged on, none left out by the sample."""
        return max(len(self.data.target), len(self.data.source)) <= self.settings.score_rows

    @property
    def notes(self) -> list[str]:
        """What is to be said of it; nothing where no row is left out."""
        if self.in_memory:
            return []
        return [
            f"Methods are fitted on all rows and judged on a seeded sample of at most "
            f"{self.settings.score_rows} rows of each set, {in_words(self.strata)} (the in-sample centroid "
            "gap on all rows); scores that depend on density, such as retention, hold for that many rows."
        ]

    @cached_property
    def strata(self) -> tuple[Strata, Strata]:
        """The parts of target and source that samples hold in their shares."""
        return strata_of(self.data, min(self.settings.score_rows, SHOWN_ROWS))

    def strata_on(self, rows: Sequence[np.ndarray]) -> tuple[Strata, Strata]:
        """The strata of these rows of target and source."""
        return self.strata[0].of(rows[0]), self.strata[1].of(rows[1])

    def of(self, target: np.ndarray, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """At most `score_rows` of each, seeded; the same pairs of both where they are pairs.

        Rows that are read from files come in file order, which is the order that they are read in.
        """
        if self.in_memory:
            return target, target if self.data.paired else source
        settings, both = self.settings, (target, source)
        return sample_both(self.strata, both, settings.score_rows, settings.seed, paired=self.data.paired)
