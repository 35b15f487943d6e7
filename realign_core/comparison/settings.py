"""Every option of an analysis, checked once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from realign_core.validation import (
    check_choice,
    check_count,
    check_fraction,
    check_non_negative,
)

DEFAULT_SCORE_ROWS = 10_000
DEFAULT_K = 10


@dataclass(frozen=True)
class Settings:
    """Options as used. `methods` None means all that fit the data and train no network; `score_rows` caps
    the rows on which methods are judged (a seeded sample beyond it), and `queries` source rows are then
    looked up among all rows too; `method_options` are settings of single methods by name.
    """

    methods: tuple[str, ...] | None = None
    energy: float = 0.99
    k: int = DEFAULT_K
    split: float = 0.5
    seed: int = 0
    device: str = "auto"
    c3_sigma: float | None = None
    bootstrap: int = 200
    score_rows: int = DEFAULT_SCORE_ROWS
    queries: int = 0
    method_options: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fraction("--energy", self.energy)
        check_count("--k", self.k)
        check_fraction("--split", self.split, high_open=True)
        check_count("--seed", self.seed, least=0)
        check_choice("--device", self.device, ("auto", "cpu", "cuda", "mps"))
        check_count("--bootstrap", self.bootstrap, least=2)
        check_count("--score-rows", self.score_rows, least=2)
        check_count("--queries", self.queries, least=0)
        if self.c3_sigma is not None:
            check_non_negative("--c3-sigma", self.c3_sigma)

    def options_of(self, name: str) -> dict[str, Any]:
        """Settings of one method beyond its defaults."""
        options: dict[str, Any] = {}
        if name == "c3" and self.c3_sigma is not None:
            options["sigma"] = self.c3_sigma
        if name == "blockwise":
            options["energy"] = self.energy
        return {**options, **self.method_options.get(name, {})}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
