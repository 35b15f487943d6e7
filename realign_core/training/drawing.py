"""Scenes as pictures, drawn with Pillow at four times the size and scaled down."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from realign_core.training.scenes import GRID, Scene, Thing

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 64
FINE = 4
"""Pixels drawn for one that is kept, along each side."""

INKS = {
    "red": (214, 39, 40),
    "orange": (245, 133, 24),
    "yellow": (246, 211, 45),
    "green": (46, 150, 62),
    "turquoise": (38, 188, 180),
    "blue": (44, 98, 216),
    "purple": (138, 66, 176),
    "pink": (240, 122, 180),
    "brown": (125, 78, 40),
    "white": (250, 250, 250),
}
GROUND_INKS = {
    "grey": (150, 152, 156),
    "black": (22, 22, 26),
    "cream": (243, 230, 200),
    "sky": (168, 212, 242),
    "mint": (186, 232, 200),
    "lavender": (210, 196, 238),
    "navy": (24, 36, 86),
    "maroon": (96, 22, 40),
}
WIDTHS = {"small": 9.5, "medium": 14.0, "large": 19.5}
HOLDER_WIDTH = 26.0
"""Width of a thing that another lies in, in pixels as kept, as are the widths above."""


def draw(scene: Scene) -> np.ndarray:
    """The picture of a scene, uint8 `(PIXELS, PIXELS, 3)`; the same scene gives the same picture."""
    from PIL import Image

    generator = np.random.default_rng(scene.jitter)
    side = PIXELS * FINE
    ground = _shift(GROUND_INKS[scene.ground], generator.uniform(-7, 7, 3))
    canvas = Image.new("RGB", (side, side), ground)
    # The thing that holds another is drawn before it.
    for place in reversed(range(len(scene.things))):
        holds = scene.inside and place == 1
        _put(canvas, scene.things[place], holds, generator)
    return np.asarray(canvas.reduce(FINE), dtype=np.uint8)


def _put(canvas: Image, thing: Thing, holds: bool, generator: np.random.Generator) -> None:
    from PIL import Image

    width = (HOLDER_WIDTH if holds else WIDTHS[thing.size]) * generator.uniform(0.95, 1.05) * FINE
    row, column = divmod(thing.cell, GRID)
    middle = [
        float(np.clip(place + shift, width / 2, canvas.width - width / 2))
        for place, shift in zip(
            (_centre(column), _centre(row)), generator.uniform(-1.2, 1.2, 2) * FINE, strict=True
        )
    ]
    box = math.ceil(width) + 2
    ink = _shift(INKS[thing.colour], generator.uniform(-10, 10, 3))
    mask = _mask(thing.shape, box, math.radians(generator.uniform(-8, 8)))
    tile = Image.composite(
        Image.new("RGB", (box, box), _second_ink(ink)),
        Image.new("RGB", (box, box), ink),
        _pattern(thing.texture).crop((0, 0, box, box)),
    )
    canvas.paste(tile, (round(middle[0] - box / 2), round(middle[1] - box / 2)), mask)


def _centre(place: int) -> float:
    return (12 + 20 * place) * FINE


def _shift(ink: tuple[int, ...], by: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(np.clip(value + change, 0, 255)) for value, change in zip(ink, by, strict=True))
    return red, green, blue


def _second_ink(ink: tuple[int, int, int]) -> tuple[int, int, int]:
    """The second tone of a texture: darker on light inks, lighter on dark ones."""
    light = 0.3 * ink[0] + 0.6 * ink[1] + 0.1 * ink[2] > 140
    return _shift(ink, np.full(3, -130.0 if light else 130.0))


@cache
def _pattern(texture: str) -> Image:
    """Where a texture shows its second tone, a mask large enough for every thing."""
    from PIL import Image

    side = math.ceil(HOLDER_WIDTH * 1.1 * FINE) + 2
    period = 5 * FINE
    down, across = np.indices((side, side))
    if texture == "striped":
        second = down % period < period // 2
    elif texture == "checked":
        half = period * 3 // 5
        second = (down // half + across // half) % 2 == 0
    elif texture == "dotted":
        beside = (down % period - period / 2) ** 2 + (across % period - period / 2) ** 2
        second = beside < (0.32 * period) ** 2
    else:
        second = np.zeros((side, side), bool)
    return Image.fromarray((second * 255).astype(np.uint8))


def _mask(shape: str, box: int, turn: float) -> Image:
    from PIL import Image, ImageDraw

    mask = Image.new("L", (box, box), 0)
    pen = ImageDraw.Draw(mask)
    if shape in ("circle", "ring", "crescent"):
        pen.ellipse((1, 1, box - 2, box - 2), fill=255)
        if shape == "ring":
            rim = box * 0.26
            pen.ellipse((rim, rim, box - 1 - rim, box - 1 - rim), fill=0)
        elif shape == "crescent":
            pen.ellipse((box * 0.36, box * 0.06, box * 1.2, box * 0.9), fill=0)
        return mask
    middle, radius = (box - 1) / 2, (box - 2) / 2
    cosine, sine = math.cos(turn), math.sin(turn)
    pen.polygon(
        [
            (middle + radius * (x * cosine - y * sine), middle + radius * (x * sine + y * cosine))
            for x, y in _outline(shape)
        ],
        fill=255,
    )
    return mask


@cache
def _outline(shape: str) -> tuple[tuple[float, float], ...]:
    """Corners of a shape in the square from -1 to 1, y down."""
    if shape == "square":
        return (-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)
    if shape == "triangle":
        return (0, -0.95), (0.95, 0.8), (-0.95, 0.8)
    if shape == "diamond":
        return (0, -1), (0.72, 0), (0, 1), (-0.72, 0)
    if shape == "star":
        return tuple(_on_circle(step / 10, 0.42 if step % 2 else 1.0) for step in range(10))
    if shape == "hexagon":
        return tuple(_on_circle(step / 6 + 1 / 12) for step in range(6))
    if shape == "cross":
        arm = 0.33
        corner = ((-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm))
        return (*corner, (arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm), (-arm, -arm))
    # The usual heart curve, 16 wide on either side.
    turns = [2 * math.pi * step / 40 for step in range(40)]
    return tuple(
        (
            math.sin(turn) ** 3,
            -(13 * math.cos(turn) - 5 * math.cos(2 * turn) - 2 * math.cos(3 * turn) - math.cos(4 * turn) + 2)
            / 15,
        )
        for turn in turns
    )


def _on_circle(turns: float, radius: float = 1.0) -> tuple[float, float]:
    return radius * math.sin(2 * math.pi * turns), -radius * math.cos(2 * math.pi * turns)
