"""What a file holds: named arrays that are not read yet, and the choice of one of them for a role."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from realign_core.load.arrays import FLOATS
from realign_core.load.batches import RowSource
from realign_core.validation import UnusableInput

TARGET_WORDS = frozenset(
    ("image", "images", "img", "imgs", "x", "target", "vision", "visual", "video", "picture", "photo")
)
SOURCE_WORDS = frozenset(
    ("text", "texts", "txt", "y", "source", "caption", "captions", "language", "sentence", "sentences")
)
REMEDIES = {
    "O": "Python objects; save a plain float array",
    "U": "strings; embeddings are real numbers",
    "S": "strings; embeddings are real numbers",
    "T": "strings; embeddings are real numbers",
    "c": "complex numbers; save real ones",
    "M": "dates; embeddings are real numbers",
    "m": "time spans; embeddings are real numbers",
    "b": "true/false values; embeddings are real numbers",
    "i": "whole numbers; if these are quantised embeddings, save them as float32",
    "u": "whole numbers; if these are quantised embeddings, save them as float32",
    "V": "records of several fields; save one plain float array",
    "f": "a floating type that is not supported; save them as float32 or float64",
}


@dataclass(frozen=True)
class Sidecar:
    """Columns beside the rows, each a sequence of as many values as there are rows, or None."""

    ids: Any = None
    captions: Any = None
    labels: Any = None
    image_paths: Any = None


@dataclass(frozen=True)
class Member:
    """One array of a file: its key (None when the file is that array), shape, stored type.

    `rows(part)` opens it: part None for an `(n, d)` array, 0 or 1 for the halves of a `(2, n, d)` one.
    `kind` is NumPy's letter for the sort of type, for those that are no embeddings.
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    rows: Callable[[int | None], RowSource]
    kind: str = "f"

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS

    @property
    def is_set(self) -> bool:
        return self.is_float and len(self.shape) == 2

    @property
    def is_pair(self) -> bool:
        return self.is_float and len(self.shape) == 3 and self.shape[0] == 2


@dataclass(frozen=True)
class Contents:
    """A file's members and what stands beside them, which is read on demand: `sidecar` the columns,
    `provenance` what the file says of its origin (None: nothing).

    `lacking` says in a format's own words why there are no members, `note` what a reader of the report should
    know of how the file was read.
    """

    path: str
    format: str
    members: tuple[Member, ...]
    sidecar: Callable[[], Sidecar] = field(default=Sidecar)
    lacking: str | None = None
    provenance: Callable[[], dict[str, Any] | None] = field(default=lambda: None)
    note: str | None = None


def role_of(key: str | None) -> str | None:
    """`"target"` or `"source"` where a key says so in so many words, else None."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", key or "")
    words = set(re.split(r"[^a-z]+", spaced.lower()))
    target, source = bool(words & TARGET_WORDS), bool(words & SOURCE_WORDS)
    return None if target == source else "target" if target else "source"


def pick(contents: Contents, role: str | None, key: str | None) -> tuple[Member, int | None]:
    """The member, and its part, that serves as `role`; UnusableInput when there is no obvious one."""
    part = {"target": 0, "source": 1}.get(role or "")
    members = contents.members
    if key is not None:
        members = tuple(member for member in members if member.key == key)
        if not members:
            raise UnusableInput(f"{contents.path} has no array {key!r}; it holds {listing(contents)}")
        return _serve(contents, members[0], part)
    sets = [member for member in members if member.is_set]
    if len(members) == 1 and not sets:
        return _serve(contents, members[0], part)
    if len(sets) > 1 and role is not None:
        named = [member for member in sets if role_of(member.key) == role]
        if len(named) == 1:
            return _serve(contents, named[0], part)
    if len(sets) == 1:
        return _serve(contents, sets[0], part)
    pairs = [member for member in members if member.is_pair]
    if not sets and len(pairs) == 1:
        return _serve(contents, pairs[0], part)
    if not members and contents.lacking:
        raise UnusableInput(f"{contents.path} {contents.lacking}")
    if not sets and not pairs:
        raise UnusableInput(
            f"{contents.path} has no floating-point array of shape (n, d); it holds {listing(contents)}"
        )
    raise UnusableInput(
        f"{contents.path} holds several arrays and none is the obvious {role or 'one'}: {listing(contents)}; "
        f"name one as {contents.path}:{(sets or pairs)[0].key}"
    )


def pick_both(contents: Contents, key: str | None) -> tuple[tuple[Member, int | None], ...] | None:
    """Target and source, each with its part, where one file obviously holds both; else None."""
    members = [member for member in contents.members if key is None or member.key == key]
    sets = [member for member in members if member.is_set]
    roles = [[member for member in sets if role_of(member.key) == role] for role in ("target", "source")]
    if all(len(found) == 1 for found in roles):
        return _serve(contents, roles[0][0], None), _serve(contents, roles[1][0], None)
    pairs = [member for member in members if member.is_pair]
    if len(pairs) == 1 and not sets:
        return _serve(contents, pairs[0], 0), _serve(contents, pairs[0], 1)
    return None


def _serve(contents: Contents, member: Member, part: int | None) -> tuple[Member, int | None]:
    name = contents.path if member.key is None else f"{contents.path}:{member.key}"
    check_float(name, member.dtype, member.kind)
    if 0 in member.shape:
        lack = "there are no rows to use" if member.shape[-1] else "its rows hold no numbers"
        raise UnusableInput(f"{name} has shape {member.shape}: {lack}")
    if member.is_pair:
        if part is None:
            raise UnusableInput(f"{name} holds two sets, shape {member.shape}; give it alone as the pair")
        return member, part
    if len(member.shape) != 2:
        raise UnusableInput(
            f"{name} has shape {member.shape}; "
            "embeddings are (n, d), a row per sample, or (2, n, d), target first"
        )
    return member, None


def check_float(name: str, dtype: str, kind: str) -> None:
    """Raise UnusableInput unless `dtype` is one of the four floating types that are read."""
    if dtype not in FLOATS:
        raise UnusableInput(f"{name} holds {dtype}: {REMEDIES.get(kind, REMEDIES['f'])}")


def check_shape(name: str, shape: Sequence[int]) -> None:
    """Raise UnusableInput for a shape with a negative size."""
    if any(size < 0 for size in shape):
        raise UnusableInput(f"{name} declares the shape {tuple(shape)}; the file is damaged, write it again")


def listing(contents: Contents) -> str:
    """The members in words, at most twelve."""
    texts = []
    for member in contents.members[:12]:
        shape = "x".join(map(str, member.shape)) or "scalar"
        texts.append(f"{member.key or 'one array'} ({shape} {member.dtype})")
    more = len(contents.members) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "") if texts else "no arrays"


def type_name(dtype: np.dtype) -> tuple[str, str]:
    """The name of a NumPy type in the machine's byte order, and its kind letter."""
    return (str(dtype.newbyteorder("=")) if dtype.kind in "OV" else dtype.newbyteorder("=").name), dtype.kind
