"""Checkpoints: all that a run needs to go on as if it had not been cut off."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import torch

from realign_core.load.atomic import atomic_file
from realign_core.training.settings import Settings
from realign_core.validation import UnusableInput

CHECKPOINT = "checkpoint.pt"


def save_checkpoint(
    folder: str | os.PathLike,
    model: Any,
    optimiser: torch.optim.Optimizer,
    settings: Settings,
    step: int,
    history: list[dict[str, Any]],
) -> None:
    """Write the checkpoint whole or not at all. No generator's state is in it: a step's draws follow from
    the seed and the step."""
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "settings": asdict(settings),
        "step": step,
        "history": history,
    }
    with atomic_file(os.path.join(folder, CHECKPOINT)) as file:
        torch.save(state, file)


def load_checkpoint(
    folder: str | os.PathLike, model: Any, optimiser: torch.optim.Optimizer, settings: Settings
) -> tuple[int, list[dict[str, Any]]]:
    """Set model and optimiser to the checkpoint in `folder`; returns its step and history.

    Without one, a run that was cut off before its first, the start: 0 and an empty history.
    """
    path = os.path.join(folder, CHECKPOINT)
    if not os.path.exists(path):
        return 0, []
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["settings"] != asdict(settings):
            raise UnusableInput(f"{path} was written with other settings; go on with its own")
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        return int(state["step"]), list(state["history"])
    except UnusableInput:
        raise
    except Exception as error:
        raise UnusableInput(
            f"{path} is no checkpoint of this command ({type(error).__name__}); train into a new folder"
        ) from error
