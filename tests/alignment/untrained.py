"""Methods as the contract's tests make them: a trained one stops at its closed form.

Training carries rounding on, so what must hold to the last digits is asked of the part before it.
"""

from __future__ import annotations

from typing import Any

from realign_core import alignment

CLOSED_FORM: dict[str, dict[str, Any]] = {"anisoalign": {"refine": False}}


def create(name: str, **settings: Any) -> Any:
    """As `realign_core.alignment.create`."""
    return alignment.create(name, **{**CLOSED_FORM.get(name, {}), **settings})
