"""The training loop: InfoNCE on batches of pairs, a snapshot of the probe set every few steps."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any

import torch

from realign_core.training.checkpoints import (
    MODEL_FOLDER,
    Progress,
    load_checkpoint,
    remove_partials,
    save_checkpoint,
)
from realign_core.training.losses import info_nce
from realign_core.training.material import Pool, Probe
from realign_core.training.model import LARGEST_SCALE, build_model, build_tokenizer, save_model, to_input
from realign_core.training.probing import take_snapshot
from realign_core.training.provenance import commit, make_record
from realign_core.training.settings import Settings
from realign_core.training.snapshots import SCALARS, Snapshot, write_record, write_snapshot
from realign_core.validation import UnusableInput


def train(
    settings: Settings,
    folder: str | os.PathLike,
    *,
    device: str = "cpu",
    resume: bool = False,
    say: Callable[[str], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Train, write snapshots, checkpoint, record and model into `folder`; returns the record.

    `say` is given a line now and then; the run ends early, with a checkpoint to go on from, once `stop`
    answers True between two steps. With `resume` it goes on from the checkpoint in `folder`, if there is one.
    UnusableInput where that is no checkpoint of this run, or the loss stops being finite.
    """
    place = torch.device(device)
    os.makedirs(folder, exist_ok=True)
    model = build_model(settings.model, settings.seed).to(place)
    optimiser = make_optimiser(model, settings)
    tokenize = build_tokenizer(settings.model)
    done = Progress()
    if resume:
        done = load_checkpoint(folder, model, optimiser, settings)
        remove_partials(folder)
    made_by = commit()

    def record() -> dict[str, Any]:
        return make_record(settings, model, device, done.history, done.step, made_by)

    # From here on the folder tells whose it is, so that a run cut off at once can be gone on with too.
    write_record(folder, record())
    say(f"draw {settings.probe} held-out scenes")
    probe = Probe.draw(settings.probe, settings.seed)
    probe_tokens = tokenize(probe.short)
    pool = Pool(settings)
    earlier = done.history[-1]["seconds"] if done.history else 0.0
    begun = time.perf_counter() - earlier
    while True:
        last = done.step == settings.steps
        due = (last or done.step % settings.every == 0) and done.step not in _probed(done)
        if due:
            rate = learning_rate(settings, done.step)
            snapshot = take_snapshot(model, probe, probe_tokens, settings, done.step, rate, place)
            write_snapshot(folder, snapshot)
            done.history.append(_entry(snapshot, done.losses, time.perf_counter() - begun))
            done.losses.clear()
            say(_line(done.history[-1], settings))
        ending = last or stop()
        if due or ending:
            save_checkpoint(folder, model, optimiser, settings, done)
            save_model(model, settings.model, os.path.join(folder, MODEL_FOLDER))
            write_record(folder, record())
        if ending:
            return record()
        images, captions = pool.batch(done.step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(settings, done.step)
        optimiser.zero_grad()
        image = model.encode_image(to_input(images, place), normalize=True)
        text = model.encode_text(tokenize(captions).to(place), normalize=True)
        loss = info_nce(image, text, model.logit_scale.exp())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, LARGEST_SCALE)
        done.losses.append(loss.item())
        if not math.isfinite(done.losses[-1]):
            raise UnusableInput(
                f"the loss is {done.losses[-1]} after {done.step} steps; begin anew with a "
                f"--learning-rate below {settings.learning_rate:g}"
            )
        done.step += 1


def learning_rate(settings: Settings, step: int) -> float:
    """Linear from 0 over the warm-up, then half a cosine down to 0 at the last step."""
    warmup = min(settings.warmup, settings.steps)
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(1, settings.steps - warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def make_optimiser(model: torch.nn.Module, settings: Settings) -> torch.optim.AdamW:
    """AdamW as CLIP sets it; gains, biases and the temperature do not decay."""
    decayed = [value for value in model.parameters() if value.ndim >= 2]
    others = [value for value in model.parameters() if value.ndim < 2]
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
        eps=1e-6,
    )


def _probed(done: Progress) -> set[int]:
    return {entry["step"] for entry in done.history}


def _entry(snapshot: Snapshot, losses: list[float], seconds: float) -> dict[str, Any]:
    """A line of the history: the snapshot's figures, the mean loss of the batches since the last."""
    return {
        "step": snapshot.step,
        **{name: getattr(snapshot, name) for name in SCALARS},
        "training_loss": sum(losses) / len(losses) if losses else None,
        "seconds": round(seconds, 2),
    }


def _line(entry: dict[str, Any], settings: Settings) -> str:
    rate = settings.batch * entry["step"] / entry["seconds"] if entry["seconds"] else 0.0
    return (
        f"step {entry['step']}/{settings.steps}: probe loss {entry['loss']:.3f}, recall@1 "
        f"{entry['recall_at_1']:.1%} image to text, {entry['recall_at_1_reverse']:.1%} text to image "
        f"(chance {1 / settings.probe:.2%}), {rate:.0f} pairs/s"
    )
