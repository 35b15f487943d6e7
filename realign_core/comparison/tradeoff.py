"""Curves of source kept against target reached: every value of a method's dial, judged on the same rows."""

# ruff: noqa: RUF001  (labels are set with Greek)

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from realign_core import alignment
from realign_core.comparison.bench import Bench
from realign_core.comparison.dials import Dial, quick_dials
from realign_core.comparison.oracle_path import OraclePath
from realign_core.comparison.settings import Settings
from realign_core.comparison.side import SideScores
from realign_core.diagnostics.statistics import Progress, silent

ORACLE = "oracle"
CORNERS = ("identity", "random_target")

Found = tuple[SideScores | None, list[str]]
Keep = Callable[[tuple[Hashable, ...], Callable[[], Found]], Found]
"""`keep(key, make)` gives what `make()` gives, from a store where the key is known."""


@dataclass(frozen=True)
class CurvePoint:
    """A method at one value of its dial; `value` is None for a corner. `text` names the value."""

    method: str
    value: Any
    text: str
    scores: SideScores
    default: bool = False
    on_line: bool = True
    uses_pairs: bool = False


@dataclass(frozen=True)
class Curve:
    """One method along its dial, and what could not be fitted: the value's text and the reason."""

    method: str
    label: str
    points: tuple[CurvePoint, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> tuple[CurvePoint, ...]:
        """The points that have a place in the dial's order."""
        return tuple(point for point in self.points if point.on_line)


@dataclass(frozen=True)
class TradeOffCurves:
    """Curves of methods, the oracle path (None without pairs) and the corners of the trade-off.

    All are held-out where `held_out`, else in-sample and without intervals.
    """

    curves: tuple[Curve, ...]
    oracle: Curve | None
    corners: dict[str, CurvePoint]
    held_out: bool
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> tuple[CurvePoint, ...]:
        """Every point of a method; the oracle is none."""
        return (*(point for curve in self.curves for point in curve.points), *self.corners.values())


def judge_at_once(_: tuple[Hashable, ...], make: Callable[[], Found]) -> Found:
    """The `Keep` that keeps nothing."""
    return make()


def trade_off_curves(
    bench: Bench,
    dials: Sequence[Dial] | None = None,
    *,
    settings: Settings | None = None,
    keep: Keep = judge_at_once,
    progress: Progress = silent,
) -> TradeOffCurves:
    """Judge each value of each dial on the bench's held-out rows, or in-sample where it has none.

    `dials` default to those that train nothing. `settings` hold the methods' other options (default: the
    bench's own). `progress` hears of each value before it is judged, and may raise to stop. Values that
    cannot be fitted are left out with their reason.
    """
    dials = quick_dials() if dials is None else dials
    settings = bench.settings if settings is None else settings
    alphas = _oracle_alphas(bench)
    total = sum(len(dial.all_values) for dial in dials) + len(alphas) + len(CORNERS)
    step = _Steps(progress, total)
    notes: list[str] = []
    corners = {}
    for name in CORNERS:
        step(name)
        scores, told = _judged(bench, name, settings.options_of(name), keep)
        notes += told
        if scores is not None:
            corners[name] = CurvePoint(name, None, "", scores)
    curves = tuple(_curve(bench, dial, settings, keep, step, notes) for dial in dials)
    oracle = _oracle(bench, alphas, keep, step) if alphas else None
    return TradeOffCurves(
        curves, oracle, corners, bench.held_out is not None, tuple(dict.fromkeys((*bench.notes, *notes)))
    )


class _Steps:
    """Counts the values as they are judged."""

    def __init__(self, progress: Progress, total: int):
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self, what: str) -> None:
        self.done += 1
        self.progress(f"{what} ({self.done} of {self.total})")


def _judged(bench: Bench, name: str, options: dict[str, Any], keep: Keep) -> Found:
    return keep((name, json.dumps(options, sort_keys=True)), partial(bench.judge_shown, name, **options))


def _curve(bench: Bench, dial: Dial, settings: Settings, keep: Keep, step: _Steps, notes: list[str]) -> Curve:
    uses_pairs = alignment.traits(alignment.create(dial.name)).uses_pairs
    others = {key: value for key, value in settings.options_of(dial.name).items() if key not in dial.sets}
    dim = bench.shown.x.shape[1]
    points, left_out = [], []
    for value in dial.all_values:
        text = dial.text(value)
        step(f"{dial.name}, {text}")
        scores, told = _judged(bench, dial.name, {**others, **dial.options_at(value, dim)}, keep)
        if scores is None:
            left_out.append((text, " ".join(told)))
            continue
        notes += told
        points.append(
            CurvePoint(
                dial.name,
                value,
                text,
                scores,
                default=value == dial.default,
                on_line=value not in dial.apart,
                uses_pairs=uses_pairs,
            )
        )
    return Curve(dial.name, dial.label, tuple(points), tuple(left_out))


def _oracle_alphas(bench: Bench) -> tuple[float, ...]:
    if not bench.data.paired:
        return ()
    return OraclePath.alphas_of(bench.shown.x.shape[1])


def _oracle(bench: Bench, alphas: Sequence[float], keep: Keep, step: _Steps) -> Curve:
    side = bench.shown_side
    fitted: list[OraclePath] = []

    def judge(alpha: float) -> Found:
        if not fitted:
            fitted.append(
                OraclePath.fit(
                    source=side.fit_source,
                    target=side.fit_target,
                    normalize=bench.data.normalize,
                    device=bench.settings.device,
                )
            )
        return bench.judge_pairs(partial(fitted[0].at, alpha)), []

    points = []
    for alpha in alphas:
        text = f"α {alpha:g}"
        step(f"oracle path, {text}")
        scores, _ = keep((ORACLE, alpha), partial(judge, alpha))
        assert scores is not None, "the path needs no fit that could fail"
        points.append(CurvePoint(ORACLE, alpha, text, scores, uses_pairs=True))
    return Curve(ORACLE, "share of the paired residual's directions removed", tuple(points))
