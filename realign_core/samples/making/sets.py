"""What each sample consists of: pictures, captions, labels, and the embeddings of two of these."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from realign_core.samples.making.model import Encoder
from realign_core.training.captions import short_caption
from realign_core.training.drawing import draw
from realign_core.training.material import Probe
from realign_core.training.scenes import Scene

WORDINGS, RENDERINGS = 101, 102
"""What a generator beside the scenes' own is for; part of its seed."""


@dataclass(frozen=True)
class PairSet:
    """Rows `(n, d)` of target and source, with the columns beside them; `images` None for no pictures."""

    target: np.ndarray
    source: np.ndarray
    captions: list[str]
    labels: list[str]
    images: np.ndarray | None


def scenes_short_and_long(encoder: Encoder, count: int, seed: int) -> tuple[PairSet, PairSet]:
    """The same held-out scenes with short captions, and with remarks that the picture does not bear out."""
    probe = Probe.draw(count, seed)
    target = encoder.images(probe.images)
    labels = [_label(scene) for scene in probe.scenes]
    return (
        PairSet(target, encoder.texts(probe.short), probe.short, labels, probe.images),
        PairSet(target, encoder.texts(probe.long), probe.long, labels, None),
    )


def several_captions(encoder: Encoder, images: int, each: int, seed: int) -> PairSet:
    """`each` differently worded short captions to every picture, one below the other."""
    probe = Probe.draw(images, seed)
    captions = []
    for index, scene in enumerate(probe.scenes):
        captions += _wordings(scene, each, np.random.default_rng([seed, WORDINGS, index]))
    return PairSet(
        np.repeat(encoder.images(probe.images), each, axis=0),
        encoder.texts(captions),
        captions,
        [_label(scene) for scene in probe.scenes for _ in range(each)],
        np.repeat(probe.images, each, axis=0),
    )


def two_renderings(encoder: Encoder, count: int, seed: int) -> PairSet:
    """The same scenes drawn twice, with other tints, turns and small shifts: one modality on both sides."""
    probe = Probe.draw(count, seed)
    jitters = np.random.default_rng([seed, RENDERINGS]).integers(2**32, size=count)
    again = [replace(scene, jitter=int(jitter)) for scene, jitter in zip(probe.scenes, jitters)]
    return PairSet(
        encoder.images(probe.images),
        encoder.images(np.stack([draw(scene) for scene in again])),
        probe.short,
        [_label(scene) for scene in probe.scenes],
        probe.images,
    )


def _label(scene: Scene) -> str:
    return scene.things[0].shape


def _wordings(scene: Scene, count: int, generator: np.random.Generator) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[short_caption(scene, generator)] = None
    return list(found)
