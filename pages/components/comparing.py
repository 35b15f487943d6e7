"""The comparison that a page shows, computed in the background where it takes a while."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pages.components import choices, jobs
from pages.components.study import Study
from realign_core.comparison import Comparison


def current(study: Study) -> Comparison:
    """The comparison under this session's settings; only what is not known yet is computed."""
    chosen = choices.comparison_settings(study)
    if study.has_diagnosis(chosen.seed) and not study.missing(chosen):
        return study.comparison(chosen)

    def work(progress: Callable[[str], None]) -> Any:
        return study.comparison(chosen, progress)

    return jobs.run(f"comparison|{study.digest}|{json.dumps(chosen.to_dict(), sort_keys=True)}", work)
