"""The methods beside the papers' figures, on real and bundled pairs, held out, over several splits.

`python -m benchmarks published_comparison`. AnisoAlign stands there as published (U at 95 % of the energy,
256 quantiles), at this package's defaults, and at the settings that `anisoalign_settings` found best on
other splits.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SEEDS = (0, 1, 2, 3, 4)
REAL = {"CLIP ViT-B/32, COCO, 500 pairs": "clip_vitb32_coco500.npy"}
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SCORES = {
    "phi": "phi",
    "psi": "psi",
    "omega": "omega",
    "M^Z": "entropy_mixing_source",
    "M^X": "entropy_mixing_target",
    "gap": "centroid_gap",
    "A_r": "anisotropy",
    "R@1": "recall_at_1",
    "R@1 rev": "recall_at_1_reverse",
}
PUBLISHED = {
    "C3": {"phi": 0.899, "psi": 0.925, "omega": 0.840, "M^Z": 0.410, "M^X": 0.075, "gap": 0.276},
    "ReAlign": {"phi": 0.923, "psi": 0.836, "M^Z": 0.357, "M^X": 0.305, "gap": 0.012},
    "AnisoAlign": {"phi": 0.941, "psi": 0.983, "omega": 0.945, "M^Z": 0.372, "M^X": 0.337, "gap": 0.012},
}
"""[A, fig. 6, 7]: other data (n = 10 000, d = 1280), so their order is what can be compared."""

AS_PUBLISHED: dict[str, Any] = {"energy": 0.95, "levels": 256}
BEST_FOUND: dict[str, Any] = {"radial_map": "scale", "refine": False}
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "identity": ("identity", {}),
    "mean shift": ("mean_shift", {}),
    "C3": ("c3", {}),
    "ReAlign": ("realign", {}),
    "blockwise, OAS": ("blockwise", {}),
    "blockwise, as published": ("blockwise", {"shrinkage": None}),
    "Gaussian OT": ("gaussian_ot", {}),
    "rotation": ("rotation", {}),
    "AnisoAlign, as published": ("anisoalign", AS_PUBLISHED),
    "AnisoAlign": ("anisoalign", {}),
    "AnisoAlign, scale, no refinement": ("anisoalign", BEST_FOUND),
}


def run() -> dict[str, Any]:
    """Means and standard deviations over the splits; there is no bound."""
    found = {}
    for title, data in pairs():
        print(f"  {title}, {len(SEEDS)} splits")
        scores = judged(data, METHODS, SEEDS)
        show(scores)
        found[title] = {
            name: {label: float(np.mean(values)) for label, values in rows.items()}
            for name, rows in scores.items()
        }
    print("  published, other data")
    show({name: {label: [value] for label, value in rows.items()} for name, rows in PUBLISHED.items()})
    return found


def pairs() -> Iterator[tuple[str, Any]]:
    """Title and loaded pair of every set: the real ones that are there, then the bundled samples."""
    from realign_core.load import load_pair
    from realign_core.samples import sample_card, sample_names, sample_path

    for title, file in REAL.items():
        if (SHARED / file).exists():
            yield title, load_pair(SHARED / file)
        else:
            print(f"  {title}: not there, left out")
    for name in sample_names():
        yield sample_card(name)["title"], load_pair(sample_path(f"sample:{name}"))


def judged(
    data: Any, methods: dict[str, tuple[str, dict[str, Any]]], seeds: tuple[int, ...]
) -> dict[str, dict[str, list[float]]]:
    """Held-out scores by method and label, a value a split."""
    from realign_core.comparison import Bench, Settings

    found: dict[str, dict[str, list[float]]] = {name: {label: [] for label in SCORES} for name in methods}
    for seed in seeds:
        bench = Bench(data, Settings(seed=seed, bootstrap=2))
        for name, (method, options) in methods.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                side, told = bench.judge_shown(method, **options)
            if side is None:
                print(f"  {name}: {told[0]}")
                continue
            for label, score in SCORES.items():
                value = side.values[score]
                if value is not None:
                    found[name][label].append(value)
    return found


def show(scores: dict[str, dict[str, list[float]]]) -> None:
    """A line a method: the mean of each score and, over more than one split, its standard deviation."""
    width = max(map(len, scores))
    print(f"    {'':<{width}}  " + "".join(f"{label:>16}" for label in SCORES))
    for name, rows in scores.items():
        cells = (_cell(rows.get(label, [])) for label in SCORES)
        print(f"    {name:<{width}}  " + "".join(f"{cell:>16}" for cell in cells))


def _cell(values: list[float]) -> str:
    if not values:
        return "-"
    spread = f" ({np.std(values, ddof=1):.3f})" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


if __name__ == "__main__":
    run()
