"""The rows on which methods meet, prepared once, and the judging of one method on them."""

from __future__ import annotations

import time
import warnings as python_warnings
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realign_core import alignment
from realign_core.comparison.all_rows import AllRows
from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.intervals import Resampling
from realign_core.comparison.projection import Projection
from realign_core.comparison.result import (
    JudgedRows,
    MethodResult,
    NeighbourLists,
    ReferenceView,
    Untouched,
)
from realign_core.comparison.sampling import Sampling
from realign_core.comparison.scoring import FloorWeights, MapScores, score, score_reference
from realign_core.comparison.settings import DEFAULT_K, Settings
from realign_core.comparison.side import Side, SideScores, at_most, row_counts, small_notes, some_rows
from realign_core.comparison.split import SMALLEST_EVALUATION, Split, split_pairs, split_unpaired
from realign_core.comparison.untouched import score_untouched
from realign_core.comparison.usefulness import UNTOUCHED
from realign_core.comparison.views import method_view, neighbours_of, reference_view
from realign_core.comparison.whole_gap import WholeGap
from realign_core.comparison.zero_shot import Classes, classes_on, left_out
from realign_core.load import Batches, EmbeddingPair
from realign_core.load.passes import Memory, remembered_in
from realign_core.memory import give_back
from realign_core.moments import float64_blocks
from realign_core.validation import UnusableInput


