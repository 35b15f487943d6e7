"""Whether the V-residual can be predicted from the U-residual ([R, app. C]; methods, section 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from realign_core.diagnostics.statistics import PairStatistics
from realign_core.frame import FixedFrame
from realign_core.linalg import largest_eigenvalue


@dataclass(frozen=True)
class Coupling:
    """Ridge map from U- to V-residuals, fitted on one seeded half of the pairs and judged on the other.

    `explained_variance` is `1 - ||Z - L D||^2 / ||Z||^2` on the judging half, at or below zero where
    nothing can be predicted.
    """

    spectral_norm: float
    explained_variance: float
    explained_variance_in_sample: float


def coupling_map(statistics: PairStatistics, frame: FixedFrame) -> Tensor | None:
    """`L = Z D' (D D' + lam I)^-1` with `lam = tr(D D') / r`, `(d - r, r)` in the frame's coordinates.

    Fitted on the fitting half; it follows from that half's moments, the number of rows cancels. None without
    pairs, without V or where the residual in U is rounding.
    """
    found, rank = statistics.in_basis(frame.basis), frame.rank
    if found is None or found.fit is None or rank == frame.dim:
        return None
    uu, vu = found.fit[:rank, :rank], found.fit[rank:, :rank]
    ridge = float(uu.trace()) / rank
    if statistics.is_rounding(ridge * rank):
        return None
    eye = torch.eye(rank, dtype=uu.dtype, device=uu.device)
    return torch.cholesky_solve(vu.mT, torch.linalg.cholesky(uu + ridge * eye)).mT


def coupling_norm(coupling: Tensor) -> float:
    """Spectral norm `||L||` of a coupling map."""
    small = coupling if coupling.shape[0] < coupling.shape[1] else coupling.mT
    return math.sqrt(largest_eigenvalue(small @ small.mT))


def measure_coupling(statistics: PairStatistics, frame: FixedFrame) -> Coupling | None:
    """Norm and scores of `coupling_map`; None where there is no map or no variance in V."""
    found, rank = statistics.in_basis(frame.basis), frame.rank
    coupling = coupling_map(statistics, frame)
    if coupling is None or found is None or found.fit is None or found.judge is None:
        return None

    def explained(moment: Tensor) -> float | None:
        """R^2 from a second moment about the fitting half's mean."""
        vv = float(moment[rank:, rank:].trace())
        if statistics.is_rounding(vv):
            return None
        cross = float((coupling * moment[rank:, :rank]).sum())
        predicted = float(((coupling @ moment[:rank, :rank]) * coupling).sum())
        return (2 * cross - predicted) / vv

    out = explained(found.judge)
    inside = explained(found.fit)
    if out is None or inside is None:
        return None
    return Coupling(coupling_norm(coupling), out, inside)


def coupling_warning(statistics: PairStatistics, frame: FixedFrame) -> str | None:
    """A sentence where the fitting half is too small for its rank, else None."""
    if statistics.halves is None or statistics.halves[0].n >= 2 * frame.rank:
        return None
    rows = statistics.halves[0].n
    return (
        f"The U-V coupling was fitted on {rows} rows for a subspace of rank {frame.rank}; "
        f"fewer than {2 * frame.rank} rows make its in-sample figures optimistic."
    )
