"""The diagnosis that a page shows, computed in the background where it takes a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.components import jobs, settings
from pages.components.study import Study
from realign_core.diagnostics import Diagnosis


def current(study: Study) -> Diagnosis:
    """The diagnosis at this session's energy and seed."""
    energy, seed = settings.get("energy"), settings.get("seed")
    if study.has_diagnosis(seed):
        return study.diagnosis(energy, seed)

    def work(progress: Callable[[str], None]) -> Any:
        return study.diagnosis(energy, seed, progress)

    return jobs.run(f"diagnosis|{study.digest}|{seed}", work)
