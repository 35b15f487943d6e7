"""Checkpoints: all that a run needs to go on as if it had not been cut off."""

from __future__ import annotations

import io
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from realign_core.load.atomic import atomic_bytes
from realign_core.training.settings import Settings
from realign_core.validation import UnusableInput

CHECKPOINT = "checkpoint.pt"


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


def load_checkpoint(
    folder: str | os.PathLike, model: Any, optimiser: torch.optim.Optimizer, settings: Settings
) -> Progress:
    """Set model and optimiser to the checkpoint in `folder`; returns how far it had come.

    A run that was cut off before its first checkpoint begins anew.
    """
    path = os.path.join(folder, CHECKPOINT)
    if not os.path.exists(path):
        return Progress()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["settings"] != asdict(settings):
            raise UnusableInput(f"{path} was written with other settings; go on with its own")
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        return Progress(int(state["step"]), list(state["history"]), list(state["losses"]))
    except UnusableInput:
        raise
    except Exception as error:
        raise UnusableInput(
            f"{path} is no checkpoint of this command ({type(error).__name__}); train into a new folder"
        ) from error
