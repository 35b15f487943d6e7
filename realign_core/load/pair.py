"""Two sets of embeddings as one input: which rows are used, and whether they are pairs."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from realign_core.checkpoint import tell
from realign_core.load.arrays import ArrayRows, TensorRows, is_tensor
from realign_core.load.batches import Batches, RowSource
from realign_core.load.columns import merge_columns
from realign_core.load.digests import digests
from realign_core.load.groups import join_groups
from realign_core.load.identify import match_ids
from realign_core.load.members import Sidecar, check_float, type_name
from realign_core.load.notes import pairing_notes, set_notes
from realign_core.load.opening import Opened, open_both, open_one
from realign_core.load.pairing import PairingEvidence, pairing_evidence
from realign_core.load.provenance import provenance_notes
from realign_core.load.report import LoadReport, NormRange, RowsDropped
from realign_core.load.sides import ROLES, Side, read_sides
from realign_core.validation import UnusableInput, check_choice, check_count

Paired = Literal["auto", "yes", "no"]


@dataclass(frozen=True, eq=False)
class EmbeddingPair:
    """Target (image) and source (text) rows as stored, not normalised, with what is known about them.

    `target` and `source` are re-iterable `Batches` of the usable rows; consumers normalise in float64 where
    `normalize` says so. `groups`, int64 (n,) or None for unpaired sets, labels pairs that share a row.
    `ids`, `labels` and `image_paths` follow the target's rows and `captions` the source's; each is an
    array or None.
    """

    target: Batches
    source: Batches
    paired: bool
    report: LoadReport
    normalize: bool = True
    ids: np.ndarray | None = None
    groups: np.ndarray | None = None
    captions: np.ndarray | None = None
    labels: np.ndarray | None = None
    image_paths: np.ndarray | None = None

    @classmethod
    def from_arrays(
        cls,
        target: Any,
        source: Any = None,
        *,
        paired: Paired = "auto",
        normalize: bool = True,
        max_rows: int | None = None,
        seed: int = 0,
        ids: Any = None,
        captions: Any = None,
        labels: Any = None,
        image_paths: Any = None,
    ) -> EmbeddingPair:
        """As `load_pair`, of NumPy arrays, torch tensors or row sources; the columns have a value a row."""
        both = _in_memory(target, source)
        sidecar = Sidecar(ids=ids, captions=captions, labels=labels, image_paths=image_paths)
        first, second = (Opened(side.rows, side.name, sidecar) for side in both)
        return _pair(first, second, paired=paired, normalize=normalize, max_rows=max_rows, seed=seed)


def load_pair(
    target: Any,
    source: Any = None,
    *,
    paired: Paired = "auto",
    normalize: bool = True,
    max_rows: int | None = None,
    seed: int = 0,
    trusted: bool = True,
) -> EmbeddingPair:
    """Open two sets, or one file or folder that holds both, drop unusable rows and settle the pairing.

    Rows that are NaN, infinite or zero are dropped, in pairs where the sets are pairs. `max_rows` reads a
    seeded sample of that many rows at most. `trusted=False` refuses pickles. Arrays and tensors serve in
    place of paths. Raises UnusableInput for what cannot be read or compared.
    """
    if not isinstance(target, (str, os.PathLike)):
        both = _in_memory(target, source, trusted)
    elif source is None:
        found = open_both(target, trusted=trusted)
        if found is None:
            name = os.fspath(target)
            raise UnusableInput(f"{name} holds one set of embeddings; name the source file as well")
        both = found
    else:
        first = open_one(target, role="target", trusted=trusted)
        if isinstance(source, (str, os.PathLike)):
            both = first, open_one(source, role="source", trusted=trusted)
        else:
            both = first, _one_in_memory(source, "the source")
    return _pair(*both, paired=paired, normalize=normalize, max_rows=max_rows, seed=seed)


def _in_memory(target: Any, source: Any, trusted: bool = True) -> tuple[Opened, Opened]:
    if source is None:
        if getattr(target, "ndim", 0) != 3 or target.shape[0] != 2:
            raise UnusableInput("the source is missing; give two arrays (n, d) or one (2, n, d) array")
        return _one_in_memory(target[0], "the target"), _one_in_memory(target[1], "the source")
    if isinstance(source, (str, os.PathLike)):
        return _one_in_memory(target, "the target"), open_one(source, role="source", trusted=trusted)
    return _one_in_memory(target, "the target"), _one_in_memory(source, "the source")


def _one_in_memory(value: Any, name: str) -> Opened:
    if isinstance(value, (Batches, RowSource)):
        return Opened(value, name)
    try:
        array = value if is_tensor(value) else np.asarray(value)
    except ValueError as error:
        raise UnusableInput(f"{name} has ragged rows; every row needs the same dimension") from error
    if is_tensor(array):
        check_float(name, str(array.dtype).removeprefix("torch."), "f")
    else:
        check_float(name, *type_name(array.dtype))
    if array.ndim != 2:
        raise UnusableInput(f"{name} has shape {tuple(array.shape)}; embeddings are (n, d), a row per sample")
    return Opened(TensorRows(array) if is_tensor(array) else ArrayRows(array), name)


def _pair(
    target: Opened, source: Opened, *, paired: Paired, normalize: bool, max_rows: int | None, seed: int
) -> EmbeddingPair:
    check_choice("paired", paired, ("auto", "yes", "no"))
    if max_rows is not None:
        check_count("max_rows", max_rows, least=2)
    counts = target.rows.shape[0], source.rows.shape[0]
    _check_shapes(target, source, paired)
    match = match_ids(target, source, paired)
    alike = counts[0] == counts[1] and paired != "no" and match.possible
    wanted = _wanted(counts, match.order, alike, max_rows, seed)
    sides = read_sides((target, source), wanted, normalize=normalize)
    tell("looking for pairs and repeated rows")
    joint = sides[0].good & sides[1].good if alike else None
    evidence, labels = None, []
    if joint is not None and joint.sum() >= 2:
        labels = [side.labels(joint, role) for side, role in zip(sides, ROLES, strict=True)]
        evidence = pairing_evidence(
            sides[0].batches(joint), sides[1].batches(joint), labels[0][0], labels[1][0], seed=seed
        )
    is_paired = alike and (paired == "yes" or (evidence is not None and evidence.convinces))
    keep = (joint, joint) if joint is not None and is_paired else (sides[0].good, sides[1].good)
    for side, kept in zip(sides, keep, strict=True):
        side.require(kept)
    if joint is None or not labels or not all(np.array_equal(kept, joint) for kept in keep):
        labels = [side.labels(*rest) for side, *rest in zip(sides, keep, ROLES, strict=True)]
    groups = join_groups(labels[0][0], labels[1][0]) if is_paired else None
    columns = merge_columns(sides, keep, is_paired)
    report = _report(sides, keep, labels, groups, evidence, is_paired)
    notes = [*dict.fromkeys((*target.notes, *source.notes)), *match.notes]
    for role, side, kept, (_, different) in zip(ROLES, sides, keep, labels, strict=True):
        notes += set_notes(side, role, kept, different=different, dim=report.dim, normalize=normalize)
    for role, side, count in zip(ROLES, sides, counts, strict=True):
        if side.wanted is not None and len(side.wanted) < count:
            read = len(side.wanted)
            notes.append(f"The {role} is a random sample of {read} of its {count} rows (seed {seed}).")
    used = report.n_target, report.n_source
    rows = used if is_paired else counts
    notes += pairing_notes(evidence, asked=paired, paired=is_paired, rows=rows, groups=report.groups)
    if used[0] == used[1] and _same_rows(sides, keep):
        notes.append("Target and source are the same rows, so there is no gap to measure.")
    notes += provenance_notes(report.provenance_target, report.provenance_source)
    return EmbeddingPair(
        target=sides[0].batches(keep[0]),
        source=sides[1].batches(keep[1]),
        paired=is_paired,
        report=replace(report, warnings=tuple(notes), asked_paired=paired, max_rows=max_rows),
        normalize=normalize,
        groups=groups,
        **columns,
    )


def _same_rows(sides: tuple[Side, Side], keep: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether the used rows of both sets are equal, in norms and in directions."""
    for name in ("norm", "sketch"):
        first, second = (getattr(side.scan, name)[kept] for side, kept in zip(sides, keep, strict=True))
        if not np.array_equal(first, second):
            return False
    # Rows of one norm and one sketch hardly ever differ, so that only such sets are read again.
    each = zip(sides, keep, ROLES, strict=True)
    first, second = (digests(side.batches(kept), name=role) for side, kept, role in each)
    return np.array_equal(first, second)


