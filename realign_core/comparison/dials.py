"""The settings that trade source kept against target reached, a `Dial` a method."""

# ruff: noqa: RUF001  (labels are set with a true multiplication sign and Greek)

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realign_core.alignment import AnisoAlign
from realign_core.alignment.c3 import DEFAULT_NOISE_NORM

SIGMAS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
SHRINKAGES = (None, 0.01, 0.05, 0.2, 0.5, 1.0)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
BURES_SHARES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
BOUND_FACTORS = (0.0, 1.0, 4.0, 16.0)
BOUNDS = ("phase_bound", "radius_bound", "rest_bound")


@dataclass(frozen=True)
class Dial:
    """Values of one setting (or of settings that move together) of the method `name`, in their order.

    `options(value, d)` are the method's settings at a value in dimension d, none at `default`, and
    `text(value)` names it; `sets` are the settings that it owns. `apart` are values without a place in the
    order, which a curve leaves out of its line. `trained`: each value trains a network.
    """

    name: str
    label: str
    sets: tuple[str, ...]
    values: tuple[Any, ...]
    default: Any
    options: Callable[[Any, int], dict[str, Any]]
    text: Callable[[Any], str]
    apart: tuple[Any, ...] = ()
    trained: bool = False

    @property
    def all_values(self) -> tuple[Any, ...]:
        """Those in order, then those apart."""
        return (*self.values, *self.apart)

    def options_at(self, value: Any, dim: int) -> dict[str, Any]:
        """The method's settings at a value; none at its default, so that both name the same map."""
        return {} if value == self.default else self.options(value, dim)


def _bounds(factor: float, _: int) -> dict[str, Any]:
    ordinary = AnisoAlign().settings()
    scaled = {name: factor * ordinary[name] for name in BOUNDS}
    return {**scaled, "phase_bound": min(scaled["phase_bound"], math.pi)}


def _shrinkage(value: float | str | None) -> str:
    if value is None:
        return "unshrunk"
    return "OAS" if value == "oas" else f"shrinkage {value:g}"


DIALS = (
    Dial(
        "c3",
        "noise, in units of its default",
        ("sigma", "preset"),
        SIGMAS,
        1.0,
        lambda value, dim: {"sigma": value * DEFAULT_NOISE_NORM / dim**0.5},
        lambda value: f"noise × {value:g}",
    ),
    Dial(
        "blockwise",
        "shrinkage of the inverted covariances",
        ("shrinkage",),
        SHRINKAGES,
        "oas",
        lambda value, _: {"shrinkage": value},
        _shrinkage,
        # Its amount is chosen for each block and set, so it lies nowhere among the fixed ones.
        apart=("oas",),
    ),
    Dial(
        "realign",
        "strength, the share of the way",
        ("strength",),
        STRENGTHS,
        1.0,
        lambda value, _: {"strength": value},
        lambda value: f"strength {value:g}",
    ),
    Dial(
        "rotation",
        "Bures share",
        ("bures",),
        BURES_SHARES,
        0.0,
        lambda value, _: {"bures": value},
        lambda value: f"Bures {value:g}",
    ),
    Dial(
        "anisoalign",
        "bounds of the corrections, in units of their defaults",
        BOUNDS,
        BOUND_FACTORS,
        1.0,
        _bounds,
        lambda value: f"bounds × {value:g}",
        trained=True,
    ),
)
"""The dials of the project's own methods."""


def quick_dials() -> tuple[Dial, ...]:
    """The dials whose values train nothing."""
    return tuple(dial for dial in DIALS if not dial.trained)
