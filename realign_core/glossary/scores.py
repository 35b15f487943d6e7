"""Scores of a mapped source z = T(y) against its target x (methods, section 5)."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.glossary.term import PROJECT, A, R, Term

_RECALL = "found when fewer than {k} rows of other groups score strictly above the best of the own group"


def _recall(k: int, reverse: bool) -> Term:
    way = "target to source" if reverse else "source to target"
    searched = "target row finds its mapped caption" if reverse else "mapped row finds its own target"
    return Term(
        f"Recall@{k}, {way}",
        f"How often a {searched} among the {k} nearest rows; higher is better.",
        _RECALL.format(k=k),
        "0 to 1; chance about k / n",
        "up",
        A,
    )


SCORES: dict[str, Term] = {
    "centroid_gap": Term(
        "Centroid gap",
        "How far the mapped source's mean still lies from the target's; nothing below the sampling floor "
        "is real.",
        "‖mean x − mean z‖",
        "0 to 2, length on the unit sphere",
        "down",
        R,
    ),
    "sampling_floor": Term(
        "Sampling floor of the gap",
        "The centroid gap that sampling noise alone gives; a gap of this size is as good as none. Captions "
        "of one image count as drawn together.",
        "floor² = c tr Cov(x − z) for pairs, cx Tx + cz Tz otherwise; c = 1/n judged + 1/n fitted",
        "0 or more, length",
        None,
        PROJECT,
    ),
    "sampling_floor_95": Term(
        "95 % bound of the floor",
        "Sampling noise stays under this 95 times in 100; a gap at or under it cannot be told from zero.",
        "floor · √(χ²(ν, 0.95) / ν), ν = tr(C)² / tr(C²)",
        "0 or more, length",
        None,
        PROJECT,
    ),
    "retention": Term(
        "Neighbourhood retention",
        "Share of a source row's nearest neighbours that are still its neighbours after the map; 1 keeps "
        "all.",
        "mean |Nk(y) ∩ Nk(z)| / k, cosine, self left out",
        "0 to 1; chance k / (n − 1)",
        "up",
        R,
    ),
    "omega": Term(
        "Retention at 20 (Ω)",
        "Neighbourhood retention with 20 neighbours; 1 keeps all.",
        "mean |N₂₀(y) ∩ N₂₀(z)| / 20",
        "0 to 1; chance 20 / (n − 1)",
        "up",
        A,
    ),
    "phi": Term(
        "Row cosine kept (Φ)",
        "How little each row has turned; 1 means that the map leaves every direction alone.",
        "mean cos(y, z)",
        "−1 to 1",
        "up",
        A,
    ),
    "psi": Term(
        "Similarity structure kept (Ψ)",
        "Whether rows that were alike still are: correlation of all pairwise cosines before and after; 1 "
        "is best.",
        "Pearson of cos(yi, yj) and cos(zi, zj)",
        "−1 to 1",
        "up",
        A,
    ),
    "mixing": Term(
        "Mixing rate",
        "Share of the 20 nearest rows, in both sets together, that are of the other set; best at its "
        "reference.",
        "mean over all rows of (others among 20) / 20",
        "0 to 1; chance n other / (n − 1)",
        "up",
        R,
    ),
    "mixing_source": Term(
        "Mixing around source rows",
        "Share of target rows among the 20 nearest of each mapped row; best at its reference.",
        "mean over z of (x among 20) / 20",
        "0 to 1; chance nx / (nx + nz − 1)",
        "up",
        R,
    ),
    "mixing_target": Term(
        "Mixing around target rows",
        "Share of mapped rows among the 20 nearest of each target row: whether the whole target is covered.",
        "mean over x of (z among 20) / 20",
        "0 to 1; chance nz / (nx + nz − 1)",
        "up",
        R,
    ),
    "entropy_mixing_source": Term(
        "Entropy mixing, source (Mᶻ)",
        "How evenly both sets share the neighbourhoods of mapped rows; 1 is what random labels give.",
        "mean H₂(target share of 20) / E H₂(K/k)",
        "0 to about 1",
        "up",
        A,
    ),
    "entropy_mixing_target": Term(
        "Entropy mixing, target (Mˣ)",
        "How evenly both sets share the neighbourhoods of target rows: whether the map covers the target.",
        "mean H₂(target share of 20) / E H₂(K/k)",
        "0 to about 1",
        "up",
        A,
    ),
    "cosine_js": Term(
        "Cosine divergence",
        "How far the pairwise cosines of the mapped rows are spread unlike the target's; 0 is alike.",
        "Jensen-Shannon divergence, base 2, of 200-bin histograms",
        "0 to 1",
        "down",
        R,
    ),
    "covariance_discrepancy": Term(
        "Covariance discrepancy (G)",
        "How far the mapped covariance is from the target's; two halves of one set do not read 0.",
        "‖Sx − Sz‖F / ‖Sx‖F",
        "0 or more",
        "down",
        A,
    ),
    "trace_ratio": Term(
        "Spread kept (trace ratio)",
        "Variance of the mapped rows over the target's: 1 is alike, under 0.2 the rows have collapsed.",
        "tr Sz / tr Sx",
        "0 or more; 1 is best",
        None,
        PROJECT,
    ),
    "alpha": Term(
        "Power-law exponent (α)",
        "How steeply the mapped spectrum falls; best near the target's own.",
        "minus the slope of log eigenvalue on log rank over ranks 1 to k99",
        "0 or more",
        None,
        R,
    ),
    "paired_cosine": Term(
        "Paired cosine",
        "Mean cosine of each target row and its own mapped row; a collapsed map can score high.",
        "mean cos(xi, zi)",
        "−1 to 1",
        "up",
        A,
    ),
    **{f"recall_at_{k}": _recall(k, False) for k in (1, 5, 10)},
    **{f"recall_at_{k}_reverse": _recall(k, True) for k in (1, 5, 10)},
    "zero_shot": Term(
        "Zero-shot accuracy",
        "How often a target row (image) is given its own label by the nearest class mean of the mapped "
        "source (text). Class means rest on rows that are not judged.",
        "mean [label(xi) = argmax over c of cos(xi, pc)], pc = normalise(mean of z with label c)",
        "0 to 1; chance 1 / classes",
        "up",
        "arXiv 2103.00020",
    ),
    "anisotropy": Term(
        "Residual anisotropy after the map",
        "How far the uncentred differences of pairs lean on one direction; 1 is isotropic, a bias shows as "
        "large.",
        "λmax / (tr M / d), M = mean (x − z)(x − z)ᵀ",
        "1 to d",
        None,
        A,
    ),
}
