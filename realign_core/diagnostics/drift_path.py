"""Single rows on their way through ReAlign, in three coordinates for the sphere picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.diagnostics.diagnosis import Diagnosis
from realign_core.diagnostics.drift import SMALLEST_MEAN, STAGES
from realign_core.linalg import eigh_descending
from realign_core.load import EmbeddingPair
from realign_core.load.strata import in_words, sample_both, strata_of
from realign_core.moments import float64_blocks, unit_rows

SHOWN_ROWS = 300


@dataclass(frozen=True)
class DriftPath:
    """Rows and centroids at each stage, `(m, 3)` and `(3,)` float32, in lengths of the unit sphere.

    Coordinate 0 lies along the anchor direction `mu_x / ||mu_x||` and is exact. What is left of a row keeps
    its length and takes its bearing from the other two axes, tangential drift and leading residual
    direction: so a unit row lies on the sphere of the picture, and a row off the sphere lies off it.
    `axes` `(d, 3)` are the directions; the last is zero in two dimensions. `chosen` says in words how the
    rows were chosen, beyond the seed.
    """

    axes: Tensor
    target: np.ndarray
    source: dict[str, np.ndarray]
    target_centroid: np.ndarray
    centroids: dict[str, np.ndarray]
    chosen: str = ""


def drift_path_of(data: EmbeddingPair, diagnosis: Diagnosis) -> DriftPath | None:
    """As `drift_path` of 300 seeded, stratified rows of each set, pairs of pairs; no other row is read."""
    strata, sets = strata_of(data, SHOWN_ROWS), (data.target, data.source)
    there = [np.arange(len(rows)) for rows in sets]
    chosen = sample_both(strata, there, SHOWN_ROWS, diagnosis.seed, paired=data.paired)
    target, source = (
        torch.cat(list(float64_blocks(rows.take(some), normalize=data.normalize, device="cpu"))).cpu()
        for rows, some in zip(sets, chosen)
    )
    return drift_path(target, source, diagnosis, chosen=in_words(strata))


def drift_path(
    target_rows: Tensor, source_rows: Tensor, diagnosis: Diagnosis, *, chosen: str = ""
) -> DriftPath | None:
    """Follow at most 300 seeded rows of each set, unit rows `(n, d)` float64, through ReAlign's steps.

    `chosen` says how rows were drawn for it, where more are there than these.
    None where there is no drift: rows that were not normalised, a vanishing target mean, a constant source,
    or fewer than two dimensions.
    """
    statistics = diagnosis.statistics
    scale = statistics.trace_scale
    if diagnosis.drift.anchor_trace is None or scale is None or statistics.dim < 2:
        return None
    generator = np.random.default_rng(diagnosis.seed)
    x = _sample(target_rows, generator)
    y = _sample(source_rows, generator)
    mean, means = statistics.target.mean.cpu(), {k: v.cpu() for k, v in statistics.stages.items()}
    traced = mean + scale * (y - statistics.source.mean.cpu())
    projected = unit_rows(traced)
    centred = projected - means["projected"] + mean
    stages = (y, y - statistics.source.mean.cpu() + mean, traced, projected, centred, unit_rows(centred))
    axes = _axes(diagnosis)
    return DriftPath(
        axes=axes,
        target=_in_picture(x, axes),
        source={name: _in_picture(rows, axes) for name, rows in zip(STAGES, stages, strict=True)},
        target_centroid=_in_picture(mean[None], axes)[0],
        centroids={name: _in_picture(means[name][None], axes)[0] for name in STAGES},
        chosen=chosen,
    )


def _sample(rows: Tensor, generator: np.random.Generator) -> Tensor:
    if len(rows) <= SHOWN_ROWS:
        return rows.cpu()
    chosen = np.sort(generator.choice(len(rows), SHOWN_ROWS, replace=False))
    # Chosen where the rows lie, so that no more than is shown comes over.
    return rows[torch.from_numpy(chosen).to(rows.device)].cpu()


def _axes(diagnosis: Diagnosis) -> Tensor:
    """Anchor, tangential drift, leading residual direction; made orthonormal in this order."""
    statistics = diagnosis.statistics
    mean = statistics.target.mean.cpu()
    anchor = mean / torch.linalg.vector_norm(mean)
    spread = statistics.difference or statistics.source
    residuals = eigh_descending(spread.covariance.cpu())[1].mT
    basis = [anchor]
    # Where nothing drifts sideways, the residual directions serve for both other axes.
    for direction in (statistics.stages["projected"].cpu() - anchor, *residuals):
        for axis in basis:
            direction = direction - axis * (axis @ direction)
        length = torch.linalg.vector_norm(direction)
        if len(basis) < 3 and length > max(SMALLEST_MEAN, 1e-9):
            basis.append(direction / length)
    while len(basis) < 3:
        basis.append(torch.zeros_like(anchor))
    return torch.stack(basis, dim=1)


def _in_picture(rows: Tensor, axes: Tensor) -> np.ndarray:
    along = rows @ axes[:, 0]
    rest = torch.linalg.vector_norm(rows - torch.outer(along, axes[:, 0]), dim=1)
    bearing = rows @ axes[:, 1:]
    length = torch.linalg.vector_norm(bearing, dim=1)
    bearing = bearing * (rest / length.where(length > 0, 1))[:, None]
    return torch.cat([along[:, None], bearing], dim=1).to(torch.float32).numpy()
