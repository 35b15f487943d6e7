"""What every number means, in plain words, for pages, report and tooltips; needs neither torch nor plotly."""

from __future__ import annotations

from realign_core.glossary.dataset import DATASET
from realign_core.glossary.gap import GAP
from realign_core.glossary.geometry import GEOMETRY
from realign_core.glossary.numbers import MISSING, aligned, count, listed, percent, share, shown
from realign_core.glossary.scores import SCORES
from realign_core.glossary.term import Term
from realign_core.glossary.training import TRAINING

TERMS: dict[str, Term] = {
    **DATASET,
    **GAP,
    **GEOMETRY,
    **TRAINING,
    **{f"score.{name}": term for name, term in SCORES.items()},
}
"""Entries by path in the JSON; scores as `score.NAME`."""


def term(key: str) -> Term:
    """The entry of a JSON path such as `gap.sampling_floor`, or of a score's name; KeyError without one."""
    return SCORES[key] if key in SCORES else TERMS[key]


__all__ = [
    "MISSING",
    "SCORES",
    "TERMS",
    "Term",
    "aligned",
    "count",
    "listed",
    "percent",
    "share",
    "shown",
    "term",
]
