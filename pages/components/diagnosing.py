"""The diagnosis that a page shows, computed in the background where it takes a while."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go

from pages.components import ahead, energy_slider, jobs, settings, theme
from pages.components.study import Study
from realign_core.diagnostics import Diagnosis
from realign_core.figures.described import Described

WITHOUT_CUT = ("residual-energy", "overlap", "modalities")


def current(study: Study) -> Diagnosis:
    """The diagnosis at this session's energy and seed."""
    energy, seed = settings.get("energy"), settings.get("seed")
    if study.has_diagnosis(seed):
        return study.diagnosis(energy, seed)

    def work(progress: Callable[[str], None]) -> Any:
        return study.diagnosis(energy, seed, progress)

    return jobs.run(f"diagnosis|{study.digest}|{seed}", work)


def look_ahead(study: Study) -> None:
    """Prepare the diagnoses one step of the energy slider to the left and to the right.

    What isotropic data would read depends on the cut, and takes most of a step.
    """
    stops, seed = energy_slider.beside(settings.get("energy")), settings.get("seed")
    ahead.prepare(partial(study.prepare_cut, stop, seed) for stop in stops)


def drawing(study: Study, diagnosis: Diagnosis, figure: Described) -> go.Figure:
    """The figure for this theme; drawn once where no cut changes it, for a fast slider."""
    if figure.key not in WITHOUT_CUT:
        return figure.draw(theme.dark())
    key = ("diagnosis", figure.key, diagnosis.seed, theme.dark())
    return study.drawn(key, lambda: figure.draw(theme.dark()))
