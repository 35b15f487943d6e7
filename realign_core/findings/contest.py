"""Which methods compete in a score, which one is best, and which the sample cannot tell from it."""

from __future__ import annotations

from typing import Protocol

from realign_core.comparison import Comparison, MethodResult
from realign_core.comparison.scoring import SOURCE_KEPT
from realign_core.glossary import SCORES


class Competitor(Protocol):
    """What decides whether a method, or one value of its dial, competes."""

    @property
    def name(self) -> str:
        """The method's name."""

    @property
    def collapsed(self) -> bool:
        """Whether the mapped rows have shrunk together."""

    @property
    def uses_pairs(self) -> bool:
        """Whether it fits on pairs."""


def badges(method: MethodResult) -> tuple[str, ...]:
    """What a reader must know of a method before believing its scores."""
    marks = (
        ("collapsed", method.collapsed),
        ("uses pairs", method.uses_pairs),
        ("adds noise", method.adds_noise),
        ("trained", method.trained),
        ("negative control", method.name == "random_target"),
    )
    return tuple(label for label, applies in marks if applies)


def may_win(method: Competitor, score: str) -> bool:
    """Whether a method competes: not a collapsed one, a control, or one that sees pairs; nor doing nothing
    where nothing is what is asked for.
    """
    if method.collapsed or method.uses_pairs or method.name == "random_target":
        return False
    return not (method.name == "identity" and score in SOURCE_KEPT)


def best_method(result: Comparison, score: str) -> str | None:
    """The method with the best held-out value; None where the score has no better side or nobody competes."""
    better = SCORES[score].better
    values = {
        name: value
        for name, method in result.fitted.items()
        if (value := method.held(score)) is not None and may_win(method, score)
    }
    if better is None or len(values) < 2:
        return None
    return (max if better == "up" else min)(values, key=lambda name: values[name])


def unresolved_from(result: Comparison, best: str, score: str) -> tuple[str, ...]:
    """Competing methods that this sample cannot tell from the best one."""
    return tuple(
        name
        for name, method in result.methods.items()
        if method
        and name != best
        and may_win(method, score)
        and score in method.replicates
        and not result.resolved(best, name, score)
    )
