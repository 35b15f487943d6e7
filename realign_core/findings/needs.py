"""The best method for a stated need, among methods as compared and at every value of their dials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np

from realign_core.comparison import Comparison, TradeOffCurves
from realign_core.comparison.intervals import Replicates
from realign_core.comparison.side import SideScores
from realign_core.findings.contest import may_win
from realign_core.findings.finding import ROUNDING, Finding
from realign_core.findings.methods import LABELS
from realign_core.glossary import SCORES, listed, shown

MOVED = ("phi", "centroid_gap")
"""Scores that follow each move of the rows, without the steps of a rank or a histogram."""

SAME = 1e-9
"""Within it two scores of `MOVED` are those of one map, computed in two ways."""

Key = Literal["keep neighbours", "cross the gap", "retrieve"]


@dataclass(frozen=True)
class Need:
    """What a use asks for: the mean of `scores`, called `measure`."""

    key: Key
    scores: tuple[str, ...]
    measure: str


NEEDS = (
    Need("keep neighbours", ("omega",), SCORES["omega"].label),
    Need("cross the gap", ("entropy_mixing_target",), SCORES["entropy_mixing_target"].label),
    Need(
        "retrieve",
        ("recall_at_1", "recall_at_1_reverse"),
        "recall@1, the mean of both directions",
    ),
)


@dataclass(frozen=True, eq=False)
class Contender:
    """A method as compared, or one value of its dial, which `text` names."""

    name: str
    text: str
    scores: SideScores
    uses_pairs: bool = False

    @property
    def collapsed(self) -> bool:
        """Whether the mapped rows have shrunk together."""
        return self.scores.collapsed

    @property
    def label(self) -> str:
        """The method and its value in a sentence."""
        label = LABELS.get(self.name, self.name)
        return f"{label} ({self.text})" if self.text else label

    def value(self, need: Need) -> float | None:
        """The mean of the need's scores; None where one is missing."""
        values = [self.scores.values.get(score) for score in need.scores]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if len(known) == len(values) else None

    def replicates(self, need: Need) -> Replicates | None:
        """Replicates of that mean: the scores' own, resample by resample."""
        found = [self.scores.replicates.get(score) for score in need.scores]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return None
        total = reduce(np.add, (each.values for each in known))
        return Replicates(known[0].kind, total / len(known))


@dataclass(frozen=True)
class Choice:
    """The best for a need, the next of another method, and which methods' best the sample calls level.

    `interval` is that of the best's value, `difference` best minus next with its interval from shared
    resamples; both are None without held-out rows, and then nothing is known to be level.
    """

    need: Need
    best: Contender
    value: float
    interval: tuple[float, float] | None
    runner_up: Contender | None = None
    difference: tuple[float, float, float] | None = None
    tied: tuple[Contender, ...] = ()
    gap_allowed: float | None = None

    @property
    def resolved(self) -> bool:
        """Whether the interval of the difference excludes 0."""
        return self.difference is not None and _excludes_zero(self.difference)


def contenders(result: Comparison, curves: TradeOffCurves) -> tuple[Contender, ...]:
    """Every map that was judged, once: the dials' values, then methods whose settings are none of these."""
    found = [
        Contender(point.method, point.text, point.scores, uses_pairs=point.uses_pairs)
        # Corners first: where a dial's end is the untouched source, that is the plainer name for it.
        for point in (*curves.corners.values(), *(p for curve in curves.curves for p in curve.points))
    ]
    dialled = {contender.name for contender in found}
    for name, method in result.fitted.items():
        scores = method.shown_scores
        if any(other.name == name and other.scores.values == scores.values for other in found):
            continue
        found.append(Contender(name, "as set" if name in dialled else "", scores, method.uses_pairs))
    return tuple(found)


def untouched_gap(found: Sequence[Contender]) -> tuple[float, float | None] | None:
    """The centroid gap before any map and the 95 % bound of its sampling floor."""
    for contender in found:
        if contender.name == "identity":
            gap = contender.scores.values.get("centroid_gap")
            return None if gap is None else (gap, contender.scores.values.get("sampling_floor_95"))
    return None


def best_for(need: Need, found: Sequence[Contender]) -> Choice | None:
    """The best of those that compete; None where the scores do not exist or nobody meets the condition.

    Competing is decided as in the methods' contests; the untouched source also sits out "cross the gap",
    and "keep neighbours" asks for at least half of its gap to be gone. One map under two names is no tie.
    """
    allowed = None
    if need.key == "keep neighbours":
        before = untouched_gap(found)
        if before is None:
            return None
        allowed = before[0] / 2
    values = {
        contender: value
        for contender in found
        if _competes(contender, need, allowed) and (value := contender.value(need)) is not None
    }
    if not values:
        return None
    best = max(values, key=lambda contender: values[contender])
    replicates = best.replicates(need)
    rivals: dict[str, Contender] = {}
    for contender in sorted(values, key=lambda contender: -values[contender]):
        if contender.name != best.name and not _same_map(best, contender, need):
            rivals.setdefault(contender.name, contender)
    differences = {rival: _difference(best, rival, need) for rival in rivals.values()}
    runner_up = next(iter(rivals.values()), None)
    return Choice(
        need,
        best,
        values[best],
        replicates.interval(values[best]) if replicates else None,
        runner_up,
        differences[runner_up] if runner_up else None,
        tuple(rival for rival, gap in differences.items() if gap and not _excludes_zero(gap)),
        allowed,
    )


