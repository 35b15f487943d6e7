"""Scenes: drawn from seed and number alone, many, and never shared between training and probe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from realign_core.training.scenes import SHAPES, Scene, Thing, draw_scene
from realign_core.validation import UnusableInput

RED = Thing("circle", "red", "small", "plain", 4)
BLUE = Thing("ring", "blue", "large", "dotted", 4)


def test_a_scene_follows_from_seed_number_and_split():
    first = [draw_scene(3, index, "training") for index in range(20)]
    assert [draw_scene(3, index, "training") for index in reversed(range(20))] == first[::-1]
    assert draw_scene(4, 0, "training") != first[0]
    assert draw_scene(3, 0, "probe") != first[0]


def test_probe_scenes_never_occur_in_training():
    training = [draw_scene(0, index, "training") for index in range(40_000)]
    probe = [draw_scene(seed, index, "probe") for seed in (0, 1) for index in range(500)]
    assert {scene.split for scene in training} == {"training"}
    assert {scene.split for scene in probe} == {"probe"}
    assert not {scene.key for scene in training} & {scene.key for scene in probe}
    # Not even at other places.
    assert not {scene.content for scene in training} & {scene.content for scene in probe}
    # Scenes differ: what repeats is single things, of which there are fewest.
    assert len({scene.key for scene in training}) > 0.9 * len(training)
    assert {len(scene.things) for scene in training} == {1, 2, 3, 4}


def test_the_meaning_leaves_out_order_and_jitter_and_the_content_places():
    scene = Scene((RED, replace(BLUE, cell=2)), "cream", 1)
    same = Scene((replace(BLUE, cell=2), RED), "cream", 2)
    moved = Scene((RED, replace(BLUE, cell=3)), "cream", 1)
    assert scene.key == same.key
    assert scene.key != moved.key
    assert scene.content == moved.content
    assert scene.split == moved.split
    assert scene.content != replace(scene, ground="navy").content


@pytest.mark.parametrize(
    ("cell", "relation"),
    [(4, "inside"), (1, "below"), (7, "above"), (3, "right"), (5, "left"), (0, "below right")],
)
def test_the_relation_is_that_of_the_first_thing_to_the_second(cell, relation):
    assert Scene((RED, replace(BLUE, cell=cell)), "cream", 0).relation == relation


def test_one_thing_stands_in_no_relation():
    assert Scene((RED,), "cream", 0).relation is None


def test_what_lies_in_another_is_smaller_and_of_another_colour():
    inside = [scene for index in range(300) if (scene := draw_scene(0, index, "training")).inside]
    assert inside
    for scene in inside:
        inner, outer = scene.things[:2]
        assert (inner.size, outer.size) == ("small", "large")
        assert inner.colour != outer.colour


def test_things_have_places_of_their_own():
    for index in range(300):
        scene = draw_scene(0, index, "probe")
        cells = [thing.cell for thing in scene.things]
        assert len(set(cells)) == len(cells) - scene.inside
        assert {thing.shape for thing in scene.things} <= set(SHAPES)


@pytest.mark.parametrize("arguments", [(-1, 0, "probe"), (0, -1, "probe"), (0, 0, "test"), (0.5, 0, "probe")])
def test_unusable_arguments(arguments):
    with pytest.raises(UnusableInput):
        draw_scene(*arguments)
