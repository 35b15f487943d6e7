"""Captions: they name what is seen, in varied words; long ones say more that is not."""

from __future__ import annotations

import numpy as np
import pytest

from realign_core.training.captions import (
    NUMBERS,
    PLURALS,
    REMARKS,
    WORDS,
    labels,
    long_caption,
    short_caption,
)
from realign_core.training.scenes import Scene, Thing, draw_scene

RED = Thing("circle", "red", "small", "striped", 4)
BLUE = Thing("cross", "blue", "large", "plain", 3)
PAIR = Scene((RED, BLUE), "navy", 0)


def many(scene: Scene, write=short_caption, times: int = 60) -> list[str]:
    generator = np.random.default_rng(0)
    return [write(scene, generator) for _ in range(times)]


def said(word: str, caption: str) -> bool:
    options = WORDS.get(word, (word,))
    return any(option in caption or PLURALS.get(option, option) in caption for option in options)


def test_the_wording_is_drawn_and_repeatable():
    assert many(PAIR) == many(PAIR)
    assert len(set(many(PAIR))) > 50


def test_colours_shapes_and_ground_are_always_said():
    generator = np.random.default_rng(1)
    for index in range(300):
        scene = draw_scene(0, index, "training")
        caption = short_caption(scene, generator)
        words = {scene.ground, *(word for thing in scene.things for word in (thing.shape, thing.colour))}
        assert all(said(word, caption) for word in words), caption


def test_size_and_texture_are_said_most_of_the_time():
    for word in ("small", "striped"):
        share = np.mean([said(word, caption) for caption in many(PAIR, times=300)])
        assert 0.8 < share < 1


def test_the_relation_is_told_from_either_side():
    captions = many(PAIR)
    assert all("right of" in caption or "left of" in caption for caption in captions)
    assert any("left of" in caption for caption in captions)
    red_first = [caption for caption in captions if caption.index("red") < caption.index("blue")]
    assert red_first
    assert all("right of" in caption for caption in red_first)


def test_things_that_are_alike_are_counted():
    three = Scene(tuple(Thing("cross", "pink", "medium", "plain", cell) for cell in (0, 4, 8)), "black", 0)
    captions = many(three)
    assert all("three" in caption for caption in captions)
    assert all("crosses" in caption or "plus signs" in caption for caption in captions)
    assert set(NUMBERS) == {2, 3, 4}


def test_articles_go_by_the_next_letter():
    orange = Scene((Thing("star", "orange", "medium", "plain", 0),), "grey", 0)
    assert all("an orange star" in caption for caption in many(orange))


def test_long_captions_add_remarks_that_no_scene_decides():
    generator = np.random.default_rng(2)
    heard = set()
    for index in range(300):
        caption = long_caption(draw_scene(0, index, "training"), generator)
        here = {remark for remark in REMARKS if remark in caption}
        assert 1 <= len(here) <= 2
        heard |= here
    assert heard == set(REMARKS)
    assert not any(remark in caption for remark in REMARKS for caption in many(PAIR))


def test_labels():
    assert labels(PAIR) == labels(draw_like(PAIR))
    found = labels(PAIR)
    assert (found.shape, found.colour, found.size, found.texture) == ("circle", "red", "small", "striped")
    assert (found.ground, found.count, found.relation) == ("navy", 2, "right")
    assert labels(Scene((RED,), "sky", 0)).relation == "alone"


def draw_like(scene: Scene) -> Scene:
    return Scene(scene.things, scene.ground, scene.jitter + 1)


@pytest.mark.parametrize("write", [short_caption, long_caption])
def test_captions_fit_into_the_context(write):
    from realign_core.training.model import build_tokenizer
    from realign_core.training.settings import ModelSize

    generator = np.random.default_rng(3)
    captions = [write(draw_scene(0, index, "training"), generator) for index in range(2000)]
    tokens = build_tokenizer(ModelSize())(captions)
    # A caption that filled the context may have been cut.
    assert (tokens[:, -1] == 0).all()
