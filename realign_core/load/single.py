"""Sets by themselves, as `align` needs them: a good source row is kept whatever its partner is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

import numpy as np

from realign_core.load.batches import Batches
from realign_core.load.opening import Opened, open_both, open_one
from realign_core.load.sides import Side, read_sides
from realign_core.validation import UnusableInput, check_count


@dataclass(frozen=True, eq=False)
class EmbeddingSet:
    """Usable rows of one set as stored; `ids` follow them; `dropped` counts the others by reason.

    `notes` are sentences on how they were read.
    """

    rows: Batches
    name: str
    ids: np.ndarray | None
    dropped: dict[str, int]
    first_dropped: int | None
    notes: tuple[str, ...] = ()


def load_set(
    path: str | os.PathLike,
    *,
    role: Literal["target", "source"],
    alone: bool = True,
    normalize: bool = True,
    max_rows: int | None = None,
    seed: int = 0,
) -> EmbeddingSet:
    """Open the set of `role` ("target" or "source") and drop unusable rows.

    With `alone=False` the file must hold both sets. `normalize=False`: rows are used as they are, which
    narrows the range of usable norms. `max_rows` reads a seeded sample. Raises
    `UnusableInput` for what cannot be read and for fewer than two usable rows.
    """
    opened = open_one(path, role=role) if alone else _half(path, role)
    wanted = _sample(opened, max_rows, seed)
    return _usable(Side.read(opened, wanted, role=role, normalize=normalize, sketches=False))


def load_sets(
    target: str | os.PathLike,
    source: str | os.PathLike,
    *,
    alone: bool = True,
    normalize: bool = True,
    max_rows: int | None = None,
    seed: int = 0,
) -> tuple[EmbeddingSet, EmbeddingSet]:
    """Target and source as `load_set` gives each, read at the same time; `max_rows` is the target's."""
    of_source = open_one(source, role="source") if alone else _half(source, "source")
    of_target = open_one(target, role="target") if alone else _half(target, "target")
    sides = read_sides(
        (of_target, of_source),
        (_sample(of_target, max_rows, seed), None),
        normalize=normalize,
        sketches=False,
    )
    source_set = _usable(sides[1])
    return _usable(sides[0]), source_set


def _sample(opened: Opened, max_rows: int | None, seed: int) -> np.ndarray | None:
    """Ascending row indices of a seeded sample; None where all rows are wanted."""
    count = opened.rows.shape[0]
    if max_rows is None or check_count("max_rows", max_rows, least=2) >= count:
        return None
    return np.sort(np.random.default_rng(seed).choice(count, max_rows, replace=False))


def _usable(side: Side) -> EmbeddingSet:
    side.require(side.good)
    ids = side.opened.sidecar.ids
    return EmbeddingSet(
        rows=side.batches(side.good),
        name=side.opened.name,
        ids=None if ids is None else np.asarray(ids)[side.at(side.good)],
        dropped=side.reasons(),
        first_dropped=None if side.good.all() else side.first_fault()[0],
        notes=side.opened.notes,
    )


def _half(path: str | os.PathLike, role: str) -> Opened:
    both = open_both(path)
    if both is None:
        raise UnusableInput(f"{os.fspath(path)} holds one set of embeddings; name the source file as well")
    return both[0] if role == "target" else both[1]
