"""One logged step of a training run: every figure of methods, section 7."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class TrackedStep:
    """Figures of one step. Lengths on the unit sphere, angles in degrees, None where undefined.

    `frozen`: whether the frame is the reference; until then it is that of this step. `rank` is the frame's r,
    `rank_now` the r that this step's own covariance would have at the same energy.

    `gap` is `||m||`; `pmb_norm`, `cob_norm`, `u_residual_energy` and `v_residual_energy` are its four parts.

    `has_gradients`: whether any were given; those that are all zero have no leakage either. `leakage` pools
    the gradients given, a row counting once. `sin_theta`, `remainder` (rho),
    `leakage_bound = sin_theta + coupling_norm + remainder` and `cob_drift` need the reference and are None
    before it. The bound holds by construction, since rho is measured on the same gradients; what rotation
    and coupling explain is the leakage up to `sin_theta + coupling_norm`.

    `kappa_eff_u`, `kappa_eff_v`, `bias_noise_angle`: of the residual covariance averaged over the last
    `window_steps` logged steps; names that end in `_step` are of this step alone. The band is that of a
    random direction in V.
    """

    step: int
    n: int
    dim: int
    rank: int
    rank_now: int
    frozen: bool
    gap: float
    sampling_floor: float
    sampling_floor_95: float
    total_energy: float | None
    pmb_norm: float
    cob_norm: float
    u_residual_energy: float | None
    v_residual_energy: float | None
    has_gradients: bool
    leakage_image: float | None
    leakage_text: float | None
    leakage: float | None
    sin_theta: float | None
    coupling_norm: float | None
    remainder: float | None
    leakage_bound: float | None
    cob_drift: float | None
    cob_stability: float | None
    window_steps: int
    kappa_eff_u: float | None
    kappa_eff_v: float | None
    kappa_eff_u_step: float | None
    kappa_eff_v_step: float | None
    locking_eigenvalues: float | None
    locking_diagonal: float | None
    bias_noise_angle: float | None
    bias_noise_angle_step: float | None
    bias_noise_null_low: float | None
    bias_noise_null_high: float | None
    scalars: Mapping[str, float | None] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        """A flat mapping, the caller's own numbers (loss and so on) last."""
        return {name: getattr(self, name) for name in FIGURES} | dict(self.scalars)


FIGURES = tuple(entry.name for entry in fields(TrackedStep) if entry.name != "scalars")
"""Names of the columns that every row has."""
