"""Zero-shot classification: the label of a target row by the nearest class mean of the mapped source.

A prototype is `normalize(mean of the directions of the mapped source rows of a class)`, as prompts of one
class are averaged for CLIP (arXiv 2103.00020, section 3.1.4); a target row goes to the class of the largest
cosine. Held-out prototypes rest on the fitting rows, which no judged pair belongs to. In-sample ones rest on
the judged rows themselves, less the group of the row that is judged: its own caption would give it away.

Labels choose the rows of a prototype and nothing else; no method sees them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

SMALLEST_CLASS = 2
"""Independent pairs that a class needs on each side: less one, its prototype must still exist."""
NONE = -1
DECIMALS = 12
PAIR_BLOCK = 8_192


@dataclass(frozen=True)
class Classes:
    """`code` `(n,)` numbers the class of every pair of the data, -1 for none; `names` are their labels.

    `prototype_rows` are the pairs whose mapped source rows make the prototypes, None for those judged.
    """

    code: np.ndarray
    names: tuple[str, ...]
    prototype_rows: np.ndarray | None = None

    def counts(self, judged: np.ndarray) -> ClassCounts:
        """How many classes and judged rows there are, and what guessing would read."""
        sizes = np.bincount(self.code[judged][self.code[judged] != NONE], minlength=len(self.names))
        return ClassCounts(
            classes=len(self.names),
            rows=int(sizes.sum()),
            chance=1 / len(self.names),
            largest_share=float(sizes.max() / sizes.sum()),
        )


@dataclass(frozen=True)
class ClassCounts:
    """`chance` is the accuracy of guessing evenly, `largest_share` that of always naming the largest class.

    `rows` counts the judged target rows that have one of the `classes`.
    """

    classes: int
    rows: int
    chance: float
    largest_share: float


def classes_on(
    labels: np.ndarray,
    groups: np.ndarray | None,
    judged: np.ndarray,
    prototype_rows: np.ndarray | None = None,
) -> Classes | None:
    """The classes with at least `SMALLEST_CLASS` groups of pairs on each side; None where they are fewer
    than two.

    `labels` `(n,)` and `groups` `(n,)` are those of all pairs, the others numbers of pairs. Rows without a
    label, or with one of another class, have no class.
    """
    names = np.array([label_text(label) for label in labels], dtype=object)
    unit = np.arange(len(labels)) if groups is None else groups
    sides = [judged] if prototype_rows is None else [judged, prototype_rows]
    kept: set[str] | None = None
    for rows in sides:
        members = {(names[row], unit[row]) for row in rows.tolist() if names[row]}
        found, sizes = np.unique([name for name, _ in members], return_counts=True)
        large = {str(name) for name, size in zip(found, sizes) if size >= SMALLEST_CLASS}
        kept = large if kept is None else kept & large
    ordered = sorted(kept or ())
    if len(ordered) < 2:
        return None
    place = {name: number for number, name in enumerate(ordered)}
    code = np.array([place.get(name, NONE) for name in names], dtype=np.int64)
    if prototype_rows is not None:
        prototype_rows = prototype_rows[code[prototype_rows] != NONE]
    return Classes(code, tuple(ordered), prototype_rows)


def left_out(classes: Classes | None, judged: np.ndarray, which: str) -> list[str]:
    """What a reader must know of the judged rows without a class; nothing where every row has one."""
    if classes is None:
        return [
            f"{which} zero-shot accuracy needs two labels that at least {SMALLEST_CLASS} independent pairs "
            "carry on each side; there are fewer."
        ]
    without = int((classes.code[judged] == NONE).sum())
    if not without:
        return []
    return [
        f"{which} zero-shot accuracy leaves out {without} of {len(judged)} target rows: they have no label, "
        f"or one that fewer than {SMALLEST_CLASS} independent pairs of a side carry."
    ]


def label_text(label: Any) -> str:
    """A label as text; empty for none (None, an empty string, or NaN, which alone differs from itself)."""
    return "" if label is None or label != label else str(label)


def prototypes(directions: Tensor, code: Tensor, count: int) -> Tensor:
    """Unit class means `(count, d)` of unit rows `(m, d)`; a mean of zero stays zero."""
    return _unit(_sums(directions, code, count))


def right_share(target: Tensor, code: Tensor, centres: Tensor) -> Tensor:
    """Whether each unit target row `(n, d)` lies nearest to its own class's centre, `(n,)` float64.

    Where several classes tie for the best, the row counts as guessing among them; NaN where it has no class.
    """
    return _judged(target @ centres.mT, code)


def right_share_without_own(
    target: Tensor, directions: Tensor, code: Tensor, groups: Tensor, count: int
) -> Tensor:
    """As `right_share`, by prototypes of the paired rows `directions` `(n, d)` outside its own group."""
    sums = _sums(directions, code, count)
    cosines = target @ _unit(sums).mT
    for rows, classes, own in _own_parts(directions, code, groups, count):
        left = sums[classes] - own
        norms = torch.linalg.vector_norm(left, dim=1).clamp_min(torch.finfo(left.dtype).tiny)
        cosines[rows, classes] = torch.linalg.vecdot(target[rows], left) / norms
    return _judged(cosines, code)


def _own_parts(
    directions: Tensor, code: Tensor, groups: Tensor, count: int
) -> Iterable[tuple[Tensor, Tensor, Tensor]]:
    """Rows, a class that the row's group has a part in, and the sum of that part `(b, d)`, in blocks."""
    known = torch.nonzero(code != NONE).flatten()
    unit = torch.unique(groups, return_inverse=True)[1]
    part, place = torch.unique(unit[known] * count + code[known], return_inverse=True)
    sums = _sums(directions[known], place, len(part))
    members, sizes = torch.argsort(unit, stable=True), torch.bincount(unit)
    starts = torch.cumsum(sizes, 0) - sizes
    # Every row of a group meets every class that the group has a part in.
    owner = torch.div(part, count, rounding_mode="floor")
    repeated = torch.repeat_interleave(torch.arange(len(part), device=part.device), sizes[owner])
    firsts = torch.cumsum(sizes[owner], 0) - sizes[owner]
    offset = torch.arange(len(repeated), device=part.device) - firsts[repeated]
    rows = members[starts[owner[repeated]] + offset]
    for block, chosen in zip(rows.split(PAIR_BLOCK), repeated.split(PAIR_BLOCK), strict=True):
        yield block, part[chosen] % count, sums[chosen]


def _sums(rows: Tensor, code: Tensor, count: int) -> Tensor:
    known = code != NONE
    return rows.new_zeros((count, rows.shape[1])).index_add_(0, code[known], rows[known])


def _unit(sums: Tensor) -> Tensor:
    norms = torch.linalg.vector_norm(sums, dim=1, keepdim=True)
    return sums / norms.where(norms > 0, 1)


def _judged(cosines: Tensor, code: Tensor) -> Tensor:
    # Equal prototypes differ in the last bits of a product; a collapsed map must read chance, not luck.
    cosines = cosines.round(decimals=DECIMALS)
    best = cosines == cosines.amax(dim=1, keepdim=True)
    own = best.gather(1, code.clamp_min(0)[:, None])[:, 0]
    share = own.to(torch.float64) / best.sum(dim=1)
    return share.where(code != NONE, torch.nan)
