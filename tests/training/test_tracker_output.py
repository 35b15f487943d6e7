"""What the tracker gives back and keeps: rows, tables, replays."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import torch
from trajectories import World

import realign_core as rc
from realign_core.training.tracked import FIGURES

WORLD = World.of()


def tracker(**settings):
    return rc.GapTracker(**{"reference_step": 0, "normalize": False, **settings})


def gaussian(seed=3):
    return np.random.default_rng(seed).standard_normal((150, WORLD.dim))


def test_a_frame_holds_a_row_a_step_and_missing_figures_as_nan():
    followed = tracker(reference_step=1)
    for step in range(3):
        followed.update(step, *WORLD.rows(WORLD.bias(1), noise_v=np.full(8, 0.001)), loss=3.0 - step)
    frame = followed.to_frame()
    assert list(frame.columns) == [*FIGURES, "loss", "kappa_eff_u_isotropic", "kappa_eff_v_isotropic"]
    assert frame.step.tolist() == [0, 1, 2]
    assert frame.loss.tolist() == [3.0, 2.0, 1.0]
    assert frame.leakage.isna().all()
    assert frame.kappa_eff_v_isotropic.isna().tolist() == [True, False, False]
    assert json.loads(json.dumps(followed.to_dict()))["steps"][2]["loss"] == 1.0
    assert rc.GapTracker().to_frame().empty


def test_a_replay_equals_the_run():
    @dataclasses.dataclass
    class Snapshot:
        step: int
        image_embeddings: np.ndarray
        text_embeddings: np.ndarray
        image_grads: np.ndarray | None
        loss: float
        captions: tuple[str, ...] = ("a", "b")

    live = tracker(reference_step=2)
    saved = []
    for step in range(4):
        x, y = WORLD.rows(WORLD.bias(1), turn=WORLD.turn(step))
        saved.append(Snapshot(step, x, y, gaussian(step), 0.5 * step))
        live.update(step, x, y, gaussian(step), loss=0.5 * step)
    for snapshots in (saved, map(vars, saved)):
        again = rc.GapTracker.replay(snapshots, reference_step=2, normalize=False)
        assert again.to_dict() == live.to_dict()


def test_a_replay_reads_opened_archives(tmp_path):
    x, y = WORLD.rows(WORLD.bias(1))
    for step in (100, 200):
        np.savez(
            tmp_path / f"step_{step:06}.npz",
            step=step,
            image_embeddings=x,
            text_embeddings=y,
            loss=np.float32(1),
        )
    archives = [np.load(path) for path in sorted(tmp_path.glob("*.npz"))]
    frame = rc.GapTracker.replay(archives, reference_step=150).to_frame()
    assert frame.step.tolist() == [100, 200]
    assert frame.loss.tolist() == [1, 1]


def test_nothing_that_was_handed_over_is_kept():
    followed = tracker(window=3)
    for step in range(8):
        followed.update(step, *WORLD.rows(WORLD.bias(1)), gaussian(), gaussian())
    held = [value for value in vars(followed).values() if isinstance(value, torch.Tensor)]
    assert all(value.shape == (12,) for value in held)
    assert [tuple(scatter.shape) for scatter in followed._scatters] == [(12, 12)] * 3
