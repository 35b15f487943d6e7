"""What was not encoded, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NAMED = 3


@dataclass(frozen=True)
class Skipped:
    """An image or a caption by name, the reason, and how many pairs were left out with it."""

    name: str
    reason: str
    rows: int = 1


def readable(text: str) -> str:
    """The text with what is no Unicode in it, such as a file name's stray bytes, written as escapes.

    No output can be written as UTF-8 otherwise.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def sentences(skipped: Sequence[Skipped]) -> Iterator[str]:
    """One sentence a reason, with the first few names."""
    reasons: dict[str, list[Skipped]] = {}
    for entry in skipped:
        reasons.setdefault(entry.reason, []).append(entry)
    for reason, entries in reasons.items():
        names = ", ".join(entry.name for entry in entries[:NAMED])
        more = f" and {len(entries) - NAMED} more" if len(entries) > NAMED else ""
        yield f"skipped {names}{more}: {reason}"
