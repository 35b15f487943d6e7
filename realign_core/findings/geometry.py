"""Sentences on what the gap is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from realign_core.findings.finding import ROUNDING, Finding
from realign_core.glossary import percent, shown

if TYPE_CHECKING:
    from realign_core.diagnostics import Diagnosis

MOSTLY = 0.6
SMALL_EXPANSION = 0.1
"""tr S / rho^2 up to which a second-order expansion is taken at its word."""
OFF_PREDICTION = 0.1


def headline(diagnosis: Diagnosis) -> str:
    """The first sentence: how large the gap is against its sampling floor, and what it is mostly made of."""
    gap = diagnosis.gap
    size = shown(gap.centroid_distance)
    if gap.centroid_distance <= ROUNDING:
        return "The two sets have the same mean: there is no gap between their centroids."
    if gap.centroid_distance <= gap.sampling_floor_95:
        return (
            f"The gap of {size} cannot be told from zero: sampling noise alone reaches "
            f"{shown(gap.sampling_floor_95)} with this many rows."
        )
    if gap.sampling_floor == 0:
        return f"The gap is {size}, and without any sampling noise: every pair differs by the same vector."
    times = gap.centroid_distance / gap.sampling_floor
    text = (
        f"The gap is {size}, {shown(times)} times what sampling noise alone would give. {_makeup(diagnosis)}"
    )
    return text.strip()


def _makeup(diagnosis: Diagnosis) -> str:
    total = diagnosis.decomposition.total_energy
    if not total:
        return ""
    bias = diagnosis.gap.centroid_distance**2 / total
    if bias >= MOSTLY:
        return f"Most of it is one constant shift: {percent(bias)} of the squared distance of pairs is bias."
    if bias <= 1 - MOSTLY:
        return (
            f"Most of the distance between pairs is no constant shift: {percent(1 - bias)} of its square "
            "differs from pair to pair."
        )
    return (
        f"Between pairs it is about half and half: {percent(bias)} of the squared distance is one constant "
        f"shift, {percent(1 - bias)} differs from pair to pair."
    )


def diagnosis_findings(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """What the geometry says, in reading order; nothing where a figure does not exist."""
    found = (
        _parts(diagnosis),
        _subspace(diagnosis),
        _angle(diagnosis),
        _shape(diagnosis),
        _drift(diagnosis),
        _prediction(diagnosis),
        _coupling(diagnosis),
    )
    return tuple(finding for finding in found if finding is not None)


def _parts(diagnosis: Diagnosis) -> Finding | None:
    residual = diagnosis.residual
    if residual.ratio_energy is None:
        return None
    text = (
        f"A perfect shift of the mean would leave pairs {shown(residual.centred_distance)} apart on "
        f"average, of {shown(residual.mean_distance)} now: {percent(residual.ratio_energy)} of the energy "
        "is residual."
    )
    return Finding("parts", text)


def _subspace(diagnosis: Diagnosis) -> Finding | None:
    found, frame = diagnosis.decomposition, diagnosis.frame
    bias = found.pmb_norm**2 + found.cob_norm**2
    if bias <= 0 or diagnosis.gap.centroid_distance <= diagnosis.gap.sampling_floor_95:
        return None
    if frame.rank == frame.dim:
        return Finding(
            "subspace", f"U takes all {frame.dim} dimensions at this energy, so the whole gap lies in it."
        )
    share = found.pmb_norm**2 / bias
    even = frame.rank / frame.dim
    text = (
        f"{percent(share)} of the squared bias lies in U, the {frame.rank} of {frame.dim} directions that "
        f"hold {100 * frame.energy:.3g} % of the variance"
    )
    if share > even:
        text += f" ({percent(even)} of the dimensions): the shift runs mostly along what varies anyway."
    else:
        text += (
            f", fewer than their {percent(even)} of the dimensions: the shift avoids the directions that "
            "vary."
        )
    if found.energy_coverage is not None:
        text += f" Of the residual, {percent(found.energy_coverage)} lies there."
    return Finding("subspace", text)


def _angle(diagnosis: Diagnosis) -> Finding | None:
    shape = diagnosis.shape
    angle, band = shape.bias_noise_angle, shape.bias_noise_null
    if angle is None or band is None:
        return None
    span = f"{shown(band.low)}° to {shown(band.high)}°"
    if angle < band.low:
        text = (
            f"The bias in V leans towards the leading residual direction there: {shown(angle)}°, below the "
            f"{span} of random directions. Bias and noise are not independent."
        )
    else:
        text = (
            f"The bias in V stands at {shown(angle)}° to the leading residual direction there; a random "
            f"direction gives {span}, so this angle is no evidence of anything."
        )
    return Finding("angle", text)


def _shape(diagnosis: Diagnosis) -> Finding | None:
    measured, reference = diagnosis.residual.anisotropy, diagnosis.isotropic.anisotropy
    if measured is None or reference is None:
        return None
    times = measured / reference
    if times > 1.5:
        verdict = f"{shown(times)} times what round noise of this size reads: it has a shape of its own"
    else:
        verdict = "about what round noise of this size reads: no shape to speak of"
    return Finding(
        "shape", f"The residual's anisotropy is {shown(measured)} against {shown(reference)}, {verdict}."
    )


def _drift(diagnosis: Diagnosis) -> Finding | None:
    shift, gap = diagnosis.drift.centroid_shift, diagnosis.gap
    if shift is None or shift <= ROUNDING:
        return None
    text = f"Going back to the sphere after anchor and trace moves the centroid by {shown(shift)}"
    if shift > gap.sampling_floor_95:
        text += (
            f", more than sampling noise explains ({shown(gap.sampling_floor_95)}): phantom drift matters "
            "here."
        )
    else:
        text += (
            f", within the sampling noise of {shown(gap.sampling_floor_95)}: phantom drift is too small to "
            "matter on this many rows."
        )
    return Finding("drift", text)


def _prediction(diagnosis: Diagnosis) -> Finding | None:
    stage = diagnosis.drift.anchor_trace or diagnosis.drift.anchor
    if stage is None or stage.measured <= ROUNDING or stage.direction_cosine is None:
        return None
    ratio = stage.predicted / stage.measured - 1
    if abs(ratio) <= OFF_PREDICTION:
        size = f"is right to {percent(abs(ratio))}"
    else:
        size = f"{'overstates' if ratio > 0 else 'understates'} it by {percent(abs(ratio))}"
    agrees = f"the direction agrees to {shown(stage.direction_cosine, 4)}"
    joined = "and" if abs(ratio) <= OFF_PREDICTION or stage.direction_cosine < 0.9 else "though"
    text = (
        f"The second-order prediction of the drift ({shown(stage.predicted)} against "
        f"{shown(stage.measured)} measured) {size}, {joined} {agrees}."
    )
    spread = diagnosis.gap.trace_target / diagnosis.gap.mean_norm_target**2
    if abs(ratio) > OFF_PREDICTION and spread > SMALL_EXPANSION:
        text += f" It needs the variance to be small beside ‖μ‖²; here it is {shown(spread)} times that."
    return Finding("drift", text)


def _coupling(diagnosis: Diagnosis) -> Finding | None:
    coupling = diagnosis.coupling
    if coupling is None:
        return None
    held = coupling.explained_variance
    if held > 0:
        text = f"The residual in U predicts {percent(held)} of the residual in V on rows not fitted on."
    else:
        text = "Nothing of the residual in V can be predicted from that in U on rows not fitted on"
        inside = coupling.explained_variance_in_sample
        text += f", whatever the {percent(inside)} in-sample suggest." if inside > OFF_PREDICTION else "."
    return Finding("coupling", text)
