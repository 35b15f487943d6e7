"""Measure what the modality gap between two sets of embeddings is made of, and close it.

The names below load on first use, so that `import realign_core` and the command line's `--help` do not
wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Batches": "load",
    "EmbeddingPair": "load",
    "load_pair": "load",
    "write_rows": "load",
    "inspect_path": "load",
    "UnusableInput": "validation",
    "Moments": "moments",
    "FixedFrame": "frame",
    "decompose": "diagnostics",
    "diagnose": "diagnostics",
    "compare": "comparison",
    "differences": "comparison",
    "Comparison": "comparison",
    "Aligner": "alignment",
    "Identity": "alignment",
    "MeanShift": "alignment",
    "C3": "alignment",
    "AnchorTrace": "alignment",
    "ReAlign": "alignment",
    "Rotation": "alignment",
    "Blockwise": "alignment",
    "GaussianOT": "alignment",
    "AnisoAlign": "alignment",
    "Procrustes": "alignment",
    "RandomTarget": "alignment",
    "register_method": "alignment",
    "load_aligner": "alignment",
    "GapTracker": "training.tracker",
}
_MODULES = ("figures", "report")

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"realign_core.{name}")
    if name in _HOME:
        return getattr(import_module(f"realign_core.{_HOME[name]}"), name)
    raise AttributeError(f"realign_core has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
