"""The methods table as plain rows: values, intervals, marks and badges, ready for a page or for HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realign_core.comparison import Comparison
from realign_core.findings.contest import badges, best_method, unresolved_from
from realign_core.glossary import SCORES, aligned, shown

DEFAULT_SCORES = (
    "omega",
    "psi",
    "centroid_gap",
    "entropy_mixing_source",
    "entropy_mixing_target",
    "cosine_js",
    "covariance_discrepancy",
    "trace_ratio",
)
PAIR_SCORES = (
    "paired_cosine",
    "recall_at_1",
    "recall_at_5",
    "recall_at_1_reverse",
    "recall_at_5_reverse",
    "zero_shot",
    "anisotropy",
)
ROUNDING = 1e-12
ARROWS = {"up": "↑", "down": "↓", None: ""}


@dataclass(frozen=True)
class Cell:
    """A score of a method: value and interval, also as text; `best` in its column; `tied` with the best.

    `text` is padded with figure spaces so that decimal points stand under each other.
    """

    value: float | None
    low: float | None
    high: float | None
    text: str
    interval: str
    in_sample: float | None
    in_sample_text: str
    best: bool = False
    tied: bool = False


@dataclass(frozen=True)
class Column:
    """A score: its label, the arrow of what is better, and what a perfect map would read."""

    score: str
    label: str
    arrow: str
    reference: float | None


@dataclass(frozen=True)
class Row:
    """A method with its badges and a cell for each column."""

    method: str
    badges: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Columns and rows; `held_out` says whether the values are held-out or, for want of rows, in-sample."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    held_out: bool


def comparison_table(
    result: Comparison, scores: Sequence[str] = DEFAULT_SCORES, *, methods: Sequence[str] | None = None
) -> Table:
    """The table of the comparison: held-out values where there are any; scores nobody has are left out."""
    names = result.methods if methods is None else methods
    fitted = {name: result.fitted[name] for name in names if name in result.fitted}
    held_out = any(method.held_out for method in fitted.values())
    columns = []
    cells: dict[str, list[Cell]] = {name: [] for name in fitted}
    for score in scores:
        values = {name: (m.held_out or m.in_sample).get(score) for name, m in fitted.items()}
        if all(value is None for value in values.values()):
            continue
        term = SCORES[score]
        columns.append(Column(score, term.label, ARROWS[term.better], result.reference.get(score)))
        best = best_method(result, score)
        tied = unresolved_from(result, best, score) if best else ()
        texts = dict(zip(fitted, aligned([_text(values[name]) for name in fitted])))
        for name, method in fitted.items():
            low, high = method.interval.get(score, (None, None))
            inside = method.in_sample.get(score)
            cells[name].append(
                Cell(
                    value=values[name],
                    low=low,
                    high=high,
                    text=texts[name],
                    interval="" if low is None else f"{_text(low)} to {_text(high)}",
                    in_sample=inside,
                    in_sample_text=_text(inside),
                    best=name == best,
                    tied=name in tied,
                )
            )
    rows = tuple(Row(name, badges(method), tuple(cells[name])) for name, method in fitted.items())
    return Table(tuple(columns), rows, held_out)


def _text(value: float | None) -> str:
    return "0" if value is not None and abs(value) < ROUNDING else shown(value)
