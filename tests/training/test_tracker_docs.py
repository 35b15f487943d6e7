"""The examples of docs/tracker.md run as they stand."""

from __future__ import annotations

import inspect
import re
import types
from functools import partial
from pathlib import Path

import open_clip
import pytest
import torch
from torch.nn.functional import cross_entropy

import realign_core as rc

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "tracker.md").read_text(encoding="utf-8")
PLAIN, OPEN_CLIP, LIGHTNING = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
LEARNT = ("leakage", "locking_diagonal", "sin_theta", "leakage_bound", "cob_drift", "cob_stability")

normalize = partial(torch.nn.functional.normalize, dim=-1)


def contrastive_loss(x, y):
    logits = 10 * x @ y.T
    target = torch.arange(len(x))
    return (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2


def data(n, generator):
    meaning = torch.randn(n, 6, generator=generator)
    return meaning @ torch.ones(6, 10).triu(), meaning @ torch.ones(6, 8).tril()


@pytest.fixture
def world():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    image_encoder, text_encoder = torch.nn.Linear(10, 16), torch.nn.Linear(8, 16)
    probe_images, probe_texts = data(100, generator)
    return {
        "image_encoder": image_encoder,
        "text_encoder": text_encoder,
        "probe_images": probe_images,
        "probe_texts": probe_texts,
    }


def test_the_plain_loop_runs_in_an_empty_file():
    alone = {}
    exec(PLAIN, alone)
    table = alone["table"]
    assert table.step.tolist() == [0, 20, 40, 60, 80, 100]
    assert table.frozen.tolist() == [False, False, True, True, True, True]
    assert table.loss.iloc[-1] < table.loss.iloc[0]
    assert table.loc[table.frozen, LEARNT].notna().all(axis=None)


def test_the_docstring_shows_the_same_loop():
    shown = inspect.getdoc(rc.GapTracker).split("::\n\n")[1]
    assert PLAIN.strip().endswith("\n\n" + inspect.cleandoc(shown))


def test_the_lines_for_open_clip():
    torch.manual_seed(0)
    model = open_clip.CLIP(
        embed_dim=16,
        vision_cfg={"image_size": 16, "patch_size": 8, "width": 16, "layers": 1, "head_width": 8},
        text_cfg={"context_length": 8, "vocab_size": 32, "width": 16, "heads": 2, "layers": 1},
    )
    tracker = rc.GapTracker(reference_step=0)
    around = {
        "torch": torch,
        "model": model,
        "unwrap_model": lambda wrapped: wrapped,
        "is_master": lambda args: True,
        "args": None,
        "ClipLoss": open_clip.ClipLoss,
        "probe_images": torch.randn(40, 3, 16, 16),
        "probe_texts": torch.randint(1, 32, (40, 8)),
        "tracker": tracker,
        "total_loss": torch.tensor(1.0, requires_grad=True),
    }
    for step in (0, 10, 20):
        exec(OPEN_CLIP, around | {"step": step})
    assert [row.step for row in tracker.steps] == [0, 20]
    assert tracker.steps[-1].leakage is not None
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_lightning_callback(world):
    around = {"rc": rc, "torch": torch, "lightning": types.SimpleNamespace(Callback=object)}
    exec(LIGHTNING, around)
    callback = around["TrackGap"](world["probe_images"], world["probe_texts"], reference_step=0)
    module = types.SimpleNamespace(
        encode_image=lambda rows: normalize(world["image_encoder"](rows)),
        encode_text=lambda rows: normalize(world["text_encoder"](rows)),
        contrastive_loss=contrastive_loss,
    )
    for step in (20, 30, 40):
        trainer = types.SimpleNamespace(is_global_zero=True, global_step=step)
        with torch.no_grad():
            callback.on_train_batch_end(trainer, module, {"loss": torch.tensor(1.0)}, None, 0)
    assert [row.step for row in callback.tracker.steps] == [20, 40]
    assert callback.tracker.steps[-1].leakage_bound is not None