def _check_shapes(target: Opened, source: Opened, paired: Paired) -> None:
    (n, d), (m, e) = target.rows.shape, source.rows.shape
    if d != e:
        raise UnusableInput(
            f"{target.name} has dimension {d} and {source.name} has {e}; "
            "both sets must come from one embedding space of the same dimension"
        )
    for side, count in ((target, n), (source, m)):
        if count < 2:
            raise UnusableInput(f"{side.name} has {count} row{'s' * (count != 1)}; at least 2 are needed")
    if paired == "yes" and n != m:
        raise UnusableInput(
            f"paired is yes, but {target.name} has {n} rows and {source.name} has {m}; "
            "give as many of each, or use paired=no"
        )


def _wanted(
    counts: tuple[int, int], order: np.ndarray | None, alike: bool, max_rows: int | None, seed: int
) -> list[np.ndarray | None]:
    """Row indices to read of each set, None for all: the same for both sets where they may be pairs."""
    generator = np.random.default_rng(seed)
    wanted: list[np.ndarray | None] = []
    for count in counts:
        if max_rows is None or count <= max_rows:
            wanted.append(None)
        elif alike and wanted:
            wanted.append(wanted[0])
        else:
            wanted.append(np.sort(generator.choice(count, max_rows, replace=False)))
    if alike and order is not None:
        wanted[1] = order if wanted[0] is None else order[wanted[0]]
    return wanted


