"""Residual, shared geometry, phantom drift, coupling and what isotropic data reads."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.glossary.gap import GAP
from realign_core.glossary.term import ENERGY, LENGTH, PROJECT, A, R, Term, named, sides

GEOMETRY: dict[str, Term] = {
    "residual.anisotropy": Term(
        "Residual anisotropy",
        "Largest residual variance over the average; 1 is a ball, compare with isotropic data.",
        "λmax / (tr Sr / d)",
        "1 to d",
        None,
        A,
    ),
    "residual.effective_dimension_ratio": Term(
        "Effective dimension",
        "Share of the dimensions that the residual really uses.",
        "tr(Sr)² / (d tr(Sr²))",
        "0 to 1",
        None,
        A,
    ),
    "residual.ratio_energy": Term(
        "Residual share, energy",
        "Share of the squared distance of pairs that no shift of the mean removes.",
        "tr Sr / (‖m‖² + tr Sr)",
        "0 to 1",
        None,
        A,
    ),
    "residual.ratio_distance": Term(
        "Residual share, distance",
        "Distance of pairs that is left once the mean difference is taken out.",
        "mean ‖D − m‖ / mean ‖D‖",
        "0 to 1",
        None,
        A,
    ),
    "residual.mean_distance": Term(
        "Mean pair distance", "How far apart pairs are.", "mean ‖x − y‖", "0 to 2, length", None, A
    ),
    "residual.centred_distance": Term(
        "Centred pair distance",
        "How far apart pairs are once the means agree.",
        "mean ‖D − m‖",
        "0 or more, length",
        None,
        A,
    ),
    "residual.eigenvalues": Term(
        "Residual spectrum",
        "Variances of the residual along its own axes.",
        "eigenvalues of Cov(x − y)",
        ENERGY,
        None,
        A,
    ),
    "shared.spectral_correlation": Term(
        "Spectral correlation",
        "Whether both spectra fall alike; two sorted lists always nearly do, so this says little: noise "
        "against images reads 0.99.",
        "Pearson of log eigenvalues",
        "−1 to 1",
        None,
        A,
    ),
    "shared.subspace_overlap": Term(
        "Subspace overlap",
        "How much of the leading q directions the two sets share; compare with q/d.",
        "‖U_xᵀ U_y‖F² / q",
        "q/d for unrelated sets, to 1",
        "up",
        A,
    ),
    "shared.subspace_overlap_baseline": Term(
        "Overlap by chance", "Overlap of unrelated subspaces.", "q / d", "0 to 1", None, PROJECT
    ),
    "shared.covariance_discrepancy": Term(
        "Covariance discrepancy (G)",
        "How unlike the two covariances are.",
        "‖Sx − Sy‖F / ‖Sx‖F",
        "0 or more",
        "down",
        A,
    ),
    **named(
        "shared",
        "effective_rank",
        sides(
            "Effective rank",
            "Number of directions that the {side} uses, by entropy.",
            "exp of the entropy of the eigenvalues of S{s}",
            "1 to d",
            "Roy & Vetterli 2007",
        ),
    ),
    **named(
        "shared",
        "alpha",
        sides(
            "Power-law exponent (α)",
            "How steeply the spectrum of the {side} falls; rows fewer than dimensions steepen it.",
            "minus the slope of log eigenvalue of S{s} on log rank, ranks 1 to k99",
            "0 or more",
            R,
        ),
    ),
    **named(
        "shared",
        "kappa",
        sides(
            "Condition number",
            "Largest over smallest variance of the {side}; leans on the last eigenvalue.",
            "λmax / λmin of S{s}",
            "1 or more",
            R,
        ),
    ),
    "drift.centroid_shift": Term(
        "Secondary centroid shift",
        "How far projecting to the sphere moves the mean again; ReAlign's last step removes it.",
        "‖μ′ − μx‖ after anchor, trace and projection",
        LENGTH,
        "down",
        R,
    ),
    "drift.stages": Term(
        "Gap by stage",
        "In-sample centroid gap after each step of ReAlign; means before a projection are exact.",
        "‖mean z − μx‖",
        LENGTH,
        "down",
        R,
    ),
    "coupling.spectral_norm": Term(
        "Coupling strength",
        "Largest gain of the ridge map that predicts the V part of a residual from its U part.",
        "‖L‖₂, L = Z Dᵀ (D Dᵀ + λI)⁻¹, λ = tr(D Dᵀ)/r",
        "0 or more",
        None,
        R,
    ),
    "coupling.explained_variance": Term(
        "Coupling, held-out R²",
        "Share of the V residual that its U part predicts on the other half; at or below 0 nothing.",
        "1 − ‖Z − L D‖² / ‖Z‖²",
        "up to 1",
        None,
        R,
    ),
    "coupling.explained_variance_in_sample": Term(
        "Coupling, in-sample R²",
        "The same on the half that it was fitted on; optimistic with few rows.",
        "1 − ‖Z − L D‖² / ‖Z‖²",
        "0 to 1",
        None,
        R,
    ),
}

_DRIFT = {
    "measured": (
        "Measured drift",
        "How far projecting to the sphere moves the mean away from its own direction.",
        "‖E normalize(z) − normalize(μ)‖",
        LENGTH,
    ),
    "radial": (
        "Radial drift",
        "Part along the mean's direction; negative is towards the centre.",
        "a·drift, a = μ/‖μ‖",
        "signed length",
    ),
    "tangential": (
        "Tangential drift",
        "Part sideways, which turns the mean: the phantom.",
        "‖drift − a (a·drift)‖",
        LENGTH,
    ),
    "predicted": (
        "Predicted drift",
        "Second-order prediction; it needs tr S much smaller than ‖μ‖².",
        "‖(−S a − a tr(S)/2 + 3/2 a (aᵀS a)) / ‖μ‖²‖",
        LENGTH,
    ),
    "predicted_tangential": (
        "Predicted tangential drift",
        "Sideways part of the prediction.",
        "‖(I − a aᵀ) S a‖ / ‖μ‖²",
        LENGTH,
    ),
    "direction_cosine": (
        "Direction agreement",
        "Cosine of measured and predicted drift; 1 is the same direction.",
        "cos(measured, predicted)",
        "−1 to 1",
    ),
}
for _stage, _after in (("anchor", "after the anchor"), ("anchor_trace", "after anchor and trace")):
    for _key, (_label, _meaning, _formula, _range) in _DRIFT.items():
        GEOMETRY[f"drift.{_stage}.{_key}"] = Term(f"{_label} {_after}", _meaning, _formula, _range, None, R)

for _key in (
    "shape.kappa_u",
    "shape.kappa_v",
    "shape.kappa_eff_u",
    "shape.kappa_eff_v",
    "residual.anisotropy",
    "residual.effective_dimension_ratio",
    "shared.alpha_target",
):
    _model = {**GAP, **GEOMETRY}[_key]
    _name = _key.split(".")[1].replace("alpha_target", "alpha")
    GEOMETRY[f"isotropic.{_name}"] = Term(
        f"{_model.label.removesuffix(', target')} of isotropic data",
        "What round Gaussian data of this size reads: only what differs from it is a finding.",
        _model.formula.replace("Sx", "S"),
        _model.range,
        None,
        PROJECT,
    )
