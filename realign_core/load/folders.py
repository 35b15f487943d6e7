"""Folders of shards in natural order, and clip-retrieval's `img_emb/`, `text_emb/`, `metadata/`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from realign_core.load.places import is_folder, is_url, join, names_in
from realign_core.validation import UnusableInput


@dataclass(frozen=True)
class Layout:
    """The shard files of a folder: `target` alone for plain shards, both for clip-retrieval's layout."""

    target: tuple[str, ...]
    source: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()

    @property
    def both(self) -> bool:
        return bool(self.target and self.source)


def natural_key(name: str) -> tuple:
    """Sorts `shard_2` before `shard_10`."""
    return tuple(
        (1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.split(r"([0-9]+)", name)
    )


def layout_of(folder: str, suffixes: Sequence[str]) -> Layout:
    """What a folder holds, in natural order. Raises UnusableInput for none or several kinds of file."""
    inside = {name: join(folder, name) for name in ("img_emb", "text_emb", "metadata")}
    # A listing tells in one request what several questions would.
    here = set(names_in(folder)) if is_url(folder) else None
    there = {name for name, path in inside.items() if (here is None or name in here) and is_folder(path)}
    if there & {"img_emb", "text_emb"}:
        parts = {name: _shards(path, suffixes) if name in there else () for name, path in inside.items()}
        return Layout(parts["img_emb"], parts["text_emb"], parts["metadata"])
    return Layout(_shards(folder, suffixes))


def _shards(folder: str, suffixes: Sequence[str]) -> tuple[str, ...]:
    names = [
        name
        for name in names_in(folder)
        if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes
    ]
    if not names:
        raise UnusableInput(f"{folder} holds no embedding files; readable are {', '.join(suffixes)}")
    kinds = sorted({os.path.splitext(name)[1].lower() for name in names})
    if len(kinds) > 1:
        raise UnusableInput(f"{folder} mixes {' and '.join(kinds)} files; keep the shards of one kind in it")
    return tuple(join(folder, name) for name in sorted(names, key=natural_key))
