"""The card of a sample: what it is, how it was made, and figures computed from the file that is shipped."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from realign_core.comparison import Comparison, compare
from realign_core.load import load_pair

METHODS = ("identity", "realign", "rotation")
DIGITS = 5


def model_part(record: dict[str, Any], weights: dict[str, Any]) -> dict[str, Any]:
    """How the model was trained, as the run's record says, and what is shipped of it."""
    settings = record["settings"]
    return {
        "kind": "open_clip CLIP, InfoNCE on drawn scenes",
        "parameters": record["parameters"],
        "step": record["step"],
        "steps": settings["steps"],
        "finished": record["finished"],
        "pairs_seen": record["step"] * settings["batch"],
        "training_scenes": settings["pool"],
        "long_captions_share": settings["long_share"],
        "device": record["device"],
        "seed": settings["seed"],
        "commit": record["commit"],
        "versions": record["versions"],
        **{name: _short(value) for name, value in weights.items()},
    }


def make_card(path: Path, about: dict[str, Any], seed: int, model: dict[str, Any]) -> dict[str, Any]:
    """`about` with rows, dimension, provenance and the figures of the file at `path`."""
    pair = load_pair(path, paired="yes")
    return {
        **about,
        "rows": pair.report.n_target,
        "dimension": pair.report.dim,
        "groups": pair.report.groups,
        "seed": seed,
        "date": date.today().isoformat(),
        "made_by": "python -m realign_core.samples.make --run FOLDER",
        "model": model,
        # No interval is kept, so two resamples are enough.
        "figures": figures(compare(pair, METHODS, bootstrap=2)),
    }


def figures(result: Comparison) -> dict[str, Any]:
    """Gap, floor, spread, retrieval over all rows against chance, and what two methods keep on other rows.

    `recall_at_1` is from source to target, `recall_at_1_reverse` from target to source.
    """
    gap, shared = result.diagnosis.gap, result.diagnosis.shared
    untouched = result.fitted["identity"].in_sample
    groups = result.dataset.groups
    found = {
        "gap": gap.centroid_distance,
        "sampling_floor": gap.sampling_floor,
        "sampling_floor_95": gap.sampling_floor_95,
        "effective_rank_target": shared.effective_rank_target,
        "effective_rank_source": shared.effective_rank_source,
        "trace_target": gap.trace_target,
        "trace_source": gap.trace_source,
        "recall_at_1": untouched["recall_at_1"],
        "recall_at_1_reverse": untouched["recall_at_1_reverse"],
        "chance": 1 / groups if groups else None,
    }
    held_out = {
        name: {
            score: _short((method.held_out or {}).get(score))
            for score in ("centroid_gap", "sampling_floor_95", "omega", "recall_at_1", "recall_at_1_reverse")
        }
        for name, method in result.fitted.items()
    }
    return {**{name: _short(value) for name, value in found.items()}, "held_out": held_out}


def _short(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
