"""Sentences on what the methods do, and on published claims that do not hold on these data."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.comparison import COLLAPSED_BELOW, Comparison, MethodResult
from realign_core.findings.contest import best_method, may_win, unresolved_from
from realign_core.findings.finding import ROUNDING, Finding
from realign_core.glossary import SCORES, listed, percent, share, shown

LABELS = {
    "identity": "the untouched source",
    "mean_shift": "mean shift",
    "c3": "C3",
    "anchor_trace": "anchor + trace",
    "realign": "ReAlign",
    "rotation": "rotation",
    "blockwise": "blockwise",
    "gaussian_ot": "Gaussian OT",
    "anisoalign": "AnisoAlign",
    "procrustes": "Procrustes",
    "random_target": "a random target row",
}
CONTESTS = {
    "omega": "the neighbourhoods of the source",
    "entropy_mixing_target": "coverage of the target",
    "recall_at_1": "retrieval from source to target",
    "recall_at_1_reverse": "retrieval from target to source",
}
PUBLISHED_RETENTION = {"realign": 0.873, "blockwise": 0.101}
RETENTION_APART = 0.1
PUBLISHED_ABOVE_REALIGN = {"psi": (0.983, 0.836), "entropy_mixing_target": (0.337, 0.305)}
"""AnisoAlign and ReAlign in [A, fig. 6, 7]: other data, so the order is the claim."""


def method_findings(comparison: Comparison) -> tuple[Finding, ...]:
    """Collapsed and failed methods, the best of each contest, gaps at their floor, and the trade-off."""
    before = [_collapsed(comparison), _failed(comparison), _gaps(comparison)]
    winners = {}
    contests = []
    for score, what in CONTESTS.items():
        best = best_method(comparison, score)
        if best is not None:
            winners[score] = best
            contests.append(Finding("methods", _contest(comparison, score, what, best), score))
    after = [_trade_off(comparison, winners)]
    plain, last = (tuple(Finding("methods", text) for text in part if text) for part in (before, after))
    return (*plain, *contests, *last)


def named(names: list[str] | tuple[str, ...]) -> str:
    """Methods' names in a sentence."""
    return listed([LABELS.get(name, name) for name in names])


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def _scores(method: MethodResult) -> dict[str, float | None]:
    return method.held_out or method.in_sample


def _collapsed(comparison: Comparison) -> str | None:
    gone = [method for method in comparison.methods.values() if method and method.collapsed]
    if not gone:
        return None
    ratios = listed([percent(_scores(method)["trace_ratio"]) for method in gone])
    return sentence(
        f"{named([method.name for method in gone])} {'has' if len(gone) == 1 else 'have'} collapsed: "
        f"{ratios} of the target's variance {'is' if len(gone) == 1 else 'are'} left (under "
        f"{percent(COLLAPSED_BELOW)}), so no other score counts there."
    )


def _failed(comparison: Comparison) -> str | None:
    names = [name for name, method in comparison.methods.items() if method is None]
    return sentence(f"{named(names)} could not be fitted; the notes say why.") if names else None


def _gaps(comparison: Comparison) -> str | None:
    """Which competing methods close the gap down to sampling noise on held-out rows."""
    closed: dict[str, float] = {}
    open_: dict[str, float] = {}
    for name, method in comparison.fitted.items():
        gap, floor = method.held("centroid_gap"), method.held("sampling_floor_95")
        if gap is None or floor is None or name == "identity" or not may_win(method, "centroid_gap"):
            continue
        (closed if gap <= max(floor, ROUNDING) else open_)[name] = gap
    texts = []
    if closed:
        smallest, largest = min(closed.values()), max(closed.values())
        ends = [shown(gap) if gap > ROUNDING else "0" for gap in (smallest, largest)]
        text = (
            f"{named(tuple(closed))} {'closes' if len(closed) == 1 else 'close'} the centroid gap down to "
            f"sampling noise on held-out rows ({' to '.join(dict.fromkeys(ends))})"
        )
        texts.append(text + (", so the gap cannot rank them." if len(closed) > 1 else "."))
    if open_:
        parts = [f"{LABELS.get(n, n)} {shown(gap)}" for n, gap in open_.items()]
        texts.append(
            f"{'A gap beyond' if closed else 'On held-out rows a gap beyond'} noise is left by "
            f"{listed(parts)}."
        )
    return sentence(" ".join(texts)) or None


def _contest(comparison: Comparison, score: str, what: str, best: str) -> str:
    value = comparison.fitted[best].held(score)
    text = f"On {what}, {LABELS.get(best, best)} reads highest ({shown(value)}, held-out)"
    tied = unresolved_from(comparison, best, score)
    others = [
        name
        for name, method in comparison.methods.items()
        if method and name not in (best, *tied) and may_win(method, score) and score in method.replicates
    ]
    if tied:
        text += f"; this sample cannot tell it from {named(tied)}"
    elif others:
        text += ", beyond what sampling leaves open"
    return text + "."


def _trade_off(comparison: Comparison, winners: dict[str, str]) -> str | None:
    if len(winners) < 3 or len(set(winners.values())) == 1:
        return None
    tied = [{best, *unresolved_from(comparison, best, score)} for score, best in winners.items()]
    if set.intersection(*tied):
        return None
    return "No method is best, or level with the best, everywhere: choose by what the use needs."


