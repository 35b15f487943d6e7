"""What `analyze` prints: the findings in words, then the methods at a glance."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator

from realign_core.comparison import Comparison, MethodResult
from realign_core.findings import cost_warning, use_findings

WIDTH = 100
COLUMNS = (
    ("centroid_gap", "gap"),
    ("retention", "kept"),
    ("entropy_mixing_target", "covered"),
    ("mixing", "mixing"),
    ("recall_at_1", "recall@1"),
    ("trace_ratio", "trace"),
)


def summary(comparison: Comparison) -> str:
    """Plain text, at most 100 columns wide."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    gap, parts = comparison.diagnosis.gap, comparison.diagnosis.decomposition
    data = comparison.dataset
    pairs = "pairs" if data.paired else "unpaired rows"
    yield f"{data.n_target} target and {data.n_source} source rows, {pairs}, dimension {data.dim}"
    yield (
        f"gap {_number(gap.centroid_distance)} "
        f"(sampling floor {_number(gap.sampling_floor)}, 95 % {_number(gap.sampling_floor_95)})"
    )
    yield (
        f"  principal bias {_number(parts.pmb_norm)}, orthogonal bias {_number(parts.cob_norm)}, "
        f"residual energy {_number(parts.u_residual_energy)} in U (rank {comparison.diagnosis.frame.rank}) "
        f"and {_number(parts.v_residual_energy)} in V"
    )
    yield ""
    yield from _table(comparison)
    for text in _uses(comparison):
        yield from textwrap.wrap(_typed(text), WIDTH, subsequent_indent="  ")
    for warning in comparison.warnings:
        yield f"note: {warning}"


def _table(comparison: Comparison) -> Iterator[str]:
    held_out = any(method and method.held_out for method in comparison.methods.values())
    yield f"{'held-out' if held_out else 'in-sample':<14}" + "".join(f"{label:>11}" for _, label in COLUMNS)
    for name, method in comparison.methods.items():
        yield f"{name:<14}" + "".join(f"{_cell(method, score):>11}" for score, _ in COLUMNS)
    if held_out and comparison.reference:
        cells = (_number(comparison.reference.get(score)) for score, _ in COLUMNS)
        yield f"{'(target)':<14}" + "".join(f"{cell:>11}" for cell in cells)


def _cell(method: MethodResult | None, score: str) -> str:
    return "-" if method is None else _number((method.held_out or method.in_sample)[score])


def _uses(comparison: Comparison) -> Iterator[str]:
    """The largest cost in full and the others in short, then what is gained or left open."""
    warning = cost_warning(comparison)
    if warning is not None:
        yield f"cost: {' '.join(warning).strip()}"
    yield from (f"use: {finding.text}" for finding in use_findings(comparison) if finding.topic != "costs")


def _typed(text: str) -> str:
    """The text with numbers as terminals of any encoding show them."""
    powers = re.sub(r"\s×\s10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", "e", text)  # noqa: RUF001
    return unicodedata.normalize("NFKC", powers).replace("\u2212", "-")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if 1e-3 <= abs(value) < 1e3 or value == 0 else f"{value:.2e}"
