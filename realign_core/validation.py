"""The one error for unusable input, and the checks that several modules share.

Nothing here imports torch: argument errors must answer at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real


class UnusableInput(ValueError):
    """The data or a setting cannot be used as given.

    The message is one line that names what was given (file, array, row or option), what was needed
    and what to do. The command line turns it into exit status 2, the dashboard into a box in place.
    """


def check_fraction(name: str, value: float, *, low_open: bool = True, high_open: bool = False) -> float:
    """Return `value` as a float inside 0..1; an open end excludes its bound."""
    low, high = "(" if low_open else "[", ")" if high_open else "]"
    number = _real(name, value)
    too_low = number <= 0 if low_open else number < 0
    too_high = number >= 1 if high_open else number > 1
    if too_low or too_high:
        raise UnusableInput(f"{name} is {value}; it must lie in {low}0, 1{high}")
    return number


def check_positive(name: str, value: float) -> float:
    """Return `value` as a finite float above zero."""
    number = _real(name, value)
    if number <= 0:
        raise UnusableInput(f"{name} is {value}; it must be above 0")
    return number


def check_non_negative(name: str, value: float) -> float:
    """Return `value` as a finite float of at least zero."""
    number = _real(name, value)
    if number < 0:
        raise UnusableInput(f"{name} is {value}; it must be 0 or more")
    return number


def check_count(name: str, value: int, *, least: int = 1) -> int:
    """Return `value` as an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise UnusableInput(f"{name} is {value!r}; it must be a whole number")
    if value < least:
        raise UnusableInput(f"{name} is {value}; it must be at least {least}")
    return int(value)


def check_choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of `choices`."""
    if value not in choices:
        raise UnusableInput(f"{name} is {value!r}; choose one of {', '.join(choices)}")
    return value


def _real(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise UnusableInput(f"{name} is {value!r}; it must be a finite number")
    return float(value)
