"""The figures of a training run with their words and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from realign_core.figures import training, training_geometry
from realign_core.figures.described import NO_VALUE, Described, Rows
from realign_core.figures.training_scrubber import JOINED_PAIRS, scrubber
from realign_core.glossary import count, percent, shown
from realign_core.training.path import PathStep, Plane

if TYPE_CHECKING:
    import pandas as pd


def training_figures(frame: pd.DataFrame, *, log: bool = False) -> tuple[Described, ...]:
    """Learning, size of the gap, its parts, leakage, bias, shape, locking and angle."""
    make = partial(_described, frame, log)
    return (
        make(
            "learning",
            "Loss and retrieval",
            "Retrieval must leave chance behind before the rest means anything.",
            {"loss": "loss", "recall_at_1": "recall@1", "recall_at_1_reverse": "recall@1, reverse"},
            ("training.loss", "training.recall_at_1", "training.recall_at_1_reverse"),
            training.learning,
        ),
        make(
            "gap-size",
            "Size of the gap",
            "Distance of the two means. At the sampling floor it could not be told from none.",
            {"gap": "gap", "sampling_floor": "sampling floor", "sampling_floor_95": "95 % bound"},
            ("gap.centroid_distance", "gap.sampling_floor", "gap.sampling_floor_95"),
            training.gap_size,
        ),
        make(
            "gap-parts",
            "What the gap consists of",
            "The four parts add up to the mean squared distance of a pair. Left of t₀ each step is cut in "
            "its own U and V, right of it in those of t₀.",
            {
                "total_energy": "energy",
                "pmb_norm": "PMB",
                "cob_norm": "COB",
                "u_residual_energy": "residual in U",
                "v_residual_energy": "residual in V",
            },
            (
                "decomposition.total_energy",
                "decomposition.pmb_norm",
                "decomposition.cob_norm",
                "decomposition.u_residual_energy",
                "decomposition.v_residual_energy",
                "training.reference_step",
            ),
            training.gap_parts,
        ),
        make(
            "leakage",
            "Do gradients stay in U?",
            "Low leakage means that training pushes inside U. The bound holds by construction; sin θ is near "
            "1 wherever the spectrum is smooth at the cut.",
            {
                "leakage": "leakage",
                "leakage_image": "of images",
                "leakage_text": "of texts",
                "sin_theta": "sin θ",
                "coupling_norm": "‖L‖",
                "leakage_bound": "bound",
            },
            ("training.leakage", "training.sin_theta", "training.coupling_norm", "training.leakage_bound"),
            training_geometry.leakage,
        ),
        make(
            "bias-motion",
            "Does the bias in V stay?",
            "A drift of 1 is as far as the bias was long at t₀; a cosine of 1 means that it kept its "
            "direction since the snapshot before.",
            {"cob_norm": "COB", "cob_drift": "drift", "cob_stability": "cosine"},
            ("decomposition.cob_norm", "training.cob_drift", "training.cob_stability"),
            training_geometry.bias_motion,
        ),
        make(
            "residual-shape",
            "Shape of the residuals",
            "What matters is the distance to the isotropic reference of the same block, not to 1.",
            {
                "kappa_eff_u": "in U",
                "kappa_eff_u_isotropic": "isotropic, U",
                "kappa_eff_v": "in V",
                "kappa_eff_v_isotropic": "isotropic, V",
            },
            ("shape.kappa_eff_u", "shape.kappa_eff_v", "training.isotropic"),
            training_geometry.residual_shape,
        ),
        make(
            "locking",
            "Do residuals follow the gradients?",
            "Read the diagonals: two sorted lists of eigenvalues correlate whatever they come from.",
            {"locking_diagonal": "diagonals", "locking_eigenvalues": "eigenvalues"},
            ("training.locking_diagonal", "training.locking_eigenvalues"),
            training_geometry.locking,
        ),
        make(
            "bias-noise-steps",
            "Bias against noise in V",
            "Inside the band the angle is what a random direction gives too, so it says nothing.",
            {
                "bias_noise_angle": "angle (degrees)",
                "bias_noise_null_low": "band, low",
                "bias_noise_null_high": "band, high",
            },
            ("shape.bias_noise_angle", "shape.bias_noise_null"),
            training_geometry.bias_noise,
        ),
    )


def path_figure(plane: Plane, path: Sequence[PathStep]) -> Described:
    """The scrubber with its words; the table has the means and what the plane holds, a row a step."""
    last, pairs = path[-1], len(path[-1].image)
    return Described(
        "scrubber",
        "The probe set through training",
        f"Move the slider. {count(pairs)} seeded probe pairs in a plane that never moves: across along "
        f"{plane.names[0]}, up along {plane.names[1]}, at right angles. The large marks are the means of all "
        f"images and all texts; lines join {min(JOINED_PAIRS, pairs)} pairs. A plane shows little of a cloud "
        "in many dimensions, so read sizes from the other figures.",
        f"{count(pairs)} images and their texts at {len(path)} snapshots, from step {count(path[0].step)} "
        f"to {count(last.step)}, in a fixed plane that holds {percent(last.variance)} of the last one's "
        "variance; the table gives both means at each step.",
        ("step", "images, axis 1", "images, axis 2", "texts, axis 1", "texts, axis 2", "variance", "gap²"),
        tuple(
            (
                count(step.step),
                *(shown(float(value)) for value in (*step.image_mean, *step.text_mean)),
                percent(step.variance),
                percent(step.gap),
            )
            for step in path
        ),
        ("training.plane_variance", "training.plane_gap"),
        lambda dark: scrubber(path, plane.names, dark=dark),
    )


def _described(
    frame: pd.DataFrame,
    log: bool,
    key: str,
    title: str,
    reading: str,
    columns: dict[str, str],
    terms: tuple[str, ...],
    draw: Callable[..., go.Figure],
) -> Described:
    there = {name: label for name, label in columns.items() if training.has(frame, name)}
    figure_holds = next(iter(columns)) in there or (key == "learning" and bool(there))
    return Described(
        key,
        title,
        reading,
        _alternative(frame, there) if figure_holds else NO_VALUE,
        ("step", *there.values()),
        _rows(frame, list(there)),
        terms,
        lambda dark: draw(frame, dark=dark, log=log),
    )


def _rows(frame: pd.DataFrame, columns: list[str]) -> Rows:
    if not columns:
        return ()
    return tuple(
        (count(int(row["step"])), *(shown(_number(row[name])) for name in columns))
        for _, row in frame.iterrows()
    )


def _alternative(frame: pd.DataFrame, columns: dict[str, str]) -> str:
    """First and last value of each line in words."""
    parts = []
    for name, label in columns.items():
        seen = frame[["step", name]].dropna()
        first, last = seen.iloc[0], seen.iloc[-1]
        parts.append(
            f"{label} {shown(_number(first[name]))} at step {count(int(first['step']))} and "
            f"{shown(_number(last[name]))} at step {count(int(last['step']))}"
        )
    return f"{'; '.join(parts)}."


def _number(value: Any) -> float:
    return float(value)