def _competes(contender: Contender, need: Need, gap_allowed: float | None) -> bool:
    if not all(may_win(contender, score) for score in need.scores):
        return False
    if need.key == "cross the gap" and contender.name == "identity":
        return False
    if gap_allowed is None:
        return True
    gap = contender.scores.values.get("centroid_gap")
    return gap is not None and gap <= gap_allowed


def _difference(best: Contender, other: Contender, need: Need) -> tuple[float, float, float] | None:
    left, right = best.replicates(need), other.replicates(need)
    a, b = best.value(need), other.value(need)
    if left is None or right is None or a is None or b is None:
        return None
    low, high = left.minus(right).interval(a - b)
    return a - b, low, high


def _same_map(best: Contender, other: Contender, need: Need) -> bool:
    """Whether nothing tells them apart: a dial's end is often another method under its own name.

    Different maps may share a score on every row, as where both find every partner; they differ in how far
    they move the rows.
    """
    difference = _difference(best, other, need)
    if difference is None or max(map(abs, difference)) > ROUNDING:
        return False
    moved = ((best.scores.values.get(score), other.scores.values.get(score)) for score in MOVED)
    return all(a is None or b is None or abs(a - b) <= SAME for a, b in moved)


def _excludes_zero(difference: tuple[float, float, float]) -> bool:
    return difference[1] > ROUNDING or difference[2] < -ROUNDING


def need_findings(result: Comparison, curves: TradeOffCurves) -> tuple[Finding, ...]:
    """A sentence or two for each need that these data can answer."""
    found = contenders(result, curves)
    texts = []
    for need in NEEDS:
        if need.key == "keep neighbours" and (no_gap := _nothing_to_cross(found)):
            texts.append(no_gap)
        elif choice := best_for(need, found):
            texts.append(_told(choice))
        elif need.key == "keep neighbours" and untouched_gap(found):
            texts.append("To keep neighbours: no method at least halves the gap, so none is named.")
    return tuple(Finding("needs", text) for text in texts)


def _nothing_to_cross(found: Sequence[Contender]) -> str | None:
    before = untouched_gap(found)
    if before is None:
        return None
    gap, floor = before
    if gap > max(floor or 0.0, ROUNDING):
        return None
    return (
        "To keep neighbours: the gap of the untouched source cannot be told from sampling noise, so there is "
        "none to halve, and doing nothing keeps every neighbour."
    )


def _told(choice: Choice) -> str:
    """The winner with its evidence, the next of another method, and what the sample makes of the two."""
    condition = ""
    if choice.gap_allowed is not None:
        condition = (
            f", among maps that at least halve the centroid gap (to {shown(choice.gap_allowed)} or less)"
        )
    where = f"95 % interval {_span(choice.interval)}, held-out" if choice.interval else "in-sample"
    text = (
        f"To {choice.need.key}{condition}: {choice.best.label} reads highest on {choice.need.measure}, "
        f"{_fixed(choice.value)} ({where})."
    )
    if choice.runner_up is None:
        return f"{text} No other method competes."
    below = choice.runner_up.value(choice.need)
    assert below is not None, "who competes has a value"
    text += f" Next of another method is {choice.runner_up.label}, {_fixed(below)}"
    if choice.difference is None:
        return f"{text}; without held-out rows nothing says whether they differ."
    point, *bounds = choice.difference
    apart = f"{_fixed(point, 4)} ({_span((bounds[0], bounds[1]), 4)})"
    if choice.resolved:
        text += f": {apart} lower in the same resamples, which excludes 0."
    else:
        text += f": a tie, since the difference, {apart} in the same resamples, does not exclude 0."
    also = [rival.label for rival in choice.tied if rival is not choice.runner_up]
    return text + (f" Level with it too: {listed(also)}." if also else "")


def _span(bounds: tuple[float, float], decimals: int = 3) -> str:
    return f"{_fixed(bounds[0], decimals)} to {_fixed(bounds[1], decimals)}"


def _fixed(value: float, decimals: int = 3) -> str:
    """A share with decimals enough to tell close ones apart, and a true minus."""
    rounded = round(value, decimals) or 0.0
    return f"{rounded:.{decimals}f}".replace("-", "\u2212")
