"""Scenes to draw and describe: which objects, how they look, where they stand, on what ground.

Scene i of a split is drawn from (seed, i) alone. The split goes by a hash of a scene's content (its objects
and its ground, wherever they stand): the same content always falls on the same side, so a probe scene never
occurs in training, not even moved to another place, whatever seeds and numbers are drawn.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from realign_core.validation import check_choice, check_count

SHAPES = ("circle", "square", "triangle", "diamond", "star", "cross", "hexagon", "heart", "crescent", "ring")
COLOURS = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "brown", "white")
SIZES = ("small", "medium", "large")
TEXTURES = ("plain", "striped", "dotted", "checked")
GROUNDS = ("grey", "black", "cream", "sky", "mint", "lavender", "navy", "maroon")
GRID = 3
HOLDERS = ("circle", "square", "diamond", "hexagon", "ring")
"""Shapes that another object can lie in."""

Split = Literal["training", "probe"]
SPLITS = ("training", "probe")
PROBE_ONE_IN = 10
"""One content in so many belongs to the probe."""

COUNT_SHARES = (0.12, 0.38, 0.32, 0.18)
ALIKE_SHARE = 0.2
INSIDE_SHARE = 0.2


@dataclass(frozen=True, order=True)
class Thing:
    """One object; `cell` is its place in the grid, row by row from the upper left."""

    shape: str
    colour: str
    size: str
    texture: str
    cell: int

    @property
    def look(self) -> tuple[str, str, str, str]:
        """All but the place."""
        return self.shape, self.colour, self.size, self.texture


@dataclass(frozen=True)
class Scene:
    """One to four things on a ground, the main one first; `jitter` seeds what a meaning leaves open."""

    things: tuple[Thing, ...]
    ground: str
    jitter: int

    @property
    def inside(self) -> bool:
        """Whether the main thing lies in the second."""
        return len(self.things) > 1 and self.things[0].cell == self.things[1].cell

    @property
    def alike(self) -> bool:
        """Whether there are several things, and they differ in nothing but their places."""
        return len(self.things) > 1 and len({thing.look for thing in self.things}) == 1

    @property
    def relation(self) -> str | None:
        """Where the main thing is, seen from the second: `inside`, `left`, `above left`; None if alone."""
        if len(self.things) < 2:
            return None
        if self.inside:
            return "inside"
        (row, column), (other_row, other_column) = (divmod(thing.cell, GRID) for thing in self.things[:2])
        vertical = "" if row == other_row else "above" if row < other_row else "below"
        across = "" if column == other_column else "left" if column < other_column else "right"
        return f"{vertical} {across}".strip()

    @property
    def key(self) -> str:
        """The canonical meaning: the same for scenes that differ in the order of things or in jitter."""
        things = sorted(" ".join((*thing.look, str(thing.cell))) for thing in self.things)
        return "; ".join([self.ground, *things])

    @property
    def content(self) -> str:
        """The meaning without places, which decides the split."""
        return "; ".join([self.ground, *sorted(" ".join(thing.look) for thing in self.things)])

    @property
    def split(self) -> str:
        """`probe` or `training`, from the content alone."""
        digest = hashlib.sha256(self.content.encode()).digest()
        return "probe" if int.from_bytes(digest[:8], "big") % PROBE_ONE_IN == 0 else "training"


def draw_scene(seed: int, index: int, split: Split) -> Scene:
    """Scene `index` of a split; the same three arguments always give the same scene.

    Scenes are drawn from (seed, index) until one falls into the split.
    """
    check_count("seed", seed, least=0)
    check_count("index", index, least=0)
    check_choice("split", split, SPLITS)
    generator = np.random.default_rng([seed, index])
    while True:
        scene = _any_scene(generator)
        if scene.split == split:
            return scene


def _any_scene(generator: np.random.Generator) -> Scene:
    count = 1 + int(generator.choice(len(COUNT_SHARES), p=COUNT_SHARES))
    cells = [int(cell) for cell in generator.permutation(GRID * GRID)[:count]]
    looks = [_look(generator) for _ in cells]
    if count > 1:
        if (kind := generator.random()) < ALIKE_SHARE:
            looks = [looks[0]] * count
        elif kind < ALIKE_SHARE + INSIDE_SHARE:
            # What lies in another must be smaller and stand out from it.
            cells[0] = cells[1]
            colours = [colour for colour in COLOURS if colour != looks[1][1]]
            looks[0] = looks[0][0], _one_of(generator, colours), "small", looks[0][3]
            looks[1] = _one_of(generator, HOLDERS), looks[1][1], "large", looks[1][3]
    things = tuple(Thing(*look, cell) for look, cell in zip(looks, cells))
    return Scene(things, _one_of(generator, GROUNDS), int(generator.integers(2**32)))


def _look(generator: np.random.Generator) -> tuple[str, str, str, str]:
    shape, colour, size, texture = (
        _one_of(generator, values) for values in (SHAPES, COLOURS, SIZES, TEXTURES)
    )
    return shape, colour, size, texture


def _one_of(generator: np.random.Generator, values: tuple[str, ...] | list[str]) -> str:
    return values[int(generator.integers(len(values)))]
