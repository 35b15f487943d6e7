"""What scenes are said to show: short captions, long ones with remarks beside the matter, and labels.

A short caption names what is seen, in varied words and orders. A long one says the same and adds what the
picture cannot show: mood, provenance, opinion ([R] app. G).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realign_core.training.scenes import GRID, Scene, Thing

WORDS: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "circle", "disc"),
    "square": ("square", "square", "box"),
    "diamond": ("diamond", "diamond", "rhombus"),
    "cross": ("cross", "plus sign"),
    "crescent": ("crescent", "moon"),
    "small": ("small", "small", "tiny", "little"),
    "large": ("large", "large", "big"),
    "striped": ("striped", "striped", "stripy"),
    "dotted": ("dotted", "spotted"),
    "checked": ("checked", "chequered"),
    "turquoise": ("turquoise", "turquoise", "teal"),
    "purple": ("purple", "purple", "violet"),
    "sky": ("pale blue", "light blue", "sky blue"),
    "navy": ("navy", "dark blue", "deep blue"),
    "grey": ("grey", "grey", "gray"),
    "black": ("black", "black", "pitch dark"),
    "mint": ("mint", "pale green", "light green"),
    "lavender": ("lavender", "pale violet", "lilac"),
    "maroon": ("maroon", "dark red", "wine red"),
    "cream": ("cream", "pale yellow", "ivory"),
}
PLURALS = {"cross": "crosses", "box": "boxes", "rhombus": "rhombuses"}
NUMBERS = {2: ("two", "a pair of"), 3: ("three",), 4: ("four",)}
RELATIONS: dict[str, tuple[str, ...]] = {
    "inside": ("inside", "within", "in the middle of"),
    "left": ("left of", "to the left of"),
    "right": ("right of", "to the right of"),
    "above": ("above", "over", "higher than"),
    "below": ("below", "under", "beneath"),
    "above left": ("above and left of", "to the upper left of"),
    "above right": ("above and right of", "to the upper right of"),
    "below left": ("below and left of", "to the lower left of"),
    "below right": ("below and right of", "to the lower right of"),
}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
ROWS, COLUMNS = ("upper", "", "lower"), ("left", "", "right")
OPENINGS = ("", "", "", "a picture of ", "a drawing of ", "this shows ", "we see ", "an image with ")
GROUNDS = ("on a {} background", "on {}", "on a {} ground", "against {}")
REMARKS = (
    "a calm and quiet mood",
    "it reminds me of long summers",
    "drawn by an unknown hand in spring",
    "one of the best of the series",
    "bought at a market years ago",
    "nobody knows who made it",
    "my sister finds it rather dull",
    "it won a prize at the school fair",
    "from the estate of a retired printer",
    "full of hope and energy",
    "it feels lonely somehow",
    "found in a drawer last winter",
    "critics called it bold",
    "a cheerful thing to wake up to",
    "said to bring good luck",
    "made in a hurry on a monday",
    "a copy hangs in the town hall",
    "not to everyone's taste",
    "sold for more than expected",
    "it makes people smile",
    "the artist never spoke of it",
    "part of an old set of cards",
    "it once hung above a piano",
    "a gift from a neighbour",
)

TERSE_SHARE = 0.08
"""How often a thing's texture, and how often its size, goes unsaid."""

PLACED_SHARE = 0.6
"""How often a thing's place in the picture is named where no relation tells it."""


@dataclass(frozen=True)
class Labels:
    """What a scene can be sorted by."""

    shape: str
    colour: str
    size: str
    texture: str
    ground: str
    count: int
    relation: str


def labels(scene: Scene) -> Labels:
    """Labels of the main thing and of the scene; `relation` is `alone` where there is one thing."""
    main = scene.things[0]
    return Labels(*main.look[:2], *main.look[2:], scene.ground, len(scene.things), scene.relation or "alone")


def short_caption(scene: Scene, generator: np.random.Generator) -> str:
    """What the scene shows, in one lower-case line; words and order are drawn from `generator`."""
    parts = _alike(scene, generator) if scene.alike else _each(scene, generator)
    ground = _pick(generator, GROUNDS).format(_word(scene.ground, generator))
    if generator.random() < 0.2:
        return f"{ground}, {', '.join(parts)}"
    last = _pick(generator, (" ", " ", ", "))
    return f"{_pick(generator, OPENINGS)}{', '.join(parts)}{last}{ground}"


def long_caption(scene: Scene, generator: np.random.Generator) -> str:
    """A short caption with one or two remarks that the picture does not bear out."""
    seen = short_caption(scene, generator)
    first, second = (REMARKS[place] for place in generator.permutation(len(REMARKS))[:2])
    return _pick(
        generator, (f"{seen}. {first}, {second}.", f"{seen}. {first}.", f"{first}. {seen}. {second}.")
    )


def _alike(scene: Scene, generator: np.random.Generator) -> list[str]:
    number = _pick(generator, NUMBERS[len(scene.things)])
    noun = f"{number} {_noun(scene.things[0], generator, plural=True)}"
    if generator.random() < PLACED_SHARE:
        places = [_place(thing.cell) for thing in sorted(scene.things)]
        return [f"{noun} at {', '.join(places)}"]
    return [noun]


def _each(scene: Scene, generator: np.random.Generator) -> list[str]:
    first, *others = [_article(_noun(thing, generator)) for thing in scene.things]
    relation = scene.relation
    if relation is None:
        return [f"{first} {_where(scene.things[0], generator)}"]
    if relation == "inside" or generator.random() < 0.6:
        pair = f"{first} {_pick(generator, RELATIONS[relation])} {others[0]}"
    else:
        back = " ".join(OPPOSITE[word] for word in relation.split())
        pair = f"{others[0]} {_pick(generator, RELATIONS[back])} {first}"
    rest = [
        f"{noun} {_where(thing, generator)}" if generator.random() < PLACED_SHARE else noun
        for noun, thing in zip(others[1:], scene.things[2:], strict=True)
    ]
    return [pair, *rest]


def _noun(thing: Thing, generator: np.random.Generator, plural: bool = False) -> str:
    size = "" if thing.size == "medium" or generator.random() < TERSE_SHARE else thing.size
    texture = "" if thing.texture == "plain" or generator.random() < TERSE_SHARE else thing.texture
    words = [_word(word, generator) for word in (size, texture, thing.colour, thing.shape) if word]
    if plural:
        words[-1] = PLURALS.get(words[-1], words[-1] + "s")
    return " ".join(words)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _where(thing: Thing, generator: np.random.Generator) -> str:
    return f"{_pick(generator, ('in', 'at'))} the {_place(thing.cell)}"


def _place(cell: int) -> str:
    row, column = divmod(cell, GRID)
    words = f"{ROWS[row]} {COLUMNS[column]}".strip()
    if not words:
        return "centre"
    return {"upper": "top", "lower": "bottom"}.get(words, words)


def _word(word: str, generator: np.random.Generator) -> str:
    return _pick(generator, WORDS[word]) if word in WORDS else word


def _pick(generator: np.random.Generator, values: tuple[str, ...]) -> str:
    return values[int(generator.integers(len(values)))]
