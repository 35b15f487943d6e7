"""One entry of the glossary."""

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
