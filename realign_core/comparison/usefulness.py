"""What a method does to the use of the embeddings: each score's difference against the untouched source.

Both sides are judged on the same held-out rows and resampled together, so that the interval is that of the
difference and not of two separate figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from realign_core.comparison.scoring import RECALLS

if TYPE_CHECKING:
    from realign_core.comparison.result import Comparison

UNTOUCHED = "identity"
USES = ("recall_at_1", "recall_at_1_reverse", "zero_shot")
"""What people do with embeddings of two modalities, each by its plainest score."""
ROUNDING = 1e-12
EVERY_USE = (
    *(f"recall_at_{k}" for k in RECALLS),
    *(f"recall_at_{k}_reverse" for k in RECALLS),
    "zero_shot",
)


@dataclass(frozen=True)
class Difference:
    """A held-out score `before` (untouched) and `after` a map; `low` to `high` is the 95 % interval of
    `change`, by paired bootstrap. `in_sample` holds before and after on the rows that were fitted on, None
    where the untouched source was not judged there. `at_chance`: neither side is told from guessing, so that
    a change between them is no change in use.
    """

    method: str
    score: str
    before: float
    after: float
    change: float
    low: float
    high: float
    in_sample: tuple[float, float] | None = None
    at_chance: bool = False

    @property
    def verdict(self) -> Literal["loss", "gain", "open"]:
        """Whether the sample resolves a loss or a gain: an interval without 0, and a side beyond chance."""
        if self.at_chance:
            return "open"
        return "loss" if self.high < -ROUNDING else "gain" if self.low > ROUNDING else "open"


def differences(
    comparison: Comparison, scores: Sequence[str] = EVERY_USE
) -> dict[str, dict[str, Difference]]:
    """Differences by method and score for every fitted method but the untouched source.

    Empty for a method, or without a score, where these data have none: unpaired sets, no held-out rows, no
    labels.
    """
    found: dict[str, dict[str, Difference]] = {}
    for name in comparison.fitted:
        if name != UNTOUCHED:
            every = (difference(comparison, name, score) for score in scores)
            found[name] = {one.score: one for one in every if one is not None}
    return found


def difference(comparison: Comparison, name: str, score: str) -> Difference | None:
    """What a method changes in one score; None where either side has no value or no interval."""
    method, base = comparison.methods.get(name), comparison.untouched
    if method is None or base is None or not (score in method.replicates and score in base.replicates):
        return None
    after, before = method.held(score), base.held_out.get(score)
    if after is None or before is None:
        return None
    change = after - before
    low, high = method.replicates[score].minus(base.replicates[score]).interval(change)
    inside = base.in_sample.get(score), method.in_sample.get(score)
    counts = comparison.classes.get("held_out")
    chance = counts.largest_share if counts is not None and score == "zero_shot" else None
    lows = base.replicates[score].interval(before)[0], method.replicates[score].interval(after)[0]
    return Difference(
        method=name,
        score=score,
        before=before,
        after=after,
        change=change,
        low=low,
        high=high,
        in_sample=None if inside[0] is None or inside[1] is None else (inside[0], inside[1]),
        at_chance=chance is not None and max(lows) <= chance,
    )
