"""The comparison that a page shows, computed in the background where it takes a while."""

from __future__ import annotations

import json
from collections.abc import Callable

from pages.components import choices, jobs
from pages.components.study import Study
from realign_core.comparison import Comparison


def current(study: Study) -> Comparison:
    """The comparison under this session's settings."""
    settings = choices.comparison_settings(study)
    if study.has_comparison(settings):
        return study.comparison(settings)

    def work(progress: Callable[[str], None]) -> Comparison:
        return study.comparison(settings, progress)

    key = json.dumps(settings.to_dict(), sort_keys=True)
    return jobs.run(f"comparison|{study.digest}|{key}", work)