class Bench:
    """Splits, samples and caches of one pair of sets; `judge` fits, maps and scores one method.

    Of `settings` it uses `k`, `split`, `seed`, `device`, `bootstrap` and `score_rows`; the options of a
    method are given to `judge`. `notes` are sentences about the rows. Raises `UnusableInput` for a k that
    the rows do not allow.
    """

    def __init__(self, data: EmbeddingPair, settings: Settings):
        self.data, self.settings = data, settings
        self.sampling = Sampling(data, settings)
        self.notes: list[str] = []
        self._memory = Memory()
        self.whole_gap = WholeGap(data, settings.device)
        n = min(len(data.target), len(data.source))
        # The default is nobody's wish: where rows are too few for it, retention has no value and a note.
        if settings.k > n - 1 and settings.k != DEFAULT_K:
            raise UnusableInput(
                f"--k is {settings.k}, but {n} rows have {n - 1} neighbours; use --k {n - 1} or less"
            )
        self.whole, self.held_out, self.split = self._sides()

    @property
    def shown_side(self) -> Side:
        """The side that pictures show: held-out where there are rows for it."""
        return self.held_out or self.whole

    @property
    def shown(self) -> Evaluation:
        """The rows that pictures show."""
        return self.shown_side.evaluation

    @property
    def judged(self) -> dict[str, int]:
        """How many rows scores rest on."""
        return row_counts(self.whole, self.held_out)

    @cached_property
    def rows(self) -> dict[str, JudgedRows]:
        """The judged rows of each side with the source's neighbours before any map."""
        sides = {"held-out": self.held_out, "in-sample": self.whole}
        return {
            name: JudgedRows(*side.judged, NeighbourLists.of(side.evaluation.source_neighbours))
            for name, side in sides.items()
            if side is not None
        }

    @cached_property
    def everywhere(self) -> AllRows | None:
        """The queries against all rows; None where none are asked for, or all rows are judged on."""
        settings = self.settings
        if not settings.queries or self.sampling.in_memory:
            return None
        _, source = self.sampling.strata
        return AllRows(
            self.data,
            source,
            queries=settings.queries,
            k=settings.k,
            seed=settings.seed,
            device=settings.device,
        )

    @cached_property
    def projection(self) -> Projection:
        """The frozen projection of every picture."""
        strata = self.sampling.strata_on(self.shown_side.judged)
        rows, paired = self.shown, self.data.paired
        return Projection.fit(rows.x, rows.y, strata=strata, paired=paired, seed=self.settings.seed)

    @cached_property
    def resampling(self) -> Resampling | None:
        """The resamples that all methods share; None without held-out rows."""
        if self.held_out is None:
            return None
        settings = self.settings
        return Resampling(self.held_out.evaluation, bootstrap=settings.bootstrap, seed=settings.seed)

    def _sides(self) -> tuple[Side, Side | None, Split | None]:
        """The in-sample side, and the held-out side where enough rows are left to judge on."""
        data, settings = self.data, self.settings
        n_x, n_y = len(data.target), len(data.source)
        if data.paired:
            split = split_pairs(n_x, settings.split, settings.seed, data.groups)
        else:
            split = split_unpaired(n_x, n_y, settings.split, settings.seed)
        target: Any = self._load(data.target) if self.sampling.in_memory else data.target
        source: Any = self._load(data.source) if self.sampling.in_memory else data.source
        self.notes += self.sampling.notes
        sampled = self.sampling.of(np.arange(n_x), np.arange(n_y))
        classes = self._classes(sampled[0], "In-sample")
        evaluation = self._evaluation(target, source, *sampled, classes)
        whole = Side(target, source, evaluation, sampled, (n_x, n_y), True, classes)
        self.notes += small_notes(whole.evaluation, "In-sample")
        fits = min(len(split.fit_target), len(split.fit_source))
        if split.smallest_judged < SMALLEST_EVALUATION or fits < 2:
            self.notes.append(
                f"The held-out side has {split.smallest_judged} rows to judge on; at least "
                f"{SMALLEST_EVALUATION} are needed, so only in-sample scores are given."
            )
            return whole, None, None
        judged = self.sampling.of(split.judge_target, split.judge_source)
        classes = self._classes(judged[0], "Held-out", split.fit_source)
        held_out = Side(
            some_rows(target, split.fit_target),
            some_rows(source, split.fit_source),
            self._evaluation(target, source, *judged, classes),
            judged,
            (len(split.fit_target), len(split.fit_source)),
            False,
            classes,
            lambda rows: self._tensor(some_rows(source, rows)),
        )
        self.notes += small_notes(held_out.evaluation, "Held-out")
        return whole, held_out, split

    def _classes(self, judged: np.ndarray, which: str, fitted: np.ndarray | None = None) -> Classes | None:
        """Classes of the judged pairs, prototypes from a sample of the fitted ones; None without labels."""
        data = self.data
        if data.labels is None or not data.paired:
            return None
        rows = None if fitted is None else np.sort(self.sampling.of(fitted, fitted)[0])
        found = classes_on(data.labels, data.groups, judged, rows)
        self.notes += left_out(found, judged, which)
        return found

    def _load(self, rows: Batches) -> Tensor:
        blocks = float64_blocks(rows, normalize=self.data.normalize, device=self.settings.device)
        return torch.cat(list(blocks))

    def _tensor(self, rows: Any) -> Tensor:
        return rows if isinstance(rows, Tensor) else self._load(rows)

    def _evaluation(
        self,
        target: Any,
        source: Any,
        target_rows: np.ndarray,
        source_rows: np.ndarray,
        classes: Classes | None,
    ) -> Evaluation:
        groups = None
        if self.data.paired and self.data.groups is not None:
            groups = torch.from_numpy(self.data.groups[target_rows])
        x, y = (
            self._tensor(some_rows(rows, numbers))
            for rows, numbers in ((target, target_rows), (source, source_rows))
        )
        return Evaluation(
            x,
            y,
            paired=self.data.paired,
            k=self.settings.k,
            seed=self.settings.seed,
            groups=groups,
            classes=None if classes is None else torch.from_numpy(classes.code[target_rows]),
        )

    def judge(self, name: str, **options: Any) -> tuple[MethodResult | None, list[str]]:
        """Scores of one method and what is to be said of it; None where it cannot be fitted to these rows."""
        notes: list[str] = []
        try:
            traits = alignment.traits(self._create(name, options))
            shown, seconds, method = self._map_and_score(name, options, self.whole, notes)
            inside, outside, after = shown.values, None, {"in-sample": neighbours_of(shown)}
            if self.held_out:
                # The mapped rows of one side go before those of the other are made: nothing is larger.
                del shown
                shown, seconds, _ = self._map_and_score(name, options, self.held_out, notes)
                outside, after["held-out"] = shown.values, neighbours_of(shown)
        except UnusableInput as error:
            return None, [f"{name} could not be fitted: {error}"]
        scores = SideScores.of(shown, self.resampling if outside else None)
        result = MethodResult(
            name=name,
            in_sample=inside,
            held_out=outside,
            interval=scores.interval,
            uses_pairs=traits.uses_pairs,
            adds_noise=traits.adds_noise,
            trained=traits.trained,
            seconds=seconds,
            replicates=scores.replicates,
            view=method_view(shown, after, self.projection),
            all_rows=self.everywhere.scores(method) if self.everywhere and not traits.copies_target else None,
        )
        return result, list(dict.fromkeys(notes))

    def judge_shown(self, name: str, **options: Any) -> tuple[SideScores | None, list[str]]:
        """Held-out scores of one method, in-sample ones where no row is held out; None as in `judge`."""
        notes: list[str] = []
        try:
            scores, *_ = self._map_and_score(name, options, self.shown_side, notes)
        except UnusableInput as error:
            return None, [str(error)]
        return SideScores.of(scores, self.resampling), list(dict.fromkeys(notes))

    def judge_pairs(self, transform: Callable[[Tensor, Tensor], Tensor]) -> SideScores:
        """Scores of a map with a fitted mean that takes source rows and their partners to mapped rows."""
        side, evaluation = self.shown_side, self.shown_side.evaluation
        rows = None if side.classes is None else side.classes.prototype_rows
        partners = None if rows is None else self._load(some_rows(self.data.target, rows))
        found = side.prototypes(lambda y: transform(y, y if partners is None else partners))
        mapped = transform(evaluation.y, evaluation.x)
        scores = score(evaluation, mapped, floor=side.floor(alignment.Traits()), prototypes=found)
        return SideScores.of(scores, self.resampling)

    def _create(self, name: str, options: dict[str, Any]) -> Any:
        common = {"normalize": self.data.normalize, "seed": self.settings.seed}
        return alignment.create(name, **{**common, **options})

    def _map_and_score(
        self, name: str, options: dict[str, Any], side: Side, notes: list[str]
    ) -> tuple[MapScores, dict[str, float], Any]:
        # What an earlier stage has left free in one thread's arena would add to the peak.
        give_back()
        method = self._create(name, options)
        traits = alignment.traits(method)
        evaluation = side.evaluation
        copies = side.in_sample and traits.copies_target
        self._memory.spared = 0.0
        started = time.perf_counter()
        with python_warnings.catch_warnings(record=True) as caught, remembered_in(self._memory):
            python_warnings.simplefilter("always", alignment.AlignmentWarning)
            if copies:
                # In-sample a copying method must know the judged rows, which may be a sample of all.
                method.fit(source=evaluation.y, target=evaluation.x)
            elif traits.copies_target:
                # It holds the target's rows in memory.
                some = at_most(self.settings.score_rows, side.fit_target, self.settings.seed)
                method.fit(source=evaluation.y, target=some)
            else:
                method.fit(source=side.fit_source, target=side.fit_target)
        fitted = time.perf_counter()
        mapped = side.mapped(method)
        done = time.perf_counter()
        for warning in caught:
            if warning.category is alignment.AlignmentWarning:
                notes.append(f"{name}: {str(warning.message).removeprefix(f'{name}: ')}")
        scores = score(
            evaluation,
            mapped,
            floor=side.floor(traits),
            mixing=not copies,
            prototypes=side.prototypes(method.transform),
        )
        if side.in_sample and not self.sampling.in_memory and not copies:
            scores.values["centroid_gap"] = self.whole_gap.of(name, method)
        # What another method has gathered for this one is part of what it takes by itself.
        fit = fitted - started + self._memory.spared
        return scores, {"fit": fit, "transform": done - fitted}, method

    def baseline_beside(self, judged: Iterable[str]) -> Untouched | None:
        """What the untouched source reads on held-out pairs, where it is not among the methods judged."""
        return None if UNTOUCHED in judged else self._untouched

    @cached_property
    def _untouched(self) -> Untouched | None:
        if self.held_out is None or self.resampling is None or not self.data.paired:
            return None
        found = score_untouched(self.held_out.evaluation, self.held_out.prototypes(lambda rows: rows))
        return Untouched(found.values, {}, self.resampling.bootstrap(found))

    @cached_property
    def reference(self) -> dict[str, float | None]:
        """Target-reached scores of held-out target rows against as many of the fit split; empty without."""
        if self.held_out is None or self.split is None:
            return {}
        evaluation = self.held_out.evaluation
        others = self.split.fit_target[: evaluation.n_target]
        weights = FloorWeights(1 / evaluation.n_target, 1 / len(others))
        return score_reference(evaluation, self._load(some_rows(self.data.target, others)), weights)

    @cached_property
    def view(self) -> ReferenceView:
        """What pictures show of the target and of the untouched source."""
        return reference_view(self.shown, self.projection)
