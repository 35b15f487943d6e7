"""AnisoAlign ([A, sec. 4] arXiv 2605.07825): a bounded correction of the residual under a target prior."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

import torch
from torch import Tensor

from realign_core.alignment.aniso.map import AnisoMap
from realign_core.alignment.aniso.networks import Training
from realign_core.alignment.aniso.polar import MIXINGS, Polar, in_rest, mixed_basis
from realign_core.alignment.aniso.potential import PhasePotential
from realign_core.alignment.aniso.prior import NoiseLevels, PhasePrior
from realign_core.alignment.aniso.refinement import Bounds, Corrections, Weights, fit_corrections
from realign_core.alignment.aniso.rows import Sample
from realign_core.alignment.aniso.start import RADIAL_MAPS, Start
from realign_core.alignment.base import Aligner
from realign_core.alignment.rows import Mapper
from realign_core.alignment.statistics import (
    AlignmentWarning,
    MeanTrace,
    Projected,
    check_source_varies,
    row_lengths,
    warn_constant_target,
    with_covariance,
)
from realign_core.frame import FixedFrame
from realign_core.moments import Moments, statistics_device
from realign_core.validation import (
    UnusableInput,
    check_choice,
    check_count,
    check_fraction,
    check_non_negative,
    check_positive,
)

LARGEST_SEED = 2**62
LARGEST_NOISE = 20.0
"""A phase with noise of a standard deviation beyond 6 radians is uniform: there is nothing left to learn."""

CORRECTIONS, SCORE = "corrections.", "score."


class AnisoAlign(Aligner):
    """Phases kept, radii matched to the target's, then bounded corrections by a network under a prior.

    Every choice that the paper leaves open is a setting; the default stands with its reason:

    - `energy` 1.0: share of `S_x + S_y` that U holds; its rank is rounded to an even number. On every set
      tried the method kept more neighbours and reached more of the target the more of the space U held.
    - `mixing` "random": R is a seeded random orthogonal matrix ("none": eigenvectors as they come); of the
      mixings tried it keeps most neighbours.
    - `centred` True: phases are those of rows less their mean; uncentred phases mostly encode the mean.
    - `partners` 4: p, the most coherent partners that each block keeps.
    - `drift_step` 0.1: tau, a tenth of a radian of drift a unit of gradient.
    - `noise_low` 0.005, `noise_high` 0.5: sigma_t is log-uniform between them, so that noise spans 0.1 to 1
      radian.
    - `width` 256, `steps` 400, `batch` 512, `learning_rate` 1e-3: both networks have two hidden layers of
      this width and are trained by AdamW along a cosine; larger ones change nothing measurable.
    - `phase_bound` 0.05 rad, `radius_bound` 0.02, `rest_bound` 0.02: largest corrections. The losses
      reach radii only through the prior's conditioning and V not at all, so larger bounds do harm or nothing.
    - `radial_map` "quantile" as published, linear between `levels` 17 quantiles, fewer where there are few
      rows: more change nothing measurable; "scale" matches each block's root mean square alone; "none".
    - `refine` False stops after the start; `prior_weight` 0 and `phase_weight` 0 leave out a loss.
    - `fit_rows` 20 000: rows of each set that networks and quantiles are learnt from; means, frame and the
      centroid use all rows.

    Learns `basis_` `(d, r)`, `radii_source_` and `radii_target_` `(m, levels)`, `spread_ratio_` `(d,)`,
    `centroid_` `(d,)`, the phase potential and the networks' weights `corrections.*_` and `score.*_`.
    Pairs are never used: what is learnt does not depend on the order of the rows. Raises `UnusableInput`
    for settings out of range, for rows that vary in fewer than two directions and for a constant source.
    """

    name = "anisoalign"
    trained: ClassVar[bool] = True
    keeps_rows = True
    needs_covariance = True

    def __init__(
        self,
        *,
        energy: float = 1.0,
        mixing: str = "random",
        centred: bool = True,
        partners: int = 4,
        drift_step: float = 0.1,
        noise_low: float = 0.005,
        noise_high: float = 0.5,
        width: int = 256,
        steps: int = 400,
        batch: int = 512,
        learning_rate: float = 1e-3,
        phase_bound: float = 0.05,
        radius_bound: float = 0.02,
        rest_bound: float = 0.02,
        radial_map: str = "quantile",
        levels: int = 17,
        refine: bool = True,
        prior_weight: float = 1.0,
        phase_weight: float = 1.0,
        fit_rows: int = 20_000,
        seed: int = 0,
        normalize: bool = True,
    ):
        super().__init__(normalize=normalize)
        self.energy, self.mixing, self.centred = energy, mixing, centred
        self.partners, self.drift_step = partners, drift_step
        self.noise_low, self.noise_high = noise_low, noise_high
        self.width, self.steps, self.batch, self.learning_rate = width, steps, batch, learning_rate
        self.phase_bound, self.radius_bound, self.rest_bound = phase_bound, radius_bound, rest_bound
        self.radial_map, self.levels, self.refine = radial_map, levels, refine
        self.prior_weight, self.phase_weight = prior_weight, phase_weight
        self.fit_rows, self.seed = fit_rows, seed
        self._samples: dict[str, Sample] = {}
        self._map_in_pass: AnisoMap | None = None

    def _accumulate(self, so_far: Any, rows: Any, label: str) -> MeanTrace | Moments:
        self._check_settings()
        merged = super()._accumulate(so_far, rows, label)
        block = self._block(rows, label, None)
        if len(block):
            sample = Sample.of(block, self.fit_rows, self.seed)
            earlier = self._samples.get(label) if so_far is not None else None
            self._samples[label] = earlier.merge(sample, self.fit_rows) if earlier else sample
        return merged

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        source, target = with_covariance(source), with_covariance(target)
        check_source_varies(source, self.name)
        if not warn_constant_target(target, self.name):
            self._warn_few_rows()
        frame = FixedFrame.from_moments(source, target, energy=self.energy)
        self.basis_ = mixed_basis(frame, mixing=self.mixing, seed=self.seed)
        self.origin_ = target.mean if self.centred else in_rest(target.mean[None], self.basis_)[0]
        self.centre_ = source.mean - target.mean + self.origin_
        y, x = self._polar("source", self.centre_), self._polar("target", self.origin_)
        start = Start.of(y, x, self.basis_, radial_map=self.radial_map, levels=self.levels)
        self.radii_source_, self.radii_target_ = start.radii_source, start.radii_target
        self.spread_ratio_ = start.spread_ratio
        potential = PhasePotential.of(x.phases, x.radii, partners=self.partners)
        self.phase_energy_, self.preferred_phase_ = potential.energy.cpu(), potential.preferred.cpu()
        self.coherence_, self.offset_ = potential.coherence.cpu(), potential.offset.cpu()
        if self.refine:
            self._refine(_narrow(x), _narrow(start.to(y.phases.device, torch.float64)(y)), potential)
        # A pass that was cut short ran with an earlier map.
        self._map_in_pass = None

    def _refine(self, target: Polar, start: Polar, potential: PhasePotential) -> None:
        device = start.phases.device
        training = Training(self.steps, self.batch, self.learning_rate, self.seed)
        prior = PhasePrior.fit(
            target,
            potential.to(device, torch.float32),
            levels=NoiseLevels(self.noise_low, self.noise_high),
            step=self.drift_step,
            width=self.width,
            training=training,
        )
        network, losses = fit_corrections(
            start,
            prior,
            bounds=self._bounds,
            weights=Weights(self.prior_weight, self.phase_weight),
            basis=self.basis_.float().to(device),
            width=self.width,
            training=training,
        )
        self.prior_loss_, self.refinement_loss_ = prior.losses[-1], losses[-1]
        for prefix, module in ((CORRECTIONS, network), (SCORE, prior.score)):
            for key, value in module.state_dict().items():
                setattr(self, f"{prefix}{key}_", value.double().cpu())

    @property
    def _bounds(self) -> Bounds:
        return Bounds(self.phase_bound, self.radius_bound, self.rest_bound)

    def _polar(self, label: str, centre: Tensor) -> Polar:
        """The kept rows of a set as float64 polar blocks around a centre, where statistics run."""
        rows = self._samples[label].rows
        rows = rows.to(statistics_device(rows)).double()
        if self.normalize:
            rows = rows / row_lengths(rows, 0, label)[:, None]
        return Polar.of(rows - centre.to(rows.device), self.basis_.to(rows.device))

    def _mapper(self) -> Mapper:
        return self._map(self.mean_target_ - self.centroid_)

    def _map(self, shift: Tensor | None = None) -> AnisoMap:
        start = Start(self.basis_, self.radii_source_, self.radii_target_, self.spread_ratio_)
        corrections = self._corrections() if self.refine else None
        return AnisoMap(
            start, self.centre_, self.origin_, corrections, self._bounds, shift, normalize=self.normalize
        )

    def _corrections(self) -> Corrections:
        dim, rank = self.basis_.shape
        network = Corrections(rank // 2, dim, self.width, self.seed).double()
        weights = {key: getattr(self, f"{CORRECTIONS}{key}_", None) for key in network.state_dict()}
        try:
            network.load_state_dict(weights)
        except (RuntimeError, AttributeError):
            raise UnusableInput("the saved networks do not fit the saved basis") from None
        return network.requires_grad_(False)

    def _wants_pass(self) -> bool:
        return not hasattr(self, "centroid_")

    def _pass_part(self, first_row: int, block: Tensor) -> Projected:
        if self._map_in_pass is None:
            self._map_in_pass = self._map()
        self._map_in_pass.row = first_row
        return Projected(len(block), self._map_in_pass.projected_sum(block))

    def _end_pass(self, found: Any) -> None:
        centroid = found.sum / found.n
        if not bool(centroid.isfinite().all()):
            raise UnusableInput(
                "anisoalign maps rows out of all range; lower learning_rate, radius_bound or rest_bound"
            )
        self.centroid_ = centroid
        self._map_in_pass = None

    def _fits(self, key: str, value: Tensor, d: int) -> bool:
        if key in ("mean_source_", "mean_target_", "origin_", "centre_", "centroid_", "spread_ratio_"):
            return value.shape == (d,)
        # The other shapes are checked against each other when the map is made.
        return value.ndim <= 2 and (key != "basis_" or value.shape[0] == d)

    def _warn_few_rows(self) -> None:
        for label, sample in self._samples.items():
            if sample.distinct < self.n_features_in_:
                warnings.warn(
                    f"anisoalign: the {label} has {sample.distinct} distinct rows in {self.n_features_in_} "
                    "dimensions; phases and radii of so few rows follow their noise, and the map may "
                    "collapse: compare it with rotation or realign",
                    AlignmentWarning,
                    stacklevel=2,
                )

    def _check_settings(self) -> None:
        check_fraction("energy", self.energy)
        check_choice("mixing", self.mixing, MIXINGS)
        check_choice("radial_map", self.radial_map, RADIAL_MAPS)
        check_positive("learning_rate", self.learning_rate)
        for name in ("partners", "width", "steps", "batch"):
            check_count(name, getattr(self, name))
        check_count("fit_rows", self.fit_rows, least=2)
        check_count("levels", self.levels, least=2)
        if check_count("seed", self.seed, least=0) > LARGEST_SEED:
            raise UnusableInput(f"seed is {self.seed}; torch takes seeds up to {LARGEST_SEED}")
        for name in ("centred", "refine"):
            if not isinstance(getattr(self, name), bool):
                raise UnusableInput(f"{name} is {getattr(self, name)!r}; give True or False")
        for name in ("drift_step", "radius_bound", "rest_bound", "prior_weight", "phase_weight"):
            check_non_negative(name, getattr(self, name))
        if check_non_negative("phase_bound", self.phase_bound) > math.pi:
            raise UnusableInput(f"phase_bound is {self.phase_bound}; a phase turns by pi at most")
        if not 0 < self.noise_low <= self.noise_high <= LARGEST_NOISE:
            raise UnusableInput(
                f"noise_low is {self.noise_low} and noise_high {self.noise_high}; "
                f"give 0 < low <= high <= {LARGEST_NOISE:g}"
            )


def _narrow(polar: Polar) -> Polar:
    """Float32, in which networks are trained."""
    return Polar(polar.phases.float(), polar.radii.float(), polar.rest.float())
