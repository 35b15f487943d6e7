"""The one translation of this session's settings into an analysis."""

from __future__ import annotations

from pages.components import settings
from pages.components.study import Study
from realign_core import alignment
from realign_core.alignment.c3 import DEFAULT_NOISE_NORM
from realign_core.comparison import Settings

OAS = -1.0
"""The `shrinkage` setting that lets the data choose the amount; 0 is none, the rest is a share."""


def offered_methods(study: Study) -> tuple[str, ...]:
    """Every registered method that this data allows."""
    return tuple(
        name
        for name in alignment.method_names()
        if study.pair.paired or not alignment.traits(alignment.create(name)).uses_pairs
    )


def chosen_methods(study: Study) -> tuple[str, ...]:
    """The methods of this session, in their order; the default ones where the URL names none that fit."""
    offered = offered_methods(study)
    wanted = tuple(dict.fromkeys(name for name in settings.get("methods") if name in offered))
    return wanted or settings.SETTINGS["methods"].default


def noise_unit(study: Study) -> float:
    """C3's default noise per coordinate in this dimension; the `sigma` setting counts in it."""
    return DEFAULT_NOISE_NORM / study.pair.report.dim**0.5


def method_options(study: Study, name: str) -> dict:
    """What this session sets of one method; nothing where it is at its default."""
    return comparison_settings(study).options_of(name)


def comparison_settings(study: Study) -> Settings:
    """Options of the analysis as the widgets stand; those at their defaults are left to the core."""
    sigma, shrinkage = settings.get("sigma"), settings.get("shrinkage")
    options = {}
    if shrinkage != OAS:
        options["blockwise"] = {"shrinkage": None if shrinkage <= 0 else shrinkage}
    return Settings(
        methods=chosen_methods(study),
        energy=settings.get("energy"),
        k=settings.get("k"),
        split=settings.get("split"),
        seed=settings.get("seed"),
        c3_sigma=None if sigma == 1 else sigma * noise_unit(study),
        method_options=options,
    )
