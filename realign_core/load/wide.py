"""Tables with a column a dimension: which numeric columns form a set."""

from __future__ import annotations

import re
from collections.abc import Sequence

from realign_core.load.members import role_of
from realign_core.load.sidecars import NAMES

ASIDE = frozenset(name for names in NAMES.values() for name in names) | {"index", "", "unnamed: 0", "row"}


def wide_sets(columns: Sequence[str]) -> dict[str | None, list[str]]:
    """Sets of at least two columns by key.

    Columns whose names begin with two roles (`image_0 ... text_0 ...`) form two sets under those prefixes;
    otherwise all columns but ids, labels and the like form one under None.
    """
    usable = [name for name in columns if name.strip().lower() not in ASIDE]
    prefixes: dict[str | None, list[str]] = {}
    for name in usable:
        prefixes.setdefault(re.sub(r"[\W_]*\d+$", "", name), []).append(name)
    roles = [role_of(prefix) for prefix in prefixes]
    two = sorted(map(str, roles)) == ["source", "target"]
    if two and min(map(len, prefixes.values())) > 1:
        return dict(prefixes)
    return {None: usable} if len(usable) > 1 else {}
