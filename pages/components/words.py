"""Text from data on its way into a page, whose own mark-up must not read it."""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\`*_\[\]<>$~#|]|:(?=\S))")


def plain(text: str) -> str:
    """`text` as it stands, with nothing in it taken for Markdown: file names may hold any character."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
