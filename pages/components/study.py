"""One data set under study: the rows, and everything computed from them so far.

A study is held by the session that opened it (or, for a bundled sample, by the server); when the session
ends, the study and its results go with it. Computing is safe from worker threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pages.components.digests import digest_of
from pages.components.memo import Budget, Memo
from pages.components.memory import weigh
from realign_core.comparison import (
    Bench,
    Comparison,
    Settings,
    TradeOffCurves,
    assemble,
    trade_off_curves,
)
from realign_core.comparison.dials import Dial
from realign_core.comparison.tradeoff import Found
from realign_core.diagnostics import Diagnosis, diagnose
from realign_core.diagnostics.drift_path import DriftPath, drift_path_of
from realign_core.figures.theme import LABELS
from realign_core.load import EmbeddingPair
from realign_core.load.filestates import FileStates

KEPT_RESULTS = 48
KEPT_BENCHES = 2
KEPT_CUTS = 8
KEPT_DRAWINGS = 24
KEPT_POINTS = 160
KEPT_BYTES = 1 << 30
"""Bytes of results and drawings of one study that are kept; the rows are counted apart."""


def _silent(_: str) -> None:
    pass


@dataclass(eq=False)
class Study:
    """`origin` reopens the data (`sample:NAME`, `path:FILE`) or is `upload`; `digest` is of all its rows.

    `files` are the states of what was opened on the server: from files that have changed nothing is computed.
    """

    pair: EmbeddingPair
    name: str
    origin: str
    digest: str
    files: FileStates | None = None

    def __post_init__(self) -> None:
        sets = self.pair.target, self.pair.source
        rows = self.pair, *vars(self.pair).values(), *(part.source for part in sets)
        self._budget = budget = Budget(KEPT_BYTES, apart=rows)
        self._results = Memo(KEPT_RESULTS, budget)
        self._cuts = Memo(KEPT_CUTS, budget)
        # A bench prepares most of what it holds when it is first asked to judge.
        self._benches = Memo(KEPT_BENCHES, budget, growing=True)
        self._points = Memo(KEPT_POINTS, budget)
        self._drawings = Memo(KEPT_DRAWINGS, budget)

    @classmethod
    def of(cls, pair: EmbeddingPair, *, name: str, origin: str) -> Study:
        """A study of loaded rows."""
        return cls(pair, name, origin, digest_of(pair))

    def diagnosis(self, energy: float, seed: int, progress: Callable[[str], None] = _silent) -> Diagnosis:
        """The diagnosis at an energy; moments are read once a seed."""

        def make() -> Diagnosis:
            return diagnose(self.pair, energy=0.99, seed=seed, progress=progress)

        base = self._results.get(("diagnosis", seed), self._from_rows(make))
        return self._cuts.get((seed, energy), lambda: base.at_energy(energy))

    def prepare_cut(self, energy: float, seed: int) -> None:
        """Have the diagnosis at an energy ready, if no row is read and nothing else has to go for it."""
        base = self._results.known(("diagnosis", seed))
        if base is not None and self._budget.held_by() <= KEPT_BYTES // 2:
            self._cuts.get((seed, energy), lambda: base.at_energy(energy))

    def has_diagnosis(self, seed: int) -> bool:
        """Whether the moments are known, so that a diagnosis is a matter of milliseconds."""
        return ("diagnosis", seed) in self._results

    def drift_path(self, diagnosis: Diagnosis) -> DriftPath | None:
        """At most 300 seeded rows of each set on their way through ReAlign; no other row is read."""

        make = self._from_rows(lambda: drift_path_of(self.pair, diagnosis))
        return self._results.get(("drift path", diagnosis.seed), make)

    def bench(self, settings: Settings) -> Bench:
        """The prepared rows for these settings, whatever the methods and their options."""
        make = self._from_rows(lambda: Bench(self.pair, _bench_settings(settings)))
        return self._benches.get(_bench_key(settings), make)

    def comparison(self, settings: Settings, progress: Callable[[str], None] = _silent) -> Comparison:
        """The comparison under these settings; only what is not known yet is computed."""
        return self._results.get(_comparison_key(settings), lambda: self._compare(settings, progress))

    def has_comparison(self, settings: Settings) -> bool:
        """Whether nothing is left to compute under these settings."""
        return _comparison_key(settings) in self._results

    def has_method(self, settings: Settings, name: str) -> bool:
        """Whether a method has been judged under these settings."""
        return _method_key(settings, name) in self._results

    def curves(
        self, settings: Settings, dials: Sequence[Dial], progress: Callable[[str], None] = _silent
    ) -> TradeOffCurves:
        """The trade-off along these dials; values that are known, also as methods compared, are kept."""
        place = _bench_key(settings)

        def keep(key: tuple[Hashable, ...], make: Callable[[], Found]) -> Found:
            compared = self._results.known((place, *key))
            if compared is None:
                return self._points.get((place, *key), make)
            method, notes = compared
            return method and method.shown_scores, notes

        def judge() -> TradeOffCurves:
            progress("read rows")
            bench = self.bench(settings)
            return trade_off_curves(bench, dials, settings=settings, keep=keep, progress=progress)

        return self._points.get(_curves_key(settings, dials), self._from_rows(judge))

    def has_curves(self, settings: Settings, dials: Sequence[Dial]) -> bool:
        """Whether nothing is left to compute for these curves."""
        return _curves_key(settings, dials) in self._points

    def drawn(self, key: Any, draw: Callable[[], Any]) -> Any:
        """A figure, or anything else that follows from the results, made once for each key."""
        return self._drawings.get(key, draw)

    def release(self) -> None:
        """Let go of everything computed: what a chart or a download calls keeps the study a while longer."""
        for memo in (self._results, self._cuts, self._benches, self._points, self._drawings):
            memo.clear()

    def check_files(self) -> None:
        """Raise `UnusableInput` where a file of the data has changed since it was opened."""
        if self.files is not None:
            self.files.check()

    def holds(self) -> dict[str, int]:
        """Bytes of `rows` in memory, `mapped` files, `results`, `drawings`, and the `limit` of these two."""
        rows = weigh(self.pair)
        results = self._budget.held_by(self._results, self._cuts, self._benches, self._points)
        return {
            "rows": rows.memory,
            "mapped": rows.on_disk,
            "results": results,
            # A drawing may hold the results that it shows, which are counted there.
            "drawings": self._budget.held_by() - results,
            "limit": self._budget.limit,
        }

    def _from_rows(self, make: Callable[[], Any]) -> Callable[[], Any]:
        """What computes from rows, and only where the files stay as they were all the while."""

        def checked() -> Any:
            self.check_files()
            value = make()
            self.check_files()
            return value

        return checked

    def _compare(self, settings: Settings, progress: Callable[[str], None]) -> Comparison:
        diagnosis = self.diagnosis(settings.energy, settings.seed, progress)
        progress("read rows")
        bench = self.bench(settings)
        bench.whole_gap.know(diagnosis.statistics)
        assert settings.methods is not None, "the dashboard names its methods"
        found = {}
        for name in settings.methods:
            judge = self._from_rows(partial(_judge, bench, settings, name, progress))
            found[name] = self._results.get(_method_key(settings, name), judge)
        progress("reference")
        return assemble(bench, settings, diagnosis, found, reference=bench.reference, seconds={})


def _judge(bench: Bench, settings: Settings, name: str, progress: Callable[[str], None]) -> Any:
    progress(LABELS.get(name, name))
    return bench.judge(name, **settings.options_of(name))


def _bench_settings(settings: Settings) -> Settings:
    return replace(settings, methods=None, energy=0.99, c3_sigma=None, method_options={})


def _bench_key(settings: Settings) -> str:
    return json.dumps(_bench_settings(settings).to_dict(), sort_keys=True)


def _comparison_key(settings: Settings) -> tuple[str, str]:
    return "comparison", json.dumps(settings.to_dict(), sort_keys=True)


def _curves_key(settings: Settings, dials: Sequence[Dial]) -> tuple[Hashable, ...]:
    options = {dial.name: settings.options_of(dial.name) for dial in dials}
    names = tuple(dial.name for dial in dials)
    return "curves", _bench_key(settings), names, json.dumps(options, sort_keys=True)


def _method_key(settings: Settings, name: str) -> tuple[str, str, str]:
    return _bench_key(settings), name, json.dumps(settings.options_of(name), sort_keys=True)
