"""What a run trains on and is probed with: drawn scenes and their captions, in an order set by seed and step.

No state is carried from step to step, so that a run that was cut off goes on exactly as if it had not been.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realign_core.training.captions import long_caption, short_caption
from realign_core.training.drawing import PIXELS, draw
from realign_core.training.scenes import Scene, draw_scene
from realign_core.training.settings import Settings

ORDER, WORDING, PROBE_WORDING = range(3)
"""What a generator beside the scenes' own is for; part of its seed."""


class Pool:
    """Training scenes 0 … pool - 1, each drawn when it is first used and kept."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.images = np.zeros((settings.pool, PIXELS, PIXELS, 3), np.uint8)
        self.scenes: list[Scene | None] = [None] * settings.pool
        self._order = (-1, np.empty(0, np.int64))

    def batch(self, step: int) -> tuple[np.ndarray, list[str]]:
        """Images uint8 `(batch, PIXELS, PIXELS, 3)` and newly worded captions of a step.

        An epoch goes through the pool in a new order; its last scenes, too few for a batch, are left out.
        """
        settings = self.settings
        epoch, place = divmod(step, settings.pool // settings.batch)
        if self._order[0] != epoch:
            generator = np.random.default_rng([settings.seed, ORDER, epoch])
            self._order = epoch, generator.permutation(settings.pool)
        rows = self._order[1][place * settings.batch : (place + 1) * settings.batch]
        generator = np.random.default_rng([settings.seed, WORDING, step])
        captions = []
        for row in rows:
            scene = self._scene(int(row))
            wording = long_caption if generator.random() < settings.long_share else short_caption
            captions.append(wording(scene, generator))
        return self.images[rows], captions

    def _scene(self, row: int) -> Scene:
        scene = self.scenes[row]
        if scene is None:
            scene = self.scenes[row] = draw_scene(self.settings.seed, row, "training")
            self.images[row] = draw(scene)
        return scene


@dataclass(frozen=True)
class Probe:
    """Held-out pairs: scenes of the probe's split, their pictures, and two captions of each."""

    scenes: list[Scene]
    images: np.ndarray
    short: list[str]
    long: list[str]

    @classmethod
    def draw(cls, count: int, seed: int) -> Probe:
        """Probe scenes 0 … count - 1 of a seed."""
        scenes = [draw_scene(seed, index, "probe") for index in range(count)]
        generators = [np.random.default_rng([seed, PROBE_WORDING, index]) for index in range(count)]
        return cls(
            scenes,
            np.stack([draw(scene) for scene in scenes]),
            [short_caption(scene, generator) for scene, generator in zip(scenes, generators)],
            [long_caption(scene, generator) for scene, generator in zip(scenes, generators)],
        )