def _report(
    sides: tuple[Side, Side],
    keep: tuple[np.ndarray, np.ndarray],
    labels: list[tuple[np.ndarray, int]],
    groups: np.ndarray | None,
    evidence: PairingEvidence | None,
    paired: bool,
) -> LoadReport:
    target, source = sides
    n, m = int(keep[0].sum()), int(keep[1].sum())
    reasons = Counter(target.reasons()) + Counter(source.reasons())
    return LoadReport(
        n_target=n,
        n_source=m,
        dim=target.opened.rows.shape[1],
        dtype_target=target.opened.rows.dtype,
        dtype_source=source.opened.rows.dtype,
        path_target=target.opened.name,
        path_source=source.opened.name,
        paired=paired,
        paired_cosine=None if evidence is None else evidence.paired_cosine,
        shuffled_cosine=None if evidence is None else evidence.shuffled_cosine,
        pairing_z=None if evidence is None else evidence.z,
        pairing_t=None if evidence is None else evidence.t,
        groups=None if groups is None else int(groups.max()) + 1,
        rows_dropped=RowsDropped(len(keep[0]) - n, len(keep[1]) - m, dict(reasons)),
        norm_target=NormRange.of(target.scan.norm[keep[0]]),
        norm_source=NormRange.of(source.scan.norm[keep[1]]),
        duplicates_target=n - labels[0][1],
        duplicates_source=m - labels[1][1],
        provenance_target=target.opened.provenance,
        provenance_source=source.opened.provenance,
    )
