"""Checkpoints: all that a run needs to go on as if it had not been cut off."""

from __future__ import annotations

import io
import math
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from realign_core.load.atomic import atomic_bytes, partial_of, unwritable
from realign_core.training.model import CONFIG, WEIGHTS
from realign_core.training.settings import Settings
from realign_core.training.snapshots import NAME, RECORD
from realign_core.validation import UnusableInput, check_count

CHECKPOINT = "checkpoint.pt"
MODEL_FOLDER = "model"
SHOWN = ("seconds", "loss", "recall_at_1", "recall_at_1_reverse")
"""Entries of the history that the lines said of a run need."""


@dataclass
class Progress:
    """How far a run has come: steps done, an entry a snapshot, and the batches' losses since the last."""

    step: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def save_checkpoint(
    folder: str | os.PathLike,
    model: Any,
    optimiser: torch.optim.Optimizer,
    settings: Settings,
    progress: Progress,
) -> None:
    """Write the checkpoint whole or not at all; UnusableInput where it cannot be written.

    No generator's state is in it: a step's draws follow from the seed and the step.
    """
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "settings": asdict(settings),
        **asdict(progress),
    }
    # In memory first: where the disk is full, torch's own writer ends in an error of another kind.
    packed = io.BytesIO()
    torch.save(state, packed)
    atomic_bytes(os.path.join(folder, CHECKPOINT), packed.getvalue())


def remove_partials(folder: str | os.PathLike) -> None:
    """Remove what a run that was killed while it wrote a file of `folder` left beside that file."""
    inside = [(folder, (CHECKPOINT, RECORD)), (os.path.join(folder, MODEL_FOLDER), (WEIGHTS, CONFIG))]
    for place, own in inside:
        for name in os.listdir(place) if os.path.isdir(place) else []:
            target = partial_of(name)
            if target is not None and (target in own or NAME.fullmatch(target)):
                try:
                    os.unlink(os.path.join(place, name))
                except OSError as error:
                    raise unwritable(os.path.join(place, name), error) from error


def load_checkpoint(
    folder: str | os.PathLike, model: Any, optimiser: torch.optim.Optimizer, settings: Settings
) -> Progress:
    """Set model and optimiser to the checkpoint in `folder`; returns how far it had come.

    UnusableInput where the file is no such checkpoint, or tells of steps that the run cannot have done.
    A run that was cut off before its first checkpoint begins anew.
    """
    path = os.path.join(folder, CHECKPOINT)
    if not os.path.exists(path):
        return Progress()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["settings"] == asdict(settings):
            model.load_state_dict(state["model"])
            optimiser.load_state_dict(state["optimiser"])
            return _progress(state, settings)
    except Exception as error:
        why = str(error) if isinstance(error, UnusableInput) else type(error).__name__
        raise UnusableInput(
            f"{path} is no checkpoint of this command ({why}); train into a new folder"
        ) from error
    raise UnusableInput(f"{path} was written with other settings; go on with its own")


def _progress(state: dict[str, Any], settings: Settings) -> Progress:
    """How far the run had come; an error of some kind where no run can have come there."""
    done = Progress(state["step"], list(state["history"]), [float(loss) for loss in state["losses"]])
    steps = [check_count("step", step, least=0) for step in (*(e["step"] for e in done.history), done.step)]
    if sorted(set(steps[:-1])) != steps[:-1] or max(steps) > min(done.step, settings.steps):
        raise UnusableInput(f"its steps do not increase to {done.step}")
    for entry in done.history:
        if not all(math.isfinite(entry[name]) for name in SHOWN):
            raise UnusableInput(f"a figure of step {entry['step']} is not finite")
    return done
