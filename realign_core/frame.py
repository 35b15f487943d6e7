"""The fixed reference frame R^d = U + V ([R, sec. 3.1])."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from realign_core.linalg import eigh_descending, energy_rank
from realign_core.moments import Moments
from realign_core.validation import UnusableInput, check_fraction


@dataclass(frozen=True)
class FixedFrame:
    """Eigenbasis of `S_x + S_y` and the rank r that splits it into U (leading r) and V (the rest).

    `eigenvalues` `(d,)` descending, `basis` `(d, d)` eigenvectors in columns, `rank` r, `energy` the
    threshold that r reaches.
    """

    eigenvalues: Tensor
    basis: Tensor
    rank: int
    energy: float

    @classmethod
    def from_moments(cls, source: Moments, target: Moments, *, energy: float = 0.99) -> FixedFrame:
        """The frame of two sets whose moments are known."""
        check_fraction("energy", energy)
        if source.is_constant and target.is_constant:
            raise UnusableInput("both sets are constant, so there is no frame; give rows that vary")
        values, basis = eigh_descending(source.covariance + target.covariance)
        return cls(values, basis, energy_rank(values, energy), energy)

    @classmethod
    def fit(
        cls, target: Any, source: Any, *, energy: float = 0.99, normalize: bool = True, device: str = "auto"
    ) -> FixedFrame:
        """The frame of two sets of rows `(n, d)`: arrays, tensors or re-iterables of blocks.

        Raises `UnusableInput` where `energy` is outside (0, 1] or both sets are constant.
        """
        check_fraction("energy", energy)
        moments = (
            Moments.from_batches(rows, normalize=normalize, device=device) for rows in (source, target)
        )
        return cls.from_moments(*moments, energy=energy)

    def with_energy(self, energy: float) -> FixedFrame:
        """The same eigenbasis cut at another energy threshold; nothing is recomputed."""
        check_fraction("energy", energy)
        return FixedFrame(self.eigenvalues, self.basis, energy_rank(self.eigenvalues, energy), energy)

    @property
    def dim(self) -> int:
        """Dimension d of the space."""
        return self.basis.shape[0]

    @cached_property
    def u(self) -> Tensor:
        """Orthonormal basis of U, `(d, r)`."""
        return self.basis[:, : self.rank]

    @cached_property
    def v(self) -> Tensor:
        """Orthonormal basis of V, `(d, d - r)`."""
        return self.basis[:, self.rank :]

    def project(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """`(P_U z, P_V z)` for a vector `(d,)` or rows `(n, d)`; the two add up to the input."""
        in_u = (rows @ self.u) @ self.u.mT
        return in_u, rows - in_u

    def split(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates in U, `(n, r)`, and in V, `(n, d - r)`."""
        return rows @ self.u, rows @ self.v

    def blocks(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        """The U block `(r, r)` and the V block `(d - r, d - r)` of a symmetric `(d, d)` matrix."""
        return self.u.mT @ matrix @ self.u, self.v.mT @ matrix @ self.v
