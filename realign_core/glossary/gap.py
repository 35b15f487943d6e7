"""The gap, its sampling floor, its four parts and the shape of the residual in U and in V."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.glossary.term import ENERGY, LENGTH, PROJECT, A, L, R, Term, blocks, named, sides

GAP: dict[str, Term] = {
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
        "The distance that sampling noise alone gives between two equal sets of this size; captions of one "
        "image count as drawn together.",
        "floor² = tr Cov(x − y) / n for pairs, Σ‖summed deviations of a group‖² / n² where groups share a "
        "row, Tx/nx + Ty/ny otherwise",
        LENGTH,
        None,
        PROJECT,
    ),
    "gap.sampling_floor_95": Term(
        "95 % bound of the floor",
        "A gap at or under this cannot be told from zero.",
        "floor · √(χ²(ν, 0.95) / ν), ν = tr(C)² / tr(C²)",
        LENGTH,
        None,
        PROJECT,
    ),
    **named(
        "gap",
        "mean_norm",
        sides(
            "Length of the mean",
            "How tightly the {side} rows point one way: 1 is a single point.",
            "‖μ{s}‖",
            "0 to 1",
            L,
        ),
    ),
    **named(
        "gap",
        "trace",
        sides(
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
        ENERGY,
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
        LENGTH,
        None,
        R,
    ),
    "decomposition.cob_norm": Term(
        "Constant orthogonal bias (COB)",
        "Part of the mean difference that lies in V, where hardly anything varies.",
        "‖P_V m‖",
        LENGTH,
        None,
        R,
    ),
    **{
        f"decomposition.{w}_residual_energy": term
        for w, term in blocks(
            "Residual energy",
            "What differs from pair to pair in {w}; no shift of the mean can remove it.",
            "tr S_{w} = tr P_{w} Cov(x − y)",
            ENERGY,
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
    **named(
        "shape",
        "kappa",
        blocks(
            "Condition number",
            "Longest over shortest variance of the residual in {w}; leans on the last eigenvalue.",
            "λmax / λmin of S_{w} inside its numerical rank",
            "1 or more",
            R,
        ),
    ),
    **named(
        "shape",
        "kappa_eff",
        blocks(
            "Effective condition number",
            "Largest variance in {w} over the one that completes 99 % of the energy.",
            "λ₁ / λ_k99 of S_{w}",
            "1 or more; compare with isotropic data",
            R,
        ),
    ),
    **named(
        "shape",
        "rank",
        blocks(
            "Numerical rank",
            "Residual eigenvalues in {w} that are not rounding.",
            "λ > 10⁻¹⁰ λmax",
            "0 to d",
            PROJECT,
        ),
    ),
    "shape.bias_noise_angle": Term(
        "Bias-noise angle",
        "Angle of the bias in V to the residual's leading direction there; only an angle below the band of "
        "random directions says anything.",
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
    **named(
        "shape",
        "eigenvalues",
        blocks(
            "Residual spectrum",
            "Variances of the residual along its own axes in {w}.",
            "eigenvalues of S_{w}, largest first",
            ENERGY,
            R,
        ),
    ),
}
