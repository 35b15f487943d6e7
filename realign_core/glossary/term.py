"""One entry of the glossary, and entries that come in twos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Term:
    """What a figure is: its name, a sentence on what it means and what is good, formula, range, source.

    `better` is the direction that is better, None where neither is or where it depends.
    """

    label: str
    meaning: str
    formula: str
    range: str
    better: Literal["up", "down"] | None
    source: str


PROJECT = "Gapscope"
R, A, C, L = "arXiv 2602.07026", "arXiv 2605.07825", "arXiv 2401.08567", "arXiv 2203.02053"
LENGTH = "0 or more, length on the unit sphere"
ENERGY = "0 or more, squared length"


def sides(
    label: str,
    meaning: str,
    formula: str,
    span: str,
    source: str,
    better: Literal["up", "down"] | None = None,
) -> dict[str, Term]:
    """The same figure of target and source."""
    return {
        side: Term(
            f"{label}, {side}", meaning.format(side=side), formula.format(s=letter), span, better, source
        )
        for side, letter in (("target", "x"), ("source", "y"))
    }


def blocks(label: str, meaning: str, formula: str, span: str, source: str) -> dict[str, Term]:
    """The same figure in U and in V."""
    return {
        w: Term(
            f"{label} in {w.upper()}",
            meaning.format(w=w.upper()),
            formula.format(w=w.upper()),
            span,
            None,
            source,
        )
        for w in ("u", "v")
    }


def named(section: str, name: str, terms: dict[str, Term]) -> dict[str, Term]:
    return {f"{section}.{name}_{key}": term for key, term in terms.items()}
