"""The figures of phantom drift with their words and tables."""

from __future__ import annotations

from realign_core.diagnostics import Diagnosis
from realign_core.diagnostics.drift import STAGES
from realign_core.diagnostics.drift_path import DriftPath
from realign_core.figures.described import NO_VALUE, Described
from realign_core.figures.drift import DRIFT_STAGES, drift_parts, gap_by_stage, predicted_radial
from realign_core.figures.sphere import MEANING, drift_sphere
from realign_core.glossary import count, listed, shown


def drift_figures(diagnosis: Diagnosis, path: DriftPath | None) -> tuple[Described, ...]:
    """The sphere, the drift measured against predicted, and the gap step by step."""
    return _sphere(diagnosis, path), _gaps(diagnosis), _parts(diagnosis)


def _sphere(diagnosis: Diagnosis, path: DriftPath | None) -> Described:
    rows: tuple[tuple[str, ...], ...] = ()
    alt, sampled = NO_VALUE, ""
    if path is not None:
        drawn = len(path.target), len(path.source["original"])
        there = diagnosis.statistics.target.n, diagnosis.statistics.source.n
        if drawn != there:
            target, source = (f"{count(few)} of {count(many)}" for few, many in zip(drawn, there))
            many = (
                f"{target} pairs"
                if len(set(drawn)) == 1 and diagnosis.statistics.difference
                else (f"{target} target rows and {source} source rows")
            )
            how = f", {path.chosen}" if path.chosen else ""
            sampled = f" Drawn are {many}, a seeded sample{how}; the means are those of all rows."
        rows = tuple(
            (stage, MEANING[stage], *(shown(float(value)) for value in path.centroids[stage]))
            for stage in STAGES
        )
        alt = (
            f"{len(path.source['original'])} source rows and {len(path.target)} target rows on the unit "
            "sphere, the anchor direction up, stepped through the six stages of ReAlign; the table gives "
            "the source mean."
        )
    return Described(
        "sphere",
        "Rows on the sphere, step by step",
        "Move the slider. Each row keeps its length and its angle to the anchor direction; its bearing is "
        f"read from the tangential drift and the leading residual direction.{sampled}",
        alt,
        ("stage", "what happened", "mean along the anchor", "along the drift", "along the residual"),
        rows,
        ("drift.centroid_shift", "drift.anchor_trace.tangential", "drift.anchor_trace.radial"),
        lambda dark: drift_sphere(path, dark=dark),
    )


def _gaps(diagnosis: Diagnosis) -> Described:
    stages = {name: gap for name, gap in diagnosis.drift.stages.items() if gap is not None}
    floor = shown(diagnosis.gap.sampling_floor)
    return Described(
        "gap-by-stage",
        "Centroid gap after each step",
        "In-sample: what lies below the dashed line is closer than sampling noise can tell, and will not "
        "carry over to new rows.",
        "Gap: " + listed([f"{name} {shown(gap)}" for name, gap in stages.items()]) + f". Floor {floor}."
        if stages
        else NO_VALUE,
        ("stage", "centroid gap, in-sample"),
        tuple((name, shown(gap)) for name, gap in stages.items()),
        ("drift.stages", "gap.sampling_floor", "gap.sampling_floor_95", "drift.centroid_shift"),
        lambda dark: gap_by_stage(diagnosis, dark=dark),
    )


def _parts(diagnosis: Diagnosis) -> Described:
    rows, words = [], []
    for key, label in DRIFT_STAGES.items():
        stage = getattr(diagnosis.drift, key)
        if stage is None:
            continue
        rows += [
            (label, "radial", shown(stage.radial), shown(predicted_radial(stage))),
            (label, "tangential", shown(stage.tangential), shown(stage.predicted_tangential)),
            (label, "whole length", shown(stage.measured), shown(stage.predicted)),
        ]
        words.append(f"{label}, measured {shown(stage.measured)}, predicted {shown(stage.predicted)}")
    return Described(
        "drift-parts",
        "Drift, measured against predicted",
        "Radial drift only shortens the mean; the tangential part turns it. Mind the two scales.",
        f"Length of the drift: {'; '.join(words)}." if words else NO_VALUE,
        ("stage", "part", "measured", "predicted"),
        tuple(rows),
        (
            "drift.anchor_trace.measured",
            "drift.anchor_trace.radial",
            "drift.anchor_trace.tangential",
            "drift.anchor_trace.predicted",
            "drift.anchor_trace.direction_cosine",
        ),
        lambda dark: drift_parts(diagnosis, dark=dark),
    )
