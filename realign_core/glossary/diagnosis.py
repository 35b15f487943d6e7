"""Figures of a diagnosis: gap, frame, parts, shape, residual, shared geometry, drift, coupling."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.glossary.term import PROJECT, A, L, R, Term

_LENGTH = "0 or more, length on the unit sphere"
_ENERGY = "0 or more, squared length"


def _side(label: str, meaning: str, formula: str, span: str, source: str, better=None) -> dict[str, Term]:
    """The same figure of target and source."""
    return {
        side: Term(
            f"{label}, {side}", meaning.format(side=side), formula.format(s=letter), span, better, source
        )
        for side, letter in (("target", "x"), ("source", "y"))
    }


def _block(label: str, meaning: str, formula: str, span: str, source: str) -> dict[str, Term]:
    """The same figure in U and in V."""
    return {
        w: Term(
            f"{label} in {w.upper()}",
            meaning.format(w=w.upper()),
            formula.format(w=w.upper()),
            span,
            None,
            source,
        )
        for w in ("u", "v")
    }


def _named(section: str, name: str, terms: dict[str, Term]) -> dict[str, Term]:
    return {f"{section}.{name}_{key}": term for key, term in terms.items()}


DIAGNOSIS: dict[str, Term] = {
    "gap.centroid_distance": Term(
        "Modality gap",
        "Distance between the means of the two sets; compare it with the sampling floor.",
        "‖μx − μy‖",
        "0 to 2, length on the unit sphere",
        "down",
        L,
    ),
    "gap.sampling_floor": Term(
        "Sampling floor",
        "The distance that sampling noise alone gives between two equal sets of this size.",
        "floor² = tr Cov(x − y) / n for pairs, Tx/nx + Ty/ny otherwise",
        _LENGTH,
        None,
        PROJECT,
    ),
    "gap.sampling_floor_95": Term(
        "95 % bound of the floor",
        "A gap at or under this cannot be told from zero.",
        "floor · √(χ²(ν, 0.95) / ν), ν = tr(C)² / tr(C²)",
        _LENGTH,
        None,
        PROJECT,
    ),
    **_named(
        "gap",
        "mean_norm",
        _side(
            "Length of the mean",
            "How tightly the {side} rows point one way: 1 is a single point.",
            "‖μ{s}‖",
            "0 to 1",
            L,
        ),
    ),
    **_named(
        "gap",
        "trace",
        _side(
            "Total variance",
            "Spread of the {side} rows around their mean; 1 − ‖μ‖² on the sphere.",
            "T{s} = tr S{s}",
            "0 to 1",
            R,
        ),
    ),
    "frame.rank": Term(
        "Rank of U (r)",
        "Number of leading directions that U spans; V is the rest.",
        "smallest r whose eigenvalues of Sx + Sy hold the energy",
        "1 to d",
        None,
        R,
    ),
    "frame.energy": Term(
        "Energy threshold",
        "Share of the pooled variance that U holds; a setting.",
        "set by --energy",
        "0 to 1",
        None,
        R,
    ),
    "frame.eigenvalues": Term(
        "Pooled eigenvalues",
        "Spectrum that the cut between U and V is made in.",
        "eigenvalues of Sx + Sy, largest first",
        _ENERGY,
        None,
        R,
    ),
    "decomposition.total_energy": Term(
        "Energy of the gap",
        "Mean squared distance of a pair; the four parts add up to it.",
        "mean ‖x − y‖² = PMB² + COB² + tr S_U + tr S_V",
        "0 to 4, squared length",
        None,
        R,
    ),
    "decomposition.pmb_norm": Term(
        "Principal modality bias (PMB)",
        "Part of the mean difference that lies in U, among the leading directions.",
        "‖P_U m‖, m = mean (x − y)",
        _LENGTH,
        None,
        R,
    ),
    "decomposition.cob_norm": Term(
        "Constant orthogonal bias (COB)",
        "Part of the mean difference that lies in V, where hardly anything varies.",
        "‖P_V m‖",
        _LENGTH,
        None,
        R,
    ),
    **{
        f"decomposition.{w}_residual_energy": term
        for w, term in _block(
            "Residual energy",
            "What differs from pair to pair in {w}; no shift of the mean can remove it.",
            "tr S_{w} = tr P_{w} Cov(x − y)",
            _ENERGY,
            R,
        ).items()
    },
    "decomposition.energy_coverage": Term(
        "Residual in U",
        "Share of the residual's energy that lies in U.",
        "tr(P_U Sr) / tr Sr",
        "0 to 1",
        None,
        A,
    ),
    **_named(
        "shape",
        "kappa",
        _block(
            "Condition number",
            "Longest over shortest variance of the residual in {w}; leans on the last eigenvalue.",
            "λmax / λmin of S_{w} inside its numerical rank",
            "1 or more",
            R,
        ),
    ),
    **_named(
        "shape",
        "kappa_eff",
        _block(
            "Effective condition number",
            "Largest variance in {w} over the one that completes 99 % of the energy.",
            "λ₁ / λ_k99 of S_{w}",
            "1 or more; compare with isotropic data",
            R,
        ),
    ),
    **_named(
        "shape",
        "rank",
        _block(
            "Numerical rank",
            "Residual eigenvalues in {w} that are not rounding.",
            "λ > 10⁻¹⁰ λmax",
            "0 to d",
            PROJECT,
        ),
    ),
    "shape.bias_noise_angle": Term(
        "Bias-noise angle",
        "Angle of the bias in V to the residual's leading direction there; only an angle below "
        "the band of random directions says anything.",
        "angle(γ, v₁), folded",
        "0 to 90 degrees",
        None,
        R,
    ),
    "shape.bias_noise_angles": Term(
        "Bias-noise angles",
        "The same for the ten leading residual directions in V.",
        "angle(γ, vᵢ)",
        "0 to 90 degrees",
        None,
        R,
    ),
    "shape.bias_noise_shares": Term(
        "Bias shares",
        "Share of the squared bias in V along each of these directions.",
        "(γ·vᵢ)² / ‖γ‖²",
        "0 to 1",
        None,
        R,
    ),
    "shape.bias_noise_null": Term(
        "Null band",
        "Where the angle of a random direction falls 95 times in 100; near 90° when V is large.",
        "cos² ~ Beta(1/2, (d − r − 1)/2), 2.5 % and 97.5 %",
        "0 to 90 degrees",
        None,
        PROJECT,
    ),
    **_named(
        "shape",
        "eigenvalues",
        _block(
            "Residual spectrum",
            "Variances of the residual along its own axes in {w}.",
            "eigenvalues of S_{w}, largest first",
            _ENERGY,
            R,
        ),
    ),
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
        _ENERGY,
        None,
        A,
    ),
    "shared.spectral_correlation": Term(
        "Spectral correlation",
        "Whether both spectra fall alike; two sorted lists always nearly do, so this says little: "
        "noise against images reads 0.99.",
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
    **_named(
        "shared",
        "effective_rank",
        _side(
            "Effective rank",
            "Number of directions that the {side} uses, by entropy.",
            "exp of the entropy of the eigenvalues of S{s}",
            "1 to d",
            "Roy & Vetterli 2007",
        ),
    ),
    **_named(
        "shared",
        "alpha",
        _side(
            "Power-law exponent (α)",
            "How steeply the spectrum of the {side} falls; rows fewer than dimensions steepen it.",
            "minus the slope of log eigenvalue of S{s} on log rank, ranks 1 to k99",
            "0 or more",
            R,
        ),
    ),
    **_named(
        "shared",
        "kappa",
        _side(
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
        _LENGTH,
        "down",
        R,
    ),
    "drift.stages": Term(
        "Gap by stage",
        "In-sample centroid gap after each step of ReAlign; means before a projection are exact.",
        "‖mean z − μx‖",
        _LENGTH,
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
        _LENGTH,
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
        _LENGTH,
    ),
    "predicted": (
        "Predicted drift",
        "Second-order prediction; it needs tr S much smaller than ‖μ‖².",
        "‖(−S a − a tr(S)/2 + 3/2 a (aᵀS a)) / ‖μ‖²‖",
        _LENGTH,
    ),
    "predicted_tangential": (
        "Predicted tangential drift",
        "Sideways part of the prediction.",
        "‖(I − a aᵀ) S a‖ / ‖μ‖²",
        _LENGTH,
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
        DIAGNOSIS[f"drift.{_stage}.{_key}"] = Term(f"{_label} {_after}", _meaning, _formula, _range, None, R)

for _key in (
    "shape.kappa_u",
    "shape.kappa_v",
    "shape.kappa_eff_u",
    "shape.kappa_eff_v",
    "residual.anisotropy",
    "residual.effective_dimension_ratio",
    "shared.alpha_target",
):
    _name = _key.split(".")[1].replace("alpha_target", "alpha")
    DIAGNOSIS[f"isotropic.{_name}"] = Term(
        f"{DIAGNOSIS[_key].label.removesuffix(', target')} of isotropic data",
        "What round Gaussian data of this size reads: only what differs from it is a finding.",
        DIAGNOSIS[_key].formula.replace("Sx", "S"),
        DIAGNOSIS[_key].range,
        None,
        PROJECT,
    )
