"""Which columns beside the embeddings are ids, captions, labels or image paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from realign_core.load.members import Sidecar

NAMES = {
    "ids": ("id", "ids", "key", "keys", "uid"),
    "captions": ("caption", "captions", "text", "texts"),
    "labels": ("label", "labels", "class", "category"),
    "image_paths": ("image_path", "image_paths", "path", "paths", "file", "filename"),
}


def chosen_names(available: Iterable[str]) -> dict[str, str]:
    """The column that serves as each field of `Sidecar`, for those that there are."""
    lowered = {name.lower(): name for name in available}
    found = {}
    for field, names in NAMES.items():
        hit = next((lowered[name] for name in names if name in lowered), None)
        if hit is not None:
            found[field] = hit
    return found


def sidecar_keys(columns: Mapping[str, Any]) -> Sidecar:
    """The columns that go by a known name; each is a sequence."""
    return Sidecar(**{field: columns[name] for field, name in chosen_names(columns).items()})


def join_sidecars(parts: Sequence[Sidecar]) -> Sidecar:
    """The columns of shards one after another; a column that a shard lacks is left out."""
    joined = {}
    for field in NAMES:
        columns = [getattr(part, field) for part in parts]
        if all(column is not None for column in columns):
            joined[field] = (
                columns[0] if len(columns) == 1 else [value for column in columns for value in column]
            )
    return Sidecar(**joined)
