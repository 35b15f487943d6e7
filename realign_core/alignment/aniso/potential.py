"""Which phases a target prefers: pairwise phase statistics and the drift towards them ([A, sec. 4.2])."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from realign_core.alignment.aniso.polar import wrap


@dataclass(frozen=True)
class PhasePotential:
    """`Psi(phi) = - sum_k alpha_k cos(phi_k - psi_k) - sum_{k<l in E} A_kl cos(phi_k - phi_l - eta_kl)`.

    `energy` alpha and `preferred` psi are `(m,)`; `coherence` A and `offset` eta `(m, m)`, A zero outside
    the edges E.
    """

    energy: Tensor
    preferred: Tensor
    coherence: Tensor
    offset: Tensor

    @classmethod
    def of(cls, phases: Tensor, radii: Tensor, *, partners: int) -> PhasePotential:
        """Learnt from target phases and radii `(n, m)`; each block keeps its `partners` most coherent ones.

        `M_kl = E exp(i (theta_k - theta_l))`, `A = |M|`, `eta = arg M`, `psi_k = arg E exp(i theta_k)`,
        `alpha_k` the block's share of the mean squared radius.
        """
        cosines, sines = phases.cos(), phases.sin()
        n = len(phases)
        real = (cosines.mT @ cosines + sines.mT @ sines) / n
        imaginary = (sines.mT @ cosines - cosines.mT @ sines) / n
        strength = torch.hypot(real, imaginary).fill_diagonal_(0)
        kept = torch.zeros_like(strength, dtype=torch.bool)
        kept.scatter_(1, strength.topk(min(partners, len(strength) - 1), dim=1).indices, True)
        kept |= kept.mT.clone()
        power = radii.square().mean(dim=0)
        return cls(
            energy=power / power.sum(),
            preferred=torch.atan2(sines.mean(dim=0), cosines.mean(dim=0)),
            coherence=strength * kept,
            offset=torch.atan2(imaginary, real),
        )

    @property
    def edges(self) -> Tensor:
        """Pairs k < l of the edge set, `(2, |E|)`."""
        return torch.triu(self.coherence, diagonal=1).nonzero().mT

    def to(self, device: torch.device, dtype: torch.dtype) -> PhasePotential:
        """The same where the rows lie."""
        return PhasePotential(*(getattr(self, f.name).to(dtype).to(device) for f in fields(self)))

    def value(self, phases: Tensor) -> Tensor:
        """Psi of each row of phases `(n, m)`, `(n,)`."""
        alone = (self.energy * (phases - self.preferred).cos()).sum(dim=1)
        return -alone - self._fields(phases)[0].sum(dim=1) / 2

    def gradient(self, phases: Tensor) -> Tensor:
        """grad Psi, `(n, m)`: the drift field."""
        return self.energy * (phases - self.preferred).sin() + self._fields(phases)[1]

    def drifted(self, phases: Tensor, step: float) -> Tensor:
        """`mu_phi = wrap(phi - tau grad Psi)`, `(n, m)`."""
        return wrap(phases - step * self.gradient(phases))

    def _fields(self, phases: Tensor) -> tuple[Tensor, Tensor]:
        """`sum_l A_kl cos(phi_k - phi_l - eta_kl)` and the same of sines, `(n, m)` each."""
        cosines, sines = phases.cos(), phases.sin()
        even, odd = self.coherence * self.offset.cos(), self.coherence * self.offset.sin()
        # cos(phi_l + eta_kl) and sin(phi_l + eta_kl), weighted and summed over l by two products each.
        turned_cos = cosines @ even.mT - sines @ odd.mT
        turned_sin = sines @ even.mT + cosines @ odd.mT
        return cosines * turned_cos + sines * turned_sin, sines * turned_cos - cosines * turned_sin