def published_findings(comparison: Comparison) -> tuple[Finding, ...]:
    """Claims of the papers that fail on these data; one that holds is not mentioned."""
    found = (
        _effective_condition(comparison),
        *(_retention(comparison, name, claim) for name, claim in PUBLISHED_RETENTION.items()),
        _in_sample_gap(comparison),
        _trace_step(comparison),
        _above_realign(comparison),
        _spectral_correlation(comparison),
    )
    return tuple(Finding("published", text) for text in found if text)


def _effective_condition(comparison: Comparison) -> str | None:
    shape, reference = comparison.diagnosis.shape, comparison.diagnosis.isotropic
    if shape.kappa_eff_u is None or shape.kappa_eff_v is None:
        return None
    fails = []
    if shape.kappa_eff_u < 1e3:
        fails.append(f"in U it is {shown(shape.kappa_eff_u)}, not above 1 000")
    if shape.kappa_eff_v < 10:
        fails.append(f"in V it is {shown(shape.kappa_eff_v)}, not above 10")
    elif reference.kappa_eff_v and shape.kappa_eff_v < 2 * reference.kappa_eff_v:
        fails.append(
            f"in V it is {shown(shape.kappa_eff_v)}, but round noise of this size already reads "
            f"{shown(reference.kappa_eff_v)}"
        )
    if not fails:
        return None
    return (
        f"Published residuals are strongly stretched by effective condition number; here {'; '.join(fails)}."
    )


def _retention(comparison: Comparison, name: str, claim: float) -> str | None:
    method = comparison.methods.get(name)
    kept = None if method is None else _scores(method).get("retention")
    if kept is None:
        return None
    # ReAlign is said to keep much and blockwise little: only the contrary is worth a sentence.
    beyond = (claim - kept) * (1 if name == "realign" else -1)
    if beyond <= RETENTION_APART:
        return None
    text = (
        f"Published retention of {LABELS[name]} is {percent(claim)}; here it keeps "
        f"{percent(kept)} of the {comparison.settings.k} nearest neighbours"
    )
    if name == "blockwise":
        text += "; the shrinkage of its inverted covariances is the difference to look at"
    return text + "."


def _in_sample_gap(comparison: Comparison) -> str | None:
    method = comparison.methods.get("realign")
    if not method or not method.held_out:
        return None
    inside, outside = method.in_sample["centroid_gap"], method.held_out["centroid_gap"]
    if inside is None or outside is None or outside <= max(5 * inside, ROUNDING):
        return None
    floor = method.held_out.get("sampling_floor")
    return (
        f"ReAlign's published gap is an in-sample figure: here {shown(inside)} in-sample becomes "
        f"{shown(outside)} "
        f"on rows not fitted on" + (f", where sampling noise alone gives {shown(floor)}." if floor else ".")
    )


def _trace_step(comparison: Comparison) -> str | None:
    """Whether ReAlign's further steps show in any score beside a plain mean shift."""
    pair = "realign", "mean_shift"
    fitted = comparison.fitted
    if not all(name in fitted and fitted[name].held_out for name in pair):
        return None
    scores = [
        score
        for score in (
            "centroid_gap",
            "omega",
            "entropy_mixing_source",
            "entropy_mixing_target",
            "recall_at_1",
        )
        if comparison.difference(*pair, score) is not None
    ]
    if not scores or any(comparison.resolved(*pair, score) for score in scores):
        return None
    return "ReAlign cannot be told from a plain mean shift here, in gap, neighbourhoods" + (
        ", mixing or recall." if "recall_at_1" in scores else " or mixing."
    )


def _above_realign(comparison: Comparison) -> str | None:
    """Whether AnisoAlign lies above ReAlign in each score in which its paper says so."""
    pair = "anisoalign", "realign"
    fails = []
    for score, (ours, theirs) in PUBLISHED_ABOVE_REALIGN.items():
        found = comparison.difference(*pair, score)
        if found is None:
            continue
        point, low, high = found
        if low > 0:
            continue
        verdict = "below" if high < 0 else "not to be told apart"
        bounds = f"{share(low, signed=True)} to {share(high, signed=True)}"
        fails.append(
            f"{SCORES[score].label} {ours} against {theirs}, here {verdict} "
            f"({share(point, signed=True)}, 95 % interval {bounds})"
        )
    if not fails:
        return None
    return f"AnisoAlign is published above ReAlign: {'; '.join(fails)}."


def _spectral_correlation(comparison: Comparison) -> str | None:
    shared = comparison.diagnosis.shared
    overlap, even = shared.subspace_overlap.get("64"), shared.subspace_overlap_baseline.get("64")
    if shared.spectral_correlation is None or overlap is None or shared.spectral_correlation < 0.95:
        return None
    if overlap > 0.5:
        return None
    return (
        f"A spectral correlation of {shown(shared.spectral_correlation)} is no sign of shared geometry: "
        f"sorted spectra always correlate, while the leading 64 directions overlap by {shown(overlap)} "
        f"({shown(even)} by chance)."
    )
