"""One data set under study: the rows, and everything computed from them so far.

A study is held by the session that opened it (or, for a bundled sample, by the server); when the session
ends, the study and its results go with it. Computing is safe from worker threads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from pages.components.memo import Memo
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
from realign_core.comparison.zero_shot import label_text
from realign_core.diagnostics import Diagnosis, diagnose
from realign_core.diagnostics.drift_path import SHOWN_ROWS, DriftPath, drift_path
from realign_core.figures.theme import LABELS
from realign_core.load import Batches, EmbeddingPair
from realign_core.load.strata import in_words, sample_both, strata_of
from realign_core.moments import float64_blocks

KEPT_RESULTS = 48
KEPT_BENCHES = 2
KEPT_CUTS = 8
KEPT_DRAWINGS = 24
KEPT_POINTS = 160


def _silent(_: str) -> None:
    pass


@dataclass(eq=False)
class Study:
    """`origin` reopens the data (`sample:NAME`, `path:FILE`) or is `upload`; `digest` is of all its rows."""

    pair: EmbeddingPair
    name: str
    origin: str
    digest: str
    _results: Memo = field(default_factory=lambda: Memo(KEPT_RESULTS))
    _cuts: Memo = field(default_factory=lambda: Memo(KEPT_CUTS))
    _benches: Memo = field(default_factory=lambda: Memo(KEPT_BENCHES))
    _points: Memo = field(default_factory=lambda: Memo(KEPT_POINTS))
    _drawings: Memo = field(default_factory=lambda: Memo(KEPT_DRAWINGS))

    @classmethod
    def of(cls, pair: EmbeddingPair, *, name: str, origin: str) -> Study:
        """A study of loaded rows."""
        return cls(pair, name, origin, digest_of(pair))

    def diagnosis(self, energy: float, seed: int, progress: Callable[[str], None] = _silent) -> Diagnosis:
        """The diagnosis at an energy; moments are read once a seed."""
        base = self._results.get(
            ("diagnosis", seed), lambda: diagnose(self.pair, energy=0.99, seed=seed, progress=progress)
        )
        return self._cuts.get((seed, energy), lambda: base.at_energy(energy))

    def has_diagnosis(self, seed: int) -> bool:
        """Whether the moments are known, so that a diagnosis is a matter of milliseconds."""
        return ("diagnosis", seed) in self._results

    def drift_path(self, diagnosis: Diagnosis) -> DriftPath | None:
        """At most 300 seeded rows of each set on their way through ReAlign; no other row is read."""

        def make() -> DriftPath | None:
            pair, strata = self.pair, strata_of(self.pair, SHOWN_ROWS)
            there = np.arange(len(pair.target)), np.arange(len(pair.source))
            chosen = sample_both(strata, there, SHOWN_ROWS, diagnosis.seed, paired=pair.paired)
            target, source = map(self._some_rows, (pair.target, pair.source), chosen)
            return drift_path(target, source, diagnosis, chosen=in_words(strata))

        return self._results.get(("drift path", diagnosis.seed), make)

    def _some_rows(self, rows: Batches, chosen: np.ndarray) -> torch.Tensor:
        taken = float64_blocks(rows.take(chosen), normalize=self.pair.normalize, device="cpu")
        return torch.cat(list(taken))

    def bench(self, settings: Settings) -> Bench:
        """The prepared rows for these settings, whatever the methods and their options."""
        return self._benches.get(_bench_key(settings), lambda: Bench(self.pair, _bench_settings(settings)))

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

        return self._points.get(_curves_key(settings, dials), judge)

    def has_curves(self, settings: Settings, dials: Sequence[Dial]) -> bool:
        """Whether nothing is left to compute for these curves."""
        return _curves_key(settings, dials) in self._points

    def drawn(self, key: Any, draw: Callable[[], Any]) -> Any:
        """A figure, or anything else that follows from the results, made once for each key."""
        return self._drawings.get(key, draw)

    def _compare(self, settings: Settings, progress: Callable[[str], None]) -> Comparison:
        diagnosis = self.diagnosis(settings.energy, settings.seed, progress)
        progress("read rows")
        bench = self.bench(settings)
        assert settings.methods is not None, "the dashboard names its methods"
        found = {}
        for name in settings.methods:
            judge = partial(_judge, bench, settings, name, progress)
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


def digest_of(pair: EmbeddingPair) -> str:
    """Full digest of both sets, of what is known about their pairing and of their labels; no sampling."""
    digest = hashlib.blake2b(digest_size=16)
    for rows in (pair.target, pair.source):
        digest.update(repr((rows.shape, rows.dtype)).encode())
        for block in rows:
            digest.update(np.ascontiguousarray(block).data)
    digest.update(repr((pair.paired, pair.normalize)).encode())
    if pair.labels is not None:
        # Zero-shot scores rest on them.
        digest.update("\0".join(map(label_text, pair.labels)).encode())
    return digest.hexdigest()
