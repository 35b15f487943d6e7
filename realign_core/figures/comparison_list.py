"""The figures of a comparison with their words and tables."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

import numpy as np

from realign_core.comparison import Comparison
from realign_core.figures.bars import RETENTION_AND_MIXING, chance, score_bars
from realign_core.figures.clouds import comparison, drawn_places, fitted
from realign_core.figures.described import Described
from realign_core.figures.mapped import CENTRES, cosine_densities, mapped_spectra
from realign_core.figures.theme import LABELS
from realign_core.figures.tradeoff import trade_off
from realign_core.figures.usefulness import described_uses
from realign_core.glossary import SCORES, count, listed, percent, shown

NOBODY = "No method could be fitted."


def comparison_figures(result: Comparison) -> tuple[Described, ...]:
    """Projection, costs, trade-off, bars, spectra and cosines, in reading order."""
    return (
        _clouds(result),
        described_uses(result),
        described_trade_off(
            result, "entropy_mixing_target", "trade-off", "Source kept against target covered"
        ),
        described_trade_off(result, "centroid_gap", "trade-off-gap", "Source kept against gap closed"),
        _bars(result),
        _cosines(result),
        _spectra(result),
    )


def _name(name: str) -> str:
    return LABELS.get(name, name)


def _value(result: Comparison, name: str, score: str) -> float | None:
    method = result.fitted[name]
    return (method.held_out or method.in_sample).get(score)


def _clouds(result: Comparison) -> Described:
    view = result.view
    centre = view.target_points.mean(axis=0)
    clouds = {"untouched source": view.source_points}
    clouds |= {_name(name): method.view.points for name, method in fitted(result).items()}
    rows, words = [], []
    for label, points in clouds.items():
        distance = float(np.linalg.norm(points.mean(axis=0) - centre))
        spread = float(points.var(axis=0).sum() / max(view.target_points.var(axis=0).sum(), 1e-30))
        rows.append((label, shown(distance), shown(spread)))
        words.append(f"{label} {shown(distance)}")
    share = percent(sum(result.projection.shares[:2]))
    return Described(
        "projection",
        "Every method in one projection",
        "One frozen linear projection, fitted on target and untouched source, never refitted for a method; "
        f"it shows {share} of their variance. Circles are the target in each panel{_sampled(result)}. Zoom "
        "one, and all follow.",
        f"Distance of each centre from the target's in the projection: {listed(words)}.",
        ("set", "distance of its centre from the target's, 3 axes", "spread over the target's"),
        tuple(rows),
        ("centroid_gap", "trace_ratio", "methods.collapsed"),
        lambda dark: comparison(result, dark=dark),
        wide=True,
    )


def _sampled(result: Comparison) -> str:
    """How many of the rows are drawn and how they were chosen, where it is not all that could be judged."""
    side = "held_out" if result.rows.get("held-out") else "in_sample"
    judged = [result.judged[f"{side}_{name}"] for name in ("target", "source")]
    panels = 1 + len(set(fitted(result)) - {"identity"})
    drawn = [len(places) for places in drawn_places(result, panels)]
    if drawn == judged and max(judged) < result.settings.score_rows:
        return ""
    there = result.dataset.n_target, result.dataset.n_source
    rows = [f"{count(few)} of {count(many)}" for few, many in zip(drawn, there)]
    many = f"{rows[0]} pairs" if result.dataset.paired else f"{rows[0]} target and {rows[1]} source rows"
    how = f"seeded, {result.projection.chosen}"
    if drawn[0] < len(result.view.target_points):
        how = "evenly spaced in a seeded sample"
    pool = count(judged[0]) if result.dataset.paired else f"{count(judged[0])} and {count(judged[1])}"
    return f"; drawn are {many}, {how}, out of the {pool} that were judged"


def _bars(result: Comparison) -> Described:
    names = list(fitted(result))
    rows = []
    for score in RETENTION_AND_MIXING:
        for name, method in fitted(result).items():
            held, bound = method.held(score), method.interval.get(score)
            rows.append(
                (
                    SCORES[score].label,
                    _name(name),
                    shown(held),
                    f"{shown(bound[0])} to {shown(bound[1])}" if bound else "–",
                    shown(method.in_sample.get(score)),
                    shown(chance(result, score)),
                    shown(result.reference.get(score)),
                )
            )
    kept = [f"{_name(name)} {shown(_value(result, name, 'retention'))}" for name in names]
    return Described(
        "bars",
        "Neighbourhoods kept and sets mixed",
        "Bars are held-out with 95 % intervals, the thin light bars below in-sample. Mixing should reach "
        "the dashed line: what two halves of the target read. Hatched methods have collapsed, and their "
        "scores mean nothing.",
        f"Neighbourhood retention: {listed(kept)}." if names else NOBODY,
        ("score", "method", "held-out", "95 % interval", "in-sample", "chance", "perfect"),
        tuple(rows),
        (*RETENTION_AND_MIXING, "reference", "methods.interval"),
        lambda dark: score_bars(result, dark=dark),
        wide=True,
    )


def described_trade_off(
    result: Comparison, reached: str, key: str, title: str, *, kept: str = "omega"
) -> Described:
    """The trade-off between two scores with its words and table."""
    rows = tuple(
        (_name(name), shown(_value(result, name, kept)), shown(_value(result, name, reached)))
        for name in fitted(result)
    )
    return Described(
        key,
        title,
        "Upper right is best. Doing nothing keeps everything and reaches nothing; a random target row does "
        "the reverse. A method worth having lies beyond the line between them.",
        f"{SCORES[kept].label} and {SCORES[reached].label}: "
        + listed([f"{name} {x} and {y}" for name, x, y in rows])
        + "."
        if rows
        else NOBODY,
        ("method", SCORES[kept].label, SCORES[reached].label),
        rows,
        (kept, reached, "methods.held_out"),
        lambda dark: trade_off(result, kept=kept, reached=reached, dark=dark),
    )


def _cosines(result: Comparison) -> Described:
    def centre(counts: np.ndarray) -> float | None:
        return float((counts * CENTRES).sum() / counts.sum()) if counts.sum() else None

    view = result.view
    rows = [
        ("target", shown(centre(view.target_histogram)), "0"),
        ("untouched source", shown(centre(view.source_histogram)), "–"),
    ]
    rows += [
        (_name(name), shown(centre(method.view.histogram)), shown(_value(result, name, "cosine_js")))
        for name, method in fitted(result).items()
    ]
    return Described(
        "cosines",
        "How alike rows of one set are",
        "The filled shape is the target. A method that reaches the target has its line on the edge of that "
        "shape; a peak beyond the frame is cut.",
        "Mean cosine between rows of one set: " + listed([f"{name} {mean}" for name, mean, _ in rows]) + ".",
        ("set", "mean cosine", "divergence from the target"),
        tuple(rows),
        ("cosine_js",),
        lambda dark: cosine_densities(result, dark=dark),
        wide=True,
    )


def _spectra(result: Comparison) -> Described:
    rows = tuple(
        (
            _name(name),
            *(
                shown(_value(result, name, score))
                for score in ("covariance_discrepancy", "trace_ratio", "alpha")
            ),
        )
        for name in fitted(result)
    )
    reference = tuple(
        shown(result.reference.get(score)) for score in ("covariance_discrepancy", "trace_ratio", "alpha")
    )
    return Described(
        "mapped-spectra",
        "Spectra after the map",
        "The thick line is the target. Translations keep the source's spectrum; only methods that recolour "
        "change its slope.",
        "Covariance discrepancy: " + listed([f"{name} {value}" for name, value, *_ in rows]) + "."
        if rows
        else NOBODY,
        ("method", "covariance discrepancy", "trace ratio", "α"),
        (*rows, ("perfect", *reference)),
        ("covariance_discrepancy", "trace_ratio", "alpha"),
        lambda dark: mapped_spectra(result, dark=dark),
        wide=True,
    )
