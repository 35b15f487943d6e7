"""`make bench`: every benchmark in one run, each printing its own table.

`python -m benchmarks NAME …` runs some of them. Figures in RESULTS.md come from such runs.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib import import_module
from pathlib import Path

from realign_core.waiting import wait_briefly

wait_briefly()

NAMES = (
    "startup",
    "realign_speed",
    "neighbours_speed",
    "tracker",
    "moments_accuracy",
    "analyze_speed",
    "streaming",
    "distributed",
    "dashboard",
    "published_comparison",
    "anisoalign_settings",
    "alternatives",
)


def main(names: list[str]) -> int:
    """Run the named benchmarks, all by default; 1 where a bound is missed."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; choose from {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(machine())
    missed = []
    for name in names or NAMES:
        print(f"\n{name}")
        result = import_module(f"benchmarks.{name}").run()
        sys.stdout.flush()
        if not result.get("within", True):
            missed.append(name)
    if missed:
        print(f"\nbounds missed: {', '.join(missed)}")
    return int(bool(missed))


def machine() -> str:
    """The machine and the versions that a figure needs beside it."""
    import numpy
    import torch

    model = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")),
        platform.processor(),
    )
    return (
        f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, torch {torch.__version__}, "
        f"NumPy {numpy.__version__}"
    )


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
