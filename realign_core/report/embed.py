"""Figures as data inside the page: the light one in full, the dark one as its differences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from realign_core.figures.described import Described


def drawn(figures: Iterable[Described]) -> dict[str, dict[str, Any]]:
    """Each figure by the id of its place: the light one, and how the dark one differs."""
    specs = {}
    for described in figures:
        light, dark = (json.loads(described.draw(dark).to_json()) for dark in (False, True))
        specs[f"plot-{described.key}"] = {"figure": light, "dark": list(differences(light, dark))}
    return specs


def embedded(specs: dict[str, dict[str, Any]]) -> str:
    """The figures as JSON that is safe inside a script element."""
    text = json.dumps(specs, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def heights(specs: dict[str, dict[str, Any]]) -> str:
    """Style that keeps each figure's place open, so that the page does not jump while it draws."""
    return "".join(
        f"#{key}{{min-height:{spec['figure']['layout']['height']}px}}" for key, spec in specs.items()
    )


def differences(light: Any, dark: Any, path: tuple = ()) -> Iterator[tuple[list, Any]]:
    """`(path, value)` of everything in `dark` that is not in `light` as it stands there."""
    if light == dark:
        return
    if isinstance(light, dict) and isinstance(dark, dict) and light.keys() == dark.keys():
        for key in light:
            yield from differences(light[key], dark[key], (*path, key))
    elif isinstance(light, list) and isinstance(dark, list) and len(light) == len(dark):
        for index, (a, b) in enumerate(zip(light, dark)):
            yield from differences(a, b, (*path, index))
    else:
        yield list(path), dark
