"""The shrinkage setting that the covariance methods share."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from realign_core.linalg import oas_shrinkage, shrink
from realign_core.validation import UnusableInput, check_fraction

Shrinkage = Literal["oas"] | float | None
"""`"oas"` picks the amount from the data, a number in 0..1 fixes it, None inverts on the range as it is."""


def check_shrinkage(setting: Shrinkage) -> None:
    """Raise `UnusableInput` for anything but `"oas"`, None or a share in 0..1."""
    if isinstance(setting, str) and setting != "oas":
        raise UnusableInput(f"shrinkage is {setting!r}; give 'oas', None or a number in 0..1")
    if setting is not None and not isinstance(setting, str):
        check_fraction("shrinkage", setting, low_open=False)


def shrunk(covariance: Tensor, n: int, setting: Shrinkage) -> Tensor:
    """A `(k, k)` covariance of n rows after shrinkage."""
    if setting is None or covariance.shape[0] == 0:
        return covariance
    return shrink(covariance, oas_shrinkage(covariance, n) if setting == "oas" else setting)
