"""Pictures: the same for the same scene, and different wherever the meaning differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realign_core.training.drawing import GROUND_INKS, INKS, PIXELS, draw
from realign_core.training.scenes import COLOURS, GROUNDS, SHAPES, SIZES, TEXTURES, Scene, Thing, draw_scene

MAIN = Thing("square", "red", "large", "plain", 4)
SCENE = Scene((MAIN, Thing("ring", "blue", "medium", "plain", 0)), "cream", 5)


def test_the_form_of_a_picture():
    picture = draw(SCENE)
    assert picture.shape == (PIXELS, PIXELS, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(draw(SCENE), picture)


def test_jitter_moves_a_picture_a_little():
    other = draw(replace(SCENE, jitter=6)).astype(float)
    change = np.abs(other - draw(SCENE)).mean()
    assert 0 < change < 30


CHANGES = [
    *(("shape", value) for value in SHAPES),
    *(("colour", value) for value in COLOURS),
    *(("size", value) for value in SIZES),
    *(("texture", value) for value in TEXTURES),
    *(("cell", value) for value in (1, 8)),
]


@pytest.mark.parametrize(("field", "value"), CHANGES)
def test_every_attribute_shows(field, value):
    if getattr(MAIN, field) == value:
        return
    changed = replace(SCENE, things=(replace(MAIN, **{field: value}), SCENE.things[1]))
    assert np.abs(draw(changed).astype(float) - draw(SCENE)).max() > 40


def test_inks_and_grounds_are_all_there_and_apart():
    assert tuple(INKS) == COLOURS
    assert set(GROUND_INKS) == set(GROUNDS)
    for inks in (INKS, GROUND_INKS):
        values = np.array(list(inks.values()), float)
        apart = np.linalg.norm(values[:, None] - values, axis=2)
        assert (apart + 1000 * np.eye(len(values))).min() > 30


def test_what_lies_in_another_is_drawn_upon_it():
    inside = Scene((Thing("circle", "white", "small", "plain", 4), replace(MAIN, colour="blue")), "black", 0)
    picture = draw(inside)
    assert picture[PIXELS // 2, PIXELS // 2].min() > 200
    assert tuple(picture[PIXELS // 2 - 9, PIXELS // 2 - 9]) != tuple(picture[0, 0])


def test_no_thing_is_cut_off_by_the_edge():
    for cell in range(9):
        alone = Scene((replace(MAIN, cell=cell, texture="plain"),), "black", cell)
        picture = draw(alone)
        assert (picture[..., 0] > 120).sum() > 200
        edges = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (edges[:, 0] < 120).all()


def test_scenes_are_drawn_from_the_generator_without_error():
    pictures = {draw(draw_scene(1, index, "training")).tobytes() for index in range(200)}
    assert len(pictures) == 200
