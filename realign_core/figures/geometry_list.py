"""The figures of a diagnosis with their words and tables."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.diagnostics import Diagnosis
from realign_core.figures.described import NO_VALUE, Described, Rows
from realign_core.figures.energy import PARTS, energy_parts, energy_split, residual_energy
from realign_core.figures.shape import bias_noise_angles, condition_numbers, subspace_overlap
from realign_core.figures.spectra import modality_spectra, residual_spectra
from realign_core.glossary import listed, percent, shown, term

SHOWN_RANKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

_PARTS_READING = (
    "The parts add up to the mean squared distance of a pair. Bias is one shift for all rows, which a "
    "method can take away; the residual differs from pair to pair, and no shift removes it."
)
_BIAS_READING = (
    "The two parts add up to the squared distance of the means: one shift for all rows. What differs from "
    "pair to pair cannot be seen without pairs."
)


def geometry_figures(diagnosis: Diagnosis) -> tuple[Described, ...]:
    """Parts of the gap, spectra, angles, condition numbers and shared geometry, in reading order."""
    return (
        _energy(diagnosis),
        _residual_spectra(diagnosis),
        _residual_energy(diagnosis),
        _angles(diagnosis),
        _conditions(diagnosis),
        _overlap(diagnosis),
        _modalities(diagnosis),
    )


def _energy(diagnosis: Diagnosis) -> Described:
    parts = energy_parts(diagnosis)
    total = sum(parts.values())
    rows = tuple(
        (PARTS[key], shown(value), percent(value / total if total else None)) for key, value in parts.items()
    )
    paired = len(parts) == 4
    return Described(
        "energy",
        "Four parts of the gap" if paired else "Bias of the gap, in U and in V",
        _PARTS_READING if paired else _BIAS_READING,
        f"Stacked bar of {shown(total)} in all: "
        + listed([f"{name} {share}" for name, _, share in rows])
        + ".",
        ("part", "energy", "share"),
        (*rows, ("together", shown(total), percent(1.0 if total else None))),
        (
            "decomposition.total_energy",
            "decomposition.pmb_norm",
            "decomposition.cob_norm",
            "decomposition.u_residual_energy",
            "decomposition.v_residual_energy",
            "frame.rank",
        ),
        lambda dark: energy_split(diagnosis, dark=dark),
        wide=True,
    )


def _spectrum_rows(spectra: list[list[float]], digits: int = 3) -> Rows:
    longest = max(map(len, spectra), default=0)
    return tuple(
        (str(rank), *(shown(s[rank - 1], digits) if rank <= len(s) else "–" for s in spectra))
        for rank in SHOWN_RANKS
        if rank <= longest
    )


def _residual_spectra(diagnosis: Diagnosis) -> Described:
    shape, alt = diagnosis.shape, NO_VALUE
    rows: tuple[tuple[str, ...], ...] = ()
    if shape.kappa_eff_u is not None:
        blocks = [values for values in (shape.eigenvalues_u, shape.eigenvalues_v) if values]
        over = [[v / (sum(values) / len(values)) for v in values] for values in blocks if sum(values) > 0]
        rows = _spectrum_rows([*over, *[[]] * (2 - len(over))])
        alt = "The largest residual variance is " + listed(
            [f"{shown(s[0])} times the mean in {name}" for s, name in zip(over, ("U", "V"))]
        )
        alt += ". The table gives the curve at single ranks."
    return Described(
        "residual-spectra",
        "Residual spectrum in U and in V",
        "A curve above the dashed one on the left is stretched more than round noise of this size would "
        "look.",
        alt,
        ("rank", "in U, over its mean", "in V, over its mean"),
        rows,
        ("shape.eigenvalues_u", "shape.eigenvalues_v", "isotropic.anisotropy"),
        lambda dark: residual_spectra(diagnosis, dark=dark),
    )


def _residual_energy(diagnosis: Diagnosis) -> Described:
    values, alt = diagnosis.residual.eigenvalues, NO_VALUE
    rows: tuple[tuple[str, ...], ...] = ()
    if values and diagnosis.residual.anisotropy is not None:
        total, dim = sum(values), len(values)
        shares = {k: sum(values[:k]) / total for k in SHOWN_RANKS if k <= dim}
        rows = tuple((str(k), percent(k / dim), percent(share)) for k, share in shares.items())
        half = next(k for k in range(1, dim + 1) if sum(values[:k]) >= total / 2)
        alt = (
            f"Half of the residual's energy lies in {half} of {dim} directions; its effective dimension is "
            f"{percent(diagnosis.residual.effective_dimension_ratio)} of d, against "
            f"{percent(diagnosis.isotropic.effective_dimension_ratio)} for round noise of this size."
        )
    return Described(
        "residual-energy",
        "How few directions hold the residual",
        "The higher the curve over the dashed one, the fewer directions carry what differs from pair to "
        "pair.",
        alt,
        ("K", "K/d", "E(K)"),
        rows,
        ("residual.effective_dimension_ratio", "residual.anisotropy", "residual.ratio_energy"),
        lambda dark: residual_energy(diagnosis, dark=dark),
    )


def _angles(diagnosis: Diagnosis) -> Described:
    shape, alt = diagnosis.shape, NO_VALUE
    rows: tuple[tuple[str, ...], ...] = ()
    angles, shares, band = shape.bias_noise_angles, shape.bias_noise_shares, shape.bias_noise_null
    if angles is not None and shares is not None and band is not None:
        below = sum(angle < band.low for angle in angles)
        alt = (
            f"The angle to the leading direction is {shown(shape.bias_noise_angle)} degrees; {below} of "
            f"{len(angles)} angles lie below the band of random directions, "
            f"{shown(band.low)} to {shown(band.high)} degrees."
        )
        rows = tuple(
            (str(i), f"{shown(angle)}°", percent(share))
            for i, (angle, share) in enumerate(zip(angles, shares), 1)
        )
    return Described(
        "bias-noise",
        "Does the bias in V follow the noise there?",
        "Random directions are near 90° too when V is large: only a dot below the band says that it does.",
        alt,
        ("direction", "angle", "share of COB²"),
        rows,
        ("shape.bias_noise_angle", "shape.bias_noise_null", "shape.bias_noise_shares"),
        lambda dark: bias_noise_angles(diagnosis, dark=dark),
    )


def _conditions(diagnosis: Diagnosis) -> Described:
    keys = ("kappa_u", "kappa_v", "kappa_eff_u", "kappa_eff_v")
    rows = tuple(
        (
            term(f"shape.{key}").label,
            shown(getattr(diagnosis.shape, key)),
            shown(getattr(diagnosis.isotropic, key)),
        )
        for key in keys
        if getattr(diagnosis.shape, key) is not None
    )
    return Described(
        "conditions",
        "How stretched the residual is",
        "Only the distance from the open dot is a finding: with few rows, round noise looks stretched as "
        "well.",
        "; ".join(f"{label} {measured}, isotropic {reference}" for label, measured, reference in rows) + "."
        if rows
        else NO_VALUE,
        ("figure", "measured", "isotropic"),
        rows,
        tuple(f"shape.{key}" for key in keys),
        lambda dark: condition_numbers(diagnosis, dark=dark),
    )


def _overlap(diagnosis: Diagnosis) -> Described:
    shared = diagnosis.shared
    rows = tuple(
        (q, shown(value), shown(shared.subspace_overlap_baseline[q]))
        for q, value in shared.subspace_overlap.items()
        if value is not None
    )
    return Described(
        "overlap",
        "Do the two sets use the same directions?",
        "Above the dashed line they share more than unrelated sets would; 1 is the same subspace.",
        "Overlap of the leading q directions: "
        + "; ".join(f"{o} at q = {q} ({b} by chance)" for q, o, b in rows)
        + "."
        if rows
        else NO_VALUE,
        ("q", "overlap", "by chance"),
        rows,
        ("shared.subspace_overlap", "shared.spectral_correlation", "shared.covariance_discrepancy"),
        lambda dark: subspace_overlap(diagnosis, dark=dark),
    )


def _modalities(diagnosis: Diagnosis) -> Described:
    shared, iso = diagnosis.shared, diagnosis.isotropic
    names = (
        ("power-law exponent α", shared.alpha_target, shared.alpha_source, iso.alpha),
        ("effective rank", shared.effective_rank_target, shared.effective_rank_source, None),
        ("condition number", shared.kappa_target, shared.kappa_source, None),
    )
    return Described(
        "modalities",
        "Spectra of target and source",
        "Steeper means that fewer directions carry the set. Dotted lines are the fitted power laws; the "
        "fall at the end is where rows run out.",
        f"Power-law exponents: target {shown(shared.alpha_target)}, source {shown(shared.alpha_source)}, "
        f"round noise of this size {shown(iso.alpha)}. Effective ranks "
        f"{shown(shared.effective_rank_target)} and {shown(shared.effective_rank_source)}.",
        ("figure", "target", "source", "isotropic"),
        tuple((name, *map(shown, values)) for name, *values in names),
        (
            "shared.alpha_target",
            "shared.effective_rank_target",
            "shared.kappa_target",
            "shared.spectral_correlation",
        ),
        lambda dark: modality_spectra(diagnosis, dark=dark),
    )
