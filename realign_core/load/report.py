"""What was loaded, in numbers and in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class NormRange:
    """Smallest, mean and largest norm of the usable rows as stored."""

    min: float
    mean: float
    max: float

    @classmethod
    def of(cls, norms: np.ndarray) -> NormRange:
        return cls(float(norms.min()), float(norms.mean()), float(norms.max()))

    @property
    def is_unit(self) -> bool:
        return self.min >= 0.99 and self.max <= 1.01


@dataclass(frozen=True)
class RowsDropped:
    """Rows left out of each set, and unusable rows of both sets by reason."""

    target: int
    source: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class LoadReport:
    """Counts and checks of a loaded pair; `n_*` are the rows that are used.

    `paired_cosine`, `shuffled_cosine`, `pairing_z` and `pairing_t` are None for sets that cannot be pairs
    (unequal counts, or `paired="no"`), `groups` (their number) for sets that are not. `duplicates_*` count
    the rows that repeat an earlier one after normalising. `provenance_*` are what the files say of
    the model that made the rows, None where they say nothing. `asked_paired` and `max_rows` are the options.
    """

    n_target: int
    n_source: int
    dim: int
    dtype_target: str
    dtype_source: str
    path_target: str
    path_source: str
    paired: bool
    paired_cosine: float | None
    shuffled_cosine: float | None
    pairing_z: float | None
    pairing_t: float | None
    groups: int | None
    rows_dropped: RowsDropped
    norm_target: NormRange
    norm_source: NormRange
    duplicates_target: int
    duplicates_source: int
    warnings: tuple[str, ...] = field(default=())
    provenance_target: Mapping[str, Any] | None = None
    provenance_source: Mapping[str, Any] | None = None
    asked_paired: str = "auto"
    max_rows: int | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The options of loading as used, for the `settings` part of the JSON."""
        return {"paired": self.asked_paired, "max_rows": self.max_rows}

    def to_dict(self) -> dict[str, Any]:
        """The `dataset` part of the JSON (interface.md), with types, paths and duplicates added."""
        found = {**asdict(self), "warnings": list(self.warnings)}
        del found["asked_paired"], found["max_rows"]
        return found
