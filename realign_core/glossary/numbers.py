"""Numbers as people read them: three significant digits, a real minus sign, figure spaces for alignment."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

import math

MISSING = "–"
FIGURE_SPACE = "\u2007"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = (1e-4, 1e6)


def shown(value: float | None, digits: int = 3) -> str:
    """`value` to `digits` significant digits; powers of ten outside 1e-4..1e6, "–" for None."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    sign = "\u2212" if value < 0 else ""
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    power = int(exponent)
    if not _PLAIN[0] <= float(f"{mantissa}e{power}") < _PLAIN[1]:
        return f"{sign}{mantissa}\u00a0×\u00a010{str(power).translate(_SUPERSCRIPT)}"
    rounded = float(f"{mantissa}e{power}")
    return sign + f"{rounded:,.{max(0, digits - 1 - power)}f}".replace(",", "\u202f")


def share(value: float | None, *, signed: bool = False) -> str:
    """A share, or with `signed` a difference of shares, to three decimals."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:+.3f}" if signed and value else f"{value:.3f}"
    return text.replace("-", "\u2212")


def percent(share: float | None) -> str:
    """A share of 1 as a percentage to three significant digits; whole ones without decimals."""
    if share is None or not math.isfinite(share):
        return MISSING
    hundredths = 100 * share
    whole = abs(hundredths - round(hundredths)) < 1e-9
    return (f"{hundredths:.0f}".replace("-", "\u2212") if whole else shown(hundredths)) + "\u00a0%"


def count(value: int) -> str:
    """A whole number in groups of three."""
    return f"{value:,}".replace(",", "\u202f")


def aligned(texts: list[str]) -> list[str]:
    """The texts padded with figure spaces, so that flush right their decimal points stand in one line."""

    def behind(text: str) -> int:
        head = text.split("\u00a0")[0]
        return len(head) - head.index(".") if "." in head else 0

    widest = max((behind(text) for text in texts), default=0)
    return [text + FIGURE_SPACE * (widest - behind(text)) for text in texts]


def listed(names: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
