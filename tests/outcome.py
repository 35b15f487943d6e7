"""What a run of the command line came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Exit status and what was said."""

    status: int
    out: str
    err: str
