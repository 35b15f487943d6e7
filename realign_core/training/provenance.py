"""What a run's record says of how it was made."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from realign_core import __version__
from realign_core.training.settings import Settings

PACKAGES = ("torch", "open_clip_torch", "numpy", "pillow")


def make_record(
    settings: Settings,
    model: Any,
    device: str,
    history: list[dict[str, Any]],
    step: int,
    made_by: str | None,
) -> dict[str, Any]:
    """The contents of `record.json`; `made_by` is the code's commit; the pairs per second count probing."""
    seconds = history[-1]["seconds"] if history else 0.0
    return {
        "settings": asdict(settings),
        "step": step,
        "finished": step == settings.steps,
        "parameters": sum(value.numel() for value in model.parameters()),
        "device": device,
        "chance": 1 / settings.probe,
        "pairs_per_second": round(settings.batch * history[-1]["step"] / seconds, 1) if seconds else None,
        "versions": {
            "gapscope": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "commit": made_by,
        "history": history,
    }


def commit() -> str | None:
    """Commit of the checkout that this code lies in; None outside one, or where that code changed."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        changed, name = (
            subprocess.run(
                ["git", *words], cwd=root, capture_output=True, text=True, timeout=10, check=True
            ).stdout.strip()
            for words in (("status", "--porcelain", "--", "realign_core"), ("rev-parse", "HEAD"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return None if changed else name
