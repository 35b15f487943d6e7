"""The modality gap while a model trains ([R, fig. 1, app. H.1]; methods, section 7)."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from realign_core.diagnostics.coupling import coupling_map, coupling_norm
from realign_core.diagnostics.decomposition import measure_gap, split_gap
from realign_core.diagnostics.isotropic import isotropic_reference
from realign_core.diagnostics.shape import Shape, measure_shape
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.frame import FixedFrame
from realign_core.linalg import numerical_rank
from realign_core.moments import Moments
from realign_core.training.gradients import (
    GradientMoments,
    about_zero,
    leakage,
    remainder,
    sine_of_rotation,
    spectral_locking,
)
from realign_core.training.incoming import fields_of, gradient_moments, item_of, numbers, paired_rows
from realign_core.training.tracked import TrackedStep
from realign_core.validation import UnusableInput, check_count, check_fraction

if TYPE_CHECKING:
    import pandas as pd

SMALLEST_BIAS = 1e-12
"""A bias at or under this length is rounding: it has no direction, and a drift is not divided by less."""


class GapTracker:
    """Follow the gap of a held-out probe set through training; the frame freezes at `reference_step`.

    Until the reference step t0 every update takes the frame of its own embeddings; the first update at or
    after t0 freezes it. What needs the reference (rotation, bound, drift) is missing before.

    reference_step : t0, in the caller's own steps; [R] took 800.
    energy : share of the variance that U holds, in (0, 1].
    window : over how many logged steps residual covariances are averaged before `kappa_eff` and the angle are
        read off them [R, lemma B.9]; the window starts anew at t0.
    normalize : scale every embedding to unit length first.
    seed : of the halves on which the coupling map is fitted, as everywhere in the project.

    It keeps O(window d^2) numbers and a row of figures a step, never embeddings or gradients; while it runs,
    an update holds float64 copies of the embeddings. An update that raises leaves the tracker as it was.

    In a plain torch loop (docs/tracker.md has it whole, and open_clip and Lightning)::

        tracker = rc.GapTracker(reference_step=40)
        for step, (images, texts) in enumerate(batches):
            loss = contrastive_loss(normalize(image_encoder(images)), normalize(text_encoder(texts)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 20 == 0:
                x, y = normalize(image_encoder(probe_images)), normalize(text_encoder(probe_texts))
                dx, dy = torch.autograd.grad(contrastive_loss(x, y), (x, y))
                tracker.update(step, x, y, dx, dy, loss=loss)
        table = tracker.to_frame()
    """

    def __init__(
        self,
        reference_step: int = 800,
        *,
        energy: float = 0.99,
        window: int = 5,
        normalize: bool = True,
        seed: int = 0,
    ):
        self.reference_step = check_count("reference_step", reference_step, least=0)
        self.energy = check_fraction("energy", energy)
        self.window = check_count("window", window)
        self.normalize = normalize
        self.seed = check_count("seed", seed, least=0)
        self.steps: list[TrackedStep] = []
        self.frame: FixedFrame | None = None
        self._bias: Tensor | None = None
        self._last_mean: Tensor | None = None
        self._scatters: deque[Tensor] = deque(maxlen=self.window)

    @property
    def frozen(self) -> bool:
        """Whether the reference step has been reached."""
        return self._bias is not None

    def update(
        self,
        step: int,
        image_embeddings: Any,
        text_embeddings: Any,
        image_grads: Any = None,
        text_grads: Any = None,
        **scalars: Any,
    ) -> TrackedStep:
        """Measure one step and return its figures.

        `image_embeddings`, `text_embeddings` `(n, d)`, row i of one belongs to row i of the other; NumPy
        arrays or torch tensors of any floating type, on any device, with or without a graph. `image_grads`,
        `text_grads` `(m, d)`: gradients of the loss with respect to embeddings, of the probe or of a batch,
        one or both; their scale cancels. `scalars` (loss, recall_at_1, ...) become columns.

        Raises `UnusableInput` where the step does not exceed the last one, the dimension or the device
        changes, the rows do not pair, there are fewer than 2, one is not finite, or both sets are constant.
        """
        step = self._check_step(step)
        own = numbers(scalars)
        x, y = paired_rows(image_embeddings, text_embeddings, normalize=self.normalize)
        self._check_place(step, x)
        sides = gradient_moments({"image": image_grads, "text": text_grads}, x.shape[1], x.device)
        # The rows are unit rows by now; asked to normalise, this would measure the phantom drift as well.
        statistics = PairStatistics.collect(x, y, paired=True, normalize=False, seed=self.seed)
        current = FixedFrame.from_moments(statistics.source, statistics.target, energy=self.energy)
        reference = self.frame if self.frozen else None
        freezes = reference is None and step >= self.reference_step
        frame = reference if reference is not None else current
        assert statistics.difference is not None, "the rows are paired"
        window = [*([] if freezes else self._scatters), statistics.difference.covariance][-self.window :]
        gamma = frame.project(statistics.gap)[1]
        bias = gamma if freezes else self._bias
        found = self._measure(step, statistics, frame, current, window, bias, sides, own)

        self.frame, self._bias, self._last_mean = frame, bias, statistics.gap
        self._scatters = deque(window, maxlen=self.window)
        self.steps.append(found)
        return found

    def _check_step(self, step: int) -> int:
        step = check_count("step", item_of(step), least=0)
        if self.steps and step <= self.steps[-1].step:
            raise UnusableInput(
                f"step {step} does not exceed the last one, {self.steps[-1].step}; steps must increase"
            )
        return step

    def _check_place(self, step: int, rows: Tensor) -> None:
        if self.frame is None:
            return
        if rows.shape[1] != self.frame.dim:
            raise UnusableInput(
                f"the embeddings of step {step} have {rows.shape[1]} dimensions, those before had "
                f"{self.frame.dim}; use one tracker a model"
            )
        where = self.frame.basis.device
        if rows.device != where:
            raise UnusableInput(
                f"the embeddings of step {step} lie on {rows.device}, those before lay on {where}; "
                "keep to one device"
            )

    def _measure(
        self,
        step: int,
        statistics: PairStatistics,
        frame: FixedFrame,
        current: FixedFrame,
        window: list[Tensor],
        bias: Tensor | None,
        sides: Mapping[str, Moments],
        own: Mapping[str, float | None],
    ) -> TrackedStep:
        gap = measure_gap(statistics)
        parts = split_gap(statistics, frame)
        alone = measure_shape(statistics, frame)
        shape = alone if len(window) == 1 else averaged_shape(statistics, window, frame)
        band = shape.bias_noise_null
        gradients = GradientMoments.of(sides) if sides else None
        coupling = coupling_map(statistics, frame)
        strength = None if coupling is None else coupling_norm(coupling)
        basis = current.basis[:, : frame.rank]
        # Below the frame's rank the leading eigenvectors run into directions that hold nothing.
        rotates = bias is not None and numerical_rank(current.eigenvalues) >= frame.rank
        sine = sine_of_rotation(basis, frame) if rotates else None
        rho = bound = None
        if sine is not None and gradients is not None and coupling is not None and strength is not None:
            rho = remainder(gradients.second, frame, basis, coupling)
            bound = None if rho is None else sine + strength + rho
        locking = (None, None) if gradients is None else spectral_locking(statistics, gradients, frame)
        return TrackedStep(
            step=step,
            n=statistics.target.n,
            dim=frame.dim,
            rank=frame.rank,
            rank_now=current.rank,
            frozen=bias is not None,
            gap=gap.centroid_distance,
            sampling_floor=gap.sampling_floor,
            sampling_floor_95=gap.sampling_floor_95,
            total_energy=parts.total_energy,
            pmb_norm=parts.pmb_norm,
            cob_norm=parts.cob_norm,
            u_residual_energy=parts.u_residual_energy,
            v_residual_energy=parts.v_residual_energy,
            has_gradients=bool(sides),
            leakage_image=leakage(about_zero(sides["image"]), frame) if "image" in sides else None,
            leakage_text=leakage(about_zero(sides["text"]), frame) if "text" in sides else None,
            leakage=None if gradients is None else leakage(gradients.second, frame),
            sin_theta=sine,
            coupling_norm=strength,
            remainder=rho,
            leakage_bound=bound,
            cob_drift=None if bias is None else drift_from(statistics.gap, bias, frame),
            cob_stability=stability(statistics.gap, self._last_mean, frame),
            window_steps=len(window),
            kappa_eff_u=shape.kappa_eff_u,
            kappa_eff_v=shape.kappa_eff_v,
            kappa_eff_u_step=alone.kappa_eff_u,
            kappa_eff_v_step=alone.kappa_eff_v,
            locking_eigenvalues=locking[0],
            locking_diagonal=locking[1],
            bias_noise_angle=shape.bias_noise_angle,
            bias_noise_angle_step=alone.bias_noise_angle,
            bias_noise_null_low=band.low if band else None,
            bias_noise_null_high=band.high if band else None,
            scalars=own,
        )

    @classmethod
    def replay(cls, snapshots: Iterable[Any], **settings: Any) -> GapTracker:
        """Track what was saved: a tracker with `settings` updated with every snapshot, in the order given.

        A snapshot is a mapping (an opened `.npz` too) or an object with `step`, `image_embeddings` and
        `text_embeddings`, optionally `image_grads` and `text_grads`; its other single numbers (`loss`,
        `recall_at_1`, ...) become columns, arrays and texts beside them do not.
        """
        tracker = cls(**settings)
        for number, snapshot in enumerate(snapshots):
            tracker.update(**fields_of(snapshot, number))
        return tracker

    def to_dict(self) -> dict[str, Any]:
        """Settings, and a list with one row of plain numbers a step; None where there is no figure."""
        return {
            "reference_step": self.reference_step,
            "frozen_at": next((row.step for row in self.steps if row.frozen), None),
            "energy": self.energy,
            "window": self.window,
            "steps": [row.as_row() for row in self.steps],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a step: the figures of `TrackedStep`, the caller's numbers, NaN where there is none.

        `kappa_eff_u_isotropic` and `kappa_eff_v_isotropic`, from t0 on, are what isotropic Gaussian
        residuals of this n and dimension read (methods, section 2); they are drawn here and not in `update`.
        """
        import pandas as pd

        rows = []
        for found in self.steps:
            flat, seen = found.as_row(), None
            if found.frozen:
                seen = isotropic_reference(found.n, found.dim, found.rank, paired=True, seed=self.seed)
            flat["kappa_eff_u_isotropic"] = seen.kappa_eff_u if seen else None
            flat["kappa_eff_v_isotropic"] = seen.kappa_eff_v if seen else None
            rows.append({name: math.nan if value is None else value for name, value in flat.items()})
        return pd.DataFrame(rows)


def averaged_shape(statistics: PairStatistics, covariances: list[Tensor], frame: FixedFrame) -> Shape:
    """Shape of the mean of residual covariances `(d, d)`, with the gap of the present step."""
    now = statistics.difference
    assert now is not None, "the rows are paired"
    mean = torch.stack(covariances).mean(dim=0)
    difference = Moments(now.n, now.mean, now.n * mean)
    return measure_shape(dataclasses.replace(statistics, difference=difference, halves=None), frame)


def drift_from(mean: Tensor, bias: Tensor, frame: FixedFrame) -> float:
    """`||gamma(t) - gamma(t0)|| / max(||gamma(t0)||, eps)`; 0 without V."""
    if frame.rank == frame.dim:
        return 0.0
    moved = frame.project(mean)[1] - bias
    size = max(float(torch.linalg.vector_norm(bias)), SMALLEST_BIAS)
    return float(torch.linalg.vector_norm(moved)) / size


def stability(mean: Tensor, before: Tensor | None, frame: FixedFrame) -> float | None:
    """`cos(gamma(t), gamma(t - 1))`, both in the frame of step t; None where one is rounding or missing."""
    if before is None or frame.rank == frame.dim:
        return None
    now, then = frame.project(mean)[1], frame.project(before)[1]
    sizes = [float(torch.linalg.vector_norm(gamma)) for gamma in (now, then)]
    if min(sizes) <= SMALLEST_BIAS:
        return None
    return max(-1.0, min(1.0, float(now @ then) / (sizes[0] * sizes[1])))
