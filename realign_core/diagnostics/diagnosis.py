"""All diagnostics of one pair of sets, and the same at another energy threshold without another pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from realign_core.diagnostics.coupling import Coupling, coupling_warning, measure_coupling
from realign_core.diagnostics.decomposition import Decomposition, Gap, measure_gap, split_gap
from realign_core.diagnostics.drift import Drift, measure_drift
from realign_core.diagnostics.isotropic import Isotropic, isotropic_reference
from realign_core.diagnostics.residual import Residual, measure_residual
from realign_core.diagnostics.shape import Shape, measure_shape
from realign_core.diagnostics.shared import Shared, measure_shared
from realign_core.diagnostics.statistics import PairStatistics, Progress, silent
from realign_core.frame import FixedFrame

if TYPE_CHECKING:
    from realign_core.load import EmbeddingPair


@dataclass(frozen=True)
class Diagnosis:
    """What the gap is made of: one field a section of the JSON, plus what they were computed from."""

    statistics: PairStatistics
    frame: FixedFrame
    gap: Gap
    decomposition: Decomposition
    shape: Shape
    residual: Residual
    shared: Shared
    isotropic: Isotropic
    drift: Drift
    coupling: Coupling | None
    warnings: tuple[str, ...]
    seed: int

    @classmethod
    def of(cls, statistics: PairStatistics, *, energy: float = 0.99, seed: int = 0) -> Diagnosis:
        """Diagnose from statistics; raises `UnusableInput` where both sets are constant."""
        frame = FixedFrame.from_moments(statistics.source, statistics.target, energy=energy)
        return cls(
            statistics=statistics,
            gap=measure_gap(statistics),
            residual=measure_residual(statistics),
            shared=measure_shared(statistics),
            drift=measure_drift(statistics),
            **_in_frame(statistics, frame, seed),
        )

    def at_energy(self, energy: float) -> Diagnosis:
        """The same data cut at another energy threshold; only what depends on the cut is computed."""
        frame = self.frame.with_energy(energy)
        return Diagnosis(
            statistics=self.statistics,
            gap=self.gap,
            residual=self.residual,
            shared=self.shared,
            drift=self.drift,
            **_in_frame(self.statistics, frame, self.seed),
        )


def _in_frame(statistics: PairStatistics, frame: FixedFrame, seed: int) -> dict:
    paired = statistics.difference is not None
    shape = measure_shape(statistics, frame)
    return {
        "frame": frame,
        "decomposition": split_gap(statistics, frame),
        "shape": shape,
        "isotropic": isotropic_reference(
            statistics.target.n, statistics.dim, frame.rank, paired=paired, seed=seed
        ),
        "coupling": measure_coupling(statistics, frame),
        "warnings": tuple(_warnings(statistics, frame, shape)),
        "seed": seed,
    }


def _warnings(statistics: PairStatistics, frame: FixedFrame, shape: Shape) -> list[str]:
    warnings = []
    for name, rank, dim in (("U", shape.rank_u, frame.rank), ("V", shape.rank_v, frame.dim - frame.rank)):
        if rank == 0 and dim:
            warnings.append(
                f"The residual in {name} is zero but for rounding, so it has no condition number there."
            )
        elif rank is not None and rank < dim:
            warnings.append(
                f"The residual covariance in {name} has numerical rank {rank} of {dim}; its condition number "
                f"is taken over those {rank} eigenvalues."
            )
    coupling = coupling_warning(statistics, frame)
    if coupling:
        warnings.append(coupling)
    if frame.rank == frame.dim:
        warnings.append(
            f"At energy {frame.energy} U is the whole space, so V is empty; lower the energy to split it."
        )
    if not statistics.normalize:
        warnings.append(
            "Rows were not normalised, so nothing is projected to a sphere and there is no phantom drift."
        )
    elif statistics.trace_scale is None:
        warnings.append("The source rows are all the same, so the trace step of ReAlign has no scale.")
    return warnings


def diagnose(
    data: EmbeddingPair,
    *,
    energy: float = 0.99,
    seed: int = 0,
    device: str = "auto",
    progress: Progress = silent,
) -> Diagnosis:
    """Diagnose a loaded pair of sets (methods, sections 1 to 3); streams, memory O(block x d + d^2)."""
    statistics = PairStatistics.collect(
        data.target,
        data.source,
        paired=data.paired,
        normalize=data.normalize,
        groups=data.groups,
        seed=seed,
        device=device,
        progress=progress,
    )
    return Diagnosis.of(statistics, energy=energy, seed=seed)
