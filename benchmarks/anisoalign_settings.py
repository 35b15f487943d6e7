"""AnisoAlign under the settings that its paper leaves open, on splits that no reported figure uses.

`python -m benchmarks anisoalign_settings`. ReAlign and rotation stand beside each set for comparison.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from benchmarks.published_comparison import AS_PUBLISHED, judged, pairs, show

SEEDS = (10, 11)
SETS = 2
"""The real set and the first bundled sample: a fit takes half a minute."""

SETTINGS: dict[str, dict[str, Any]] = {
    "as published": AS_PUBLISHED,
    "defaults": {},
    "blocks of neighbouring eigenvectors": {"mixing": "none"},
    "phases not centred": {"centred": False},
    "U at 80 %": {"energy": 0.8},
    "U at 99 %": {"energy": 0.99},
    "U at 95 %": {"energy": 0.95},
    "radii by scale": {"radial_map": "scale"},
    "radii kept": {"radial_map": "none"},
    "start only": {"refine": False},
    "start only, radii by scale": {"refine": False, "radial_map": "scale"},
    "start only, radii kept": {"refine": False, "radial_map": "none"},
    "without the prior": {"prior_weight": 0.0},
    "without the phase term": {"phase_weight": 0.0},
    "phases within 0.3": {"phase_bound": 0.3},
    "phases within 0.3, no phase term, scale": {
        "phase_bound": 0.3,
        "phase_weight": 0.0,
        "radial_map": "scale",
    },
    "radii within 0.2": {"radius_bound": 0.2},
    "stronger drift, 8 partners": {"drift_step": 0.5, "partners": 8},
    "width 512, 1 200 steps": {"width": 512, "steps": 1200},
}


def run() -> dict[str, Any]:
    """Means over the splits by set and setting; there is no bound."""
    methods: dict[str, tuple[str, dict[str, Any]]] = {
        "ReAlign": ("realign", {}),
        "rotation": ("rotation", {}),
    }
    methods |= {name: ("anisoalign", options) for name, options in SETTINGS.items()}
    found = {}
    for title, data in islice(pairs(), SETS):
        print(f"  {title}, {len(SEEDS)} splits")
        found[title] = judged(data, methods, SEEDS)
        show(found[title])
    return {"settings": found}


if __name__ == "__main__":
    run()
