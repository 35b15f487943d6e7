"""Captions with what may stand beside them: the image each belongs to, and a label."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realign_core.encode.skipped import readable
from realign_core.load.faults import reading
from realign_core.load.members import Sidecar
from realign_core.validation import UnusableInput

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".arrow", ".feather")
LARGEST_TEXT = 1 << 30


@dataclass(frozen=True)
class Captions:
    """`texts` in order; `images` and `labels`, where given, have a value for each text.

    A text that is empty stands for a caption that is missing.
    """

    texts: tuple[str, ...]
    images: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    name: str = "the captions"

    def __len__(self) -> int:
        return len(self.texts)


def read_captions(path: str | os.PathLike, *, name: str | None = None) -> Captions:
    """Read `.txt` (a caption a line), or a table's column `caption` with `image_path` or `label` beside it.

    `name` is what messages call the file. Raises UnusableInput where there are no captions to read.
    """
    if not os.fspath(path):
        raise UnusableInput("the captions have an empty name; name a file of captions")
    file, shown = Path(path), name or os.fspath(path)
    suffix = file.suffix.lower()
    # Unlike that of Path, this also says no to a name that is too long.
    if not os.path.isfile(file):
        raise UnusableInput(f"{shown} does not exist; name a file of captions")
    if suffix not in SUFFIXES:
        raise UnusableInput(
            f"{shown} has the suffix {suffix or '(none)'!r}; captions are {', '.join(SUFFIXES)}"
        )
    if file.stat().st_size == 0:
        raise UnusableInput(f"{shown} is empty; it needs a caption a line, or a column caption")
    if suffix == ".txt":
        return from_lines(_text(file, shown), name=shown)
    with reading(shown):
        columns, available = _columns(file, suffix)
    _check_names(available, shown)
    if columns.captions is None and "caption" in available:
        raise UnusableInput(
            f"{shown} holds no text in its column caption; give each caption a row of its own"
        )
    if columns.captions is None:
        raise UnusableInput(
            f"{shown} has no column named caption (it has {', '.join(available[:8])}); name the texts caption"
        )
    found = Captions(
        _texts(columns.captions, shown),
        _optional(columns.image_paths, shown),
        _optional(columns.labels, shown),
        shown,
    )
    if not found.texts:
        raise UnusableInput(f"{shown} has no rows below its header")
    return found


def _check_names(names: Sequence[str], shown: str) -> None:
    """Refuse two columns of one meaning: which of them counts would be a guess."""
    for known in ("caption", "image_path", "label"):
        if sum(name.strip().lower() == known for name in names) > 1:
            raise UnusableInput(f"{shown} has more than one column named {known}; rename all but one")


def from_lines(text: str, *, name: str = "the captions") -> Captions:
    """A caption a line; blank lines at the end do not count, those between stand for missing captions."""
    lines = [line.strip() for line in readable(text).replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise UnusableInput(f"{name} holds no text; write a caption a line")
    return Captions(tuple(lines), name=name)


def _text(file: Path, shown: str) -> str:
    if file.stat().st_size > LARGEST_TEXT:
        raise UnusableInput(f"{shown} is over 1 GB; split it")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{shown} is not UTF-8 text; save it in that encoding") from error
    except OSError as error:
        raise UnusableInput(f"{shown} cannot be read: {error.strerror}") from error
    if "\0" in text:
        raise UnusableInput(f"{shown} is not text: it holds a zero byte")
    return text


def _columns(file: Path, suffix: str) -> tuple[Sidecar, Sequence[str]]:
    if suffix in (".csv", ".tsv"):
        from realign_core.load.table import Lines, columns_beside

        lines = Lines(str(file))
        return columns_beside(lines), lines.names
    from realign_core.load.arrow import contents, names_of

    return contents(str(file)).sidecar(), names_of(str(file))


def _texts(values: Sequence[Any], shown: str) -> tuple[str, ...]:
    # A caption of several lines is one text; tokenizers fold white space as well.
    return tuple(" ".join(_text_of(value, shown).split()) for value in values)


def _optional(values: Sequence[Any] | None, shown: str) -> tuple[str, ...] | None:
    return None if values is None else tuple(_text_of(value, shown) for value in values)


def _text_of(value: Any, shown: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        # Some writers keep texts in binary columns.
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnusableInput(
                f"{shown} holds texts as bytes that are not UTF-8; write the column as text"
            ) from error
    return readable(str(value))
