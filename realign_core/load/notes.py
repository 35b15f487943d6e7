"""The sentences of a load report: what a reader should know before trusting the figures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from realign_core.load.pairing import THRESHOLD, PairingEvidence
from realign_core.load.report import NormRange
from realign_core.load.sides import Side

DIGITS = {"float16": 3, "bfloat16": 2}


def set_notes(
    side: Side, role: str, keep: np.ndarray, *, different: int, dim: int, normalize: bool
) -> Iterator[str]:
    """What stands out in one set of `different` distinct rows."""
    name, n = side.opened.name, int(keep.sum())
    reasons = side.reasons()
    if reasons:
        row, reason = side.first_fault()
        why = ", ".join(f"{count} {text}" for text, count in reasons.items())
        count = sum(reasons.values())
        yield f"The {role} has {count} unusable rows ({why}), dropped; first: row {row} of {name}, {reason}."
    if n < dim:
        yield (
            f"The {role} has {n} rows in {dim} dimensions: its covariance is rank-deficient, "
            "and figures of shape lean on noise."
        )
    if side.opened.rows.dtype in DIGITS:
        dtype = side.opened.rows.dtype
        yield f"The {role} is stored in {dtype}: its numbers carry about {DIGITS[dtype]} significant digits."
    norms = NormRange.of(side.scan.norm[keep])
    if not norms.is_unit:
        done = "rows are normalised before use" if normalize else "rows are used as they are"
        spread = f"norms run from {norms.min:.4g} to {norms.max:.4g} (mean {norms.mean:.4g})"
        yield f"The {role} is not normalised: {spread}; {done}."
    if different == 1:
        yield f"All {n} rows of the {role} are the same: it has no spread to measure."
    elif different < n:
        yield f"The {role} has {n - different} exact duplicates among {n} rows."
    flat = int(side.scan.flat[keep].sum())
    if flat and dim > 1:
        yield f"The {role} has {flat} constant rows (one number in every coordinate)."


def pairing_notes(
    evidence: PairingEvidence | None, *, asked: str, paired: bool, rows: tuple[int, int], groups: int | None
) -> Iterator[str]:
    """How the pairing was settled, where that is worth a sentence."""
    figures = (
        ""
        if evidence is None
        else (
            f"paired cosine {evidence.paired_cosine:.3f} against {evidence.shuffled_cosine:.3f} shuffled, "
            f"Z {_number(evidence.z)}, t {_number(evidence.t)}"
        )
    )
    if not paired and asked == "auto":
        if rows[0] != rows[1]:
            yield f"The sets are treated as unpaired: {rows[0]} target rows and {rows[1]} source rows."
        elif evidence is not None:
            yield (
                f"The sets are treated as unpaired: {figures}; pairs need {THRESHOLD:g} in both. "
                "If row i belongs to row i all the same, say paired=yes."
            )
    if paired and evidence is not None and not evidence.convinces:
        yield f"The rows were declared pairs, but the data do not show it: {figures}."
    if paired and groups is not None and groups < rows[0]:
        shared = "Several captions share an image, or several images a caption"
        yield f"{shared}: {rows[0]} pairs form {groups} groups."


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.1f}"
