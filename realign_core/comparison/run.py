"""The whole analysis in one call: diagnosis, then every method on the same rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from realign_core import alignment
from realign_core.comparison.bench import Bench
from realign_core.comparison.result import Comparison, MethodResult
from realign_core.comparison.settings import Settings
from realign_core.comparison.side import class_counts
from realign_core.diagnostics.diagnosis import Diagnosis, diagnose
from realign_core.diagnostics.drift_path import drift_path_of
from realign_core.diagnostics.statistics import Progress, silent
from realign_core.load import EmbeddingPair
from realign_core.moments import statistics_device
from realign_core.validation import UnusableInput


def compare(
    data: EmbeddingPair,
    methods: Sequence[str] | None = None,
    *,
    progress: Progress = silent,
    **options: Any,
) -> Comparison:
    """Diagnose `data` and judge the alignment methods on it, in-sample and held-out.

    `methods` names them (default: all that fit the data and need no training); `options` are the fields
    of `Settings` (`energy`, `k`, `split`, `seed`, `device`, `c3_sigma`, `bootstrap`, `score_rows`,
    `method_options`). Raises `UnusableInput` for options out of range, unknown methods, and a paired method
    on unpaired data.
    """
    settings = Settings(methods=None if methods is None else tuple(methods), **options)
    names = chosen_methods(data, settings)
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        progress(name)
        start = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - start

    with stage("read"):
        bench = Bench(data, settings)
    with stage("diagnose"):
        diagnosis = diagnose(
            data, energy=settings.energy, seed=settings.seed, device=settings.device, progress=progress
        )
    bench.whole_gap.know(diagnosis.statistics)
    found = {}
    for name in names:
        with stage(name):
            found[name] = bench.judge(name, **settings.options_of(name))
    with stage("reference"):
        reference = bench.reference
        bench.baseline_beside(names)
    return assemble(bench, settings, diagnosis, found, reference=reference, seconds=seconds)


def assemble(
    bench: Bench,
    settings: Settings,
    diagnosis: Diagnosis,
    found: dict[str, tuple[MethodResult | None, list[str]]],
    *,
    reference: dict[str, float | None],
    seconds: dict[str, float],
) -> Comparison:
    """One `Comparison` of parts that may have been computed at different times."""
    data = bench.data
    notes = [*bench.notes, *(note for _, told in found.values() for note in told)]
    return Comparison(
        settings=settings,
        device=statistics_device(None, settings.device).type,
        normalize=data.normalize,
        dataset=data.report,
        diagnosis=diagnosis,
        methods={name: result for name, (result, _) in found.items()},
        reference=reference,
        projection=bench.projection,
        view=bench.view,
        judged=bench.judged,
        warnings=(*data.report.warnings, *diagnosis.warnings, *dict.fromkeys(notes)),
        seconds=seconds,
        drift_path=drift_path_of(data, diagnosis),
        rows=bench.rows,
        baseline=bench.baseline_beside(found),
        classes=class_counts(bench.whole, bench.held_out),
    )


def chosen_methods(data: EmbeddingPair, settings: Settings) -> tuple[str, ...]:
    """Names to run: those asked for, else every registered method that the data allows."""
    known = alignment.method_names()
    traits = {name: alignment.traits(alignment.create(name)) for name in settings.methods or known}
    needs_pairs = {name for name, trait in traits.items() if trait.uses_pairs}
    if settings.methods is None:
        # A network takes far longer than all other methods together: it is trained where it is asked for.
        usable = (name for name in known if data.paired or name not in needs_pairs)
        return tuple(name for name in usable if not traits[name].trained)
    if not settings.methods:
        raise UnusableInput(f"--methods is empty; choose from {', '.join(known)}")
    if needs_pairs and not data.paired:
        raise UnusableInput(
            f"{', '.join(sorted(needs_pairs))} learns from pairs and these sets are not paired; "
            "leave it out of --methods"
        )
    return tuple(dict.fromkeys(settings.methods))
