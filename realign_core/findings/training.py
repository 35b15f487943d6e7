"""Which of the four findings on training dynamics a run shows ([R, fig. 1]; methods, section 7).

Each is judged on the logged steps from the reference step on. [R] states the findings and no thresholds;
those below are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from realign_core.findings.finding import ROUNDING, Finding
from realign_core.glossary import percent, shown

if TYPE_CHECKING:
    import pandas as pd

FEWEST_STEPS = 3
"""Fewer logged steps from t0 on are not judged."""
LOW_LEAKAGE = 0.3
"""Leakage up to which gradients stay in U: 9 % of their energy is in V."""
OF_RANDOM = 0.5
"""Leakage must also lie under this share of what gradients without a direction would leak."""
STABLE_COSINE = 0.95
"""Median `cos(gamma(t), gamma(t - 1))` from which the direction is stable."""
SLOW_DRIFT = 0.5
"""Drift at the last step up to which it is slow: half the length that the bias had at t0."""
ANISOTROPIC = 1.5
"""`kappa_eff` over that of isotropic noise from which a residual has a shape of its own."""
LOCKED = 0.5
"""Correlation of the diagonals from which residual and gradients share their directions in U."""
NEAR_ORTHOGONAL = 75.0
"""Angle in degrees from which two directions are called nearly orthogonal."""

SHOWN, PARTLY, NOT_SHOWN, OPEN = "Shown", "Shown in part", "Not shown", "Cannot be said"


def training_findings(frame: pd.DataFrame) -> tuple[Finding, ...]:
    """The four findings in the paper's order, for the frame that `GapTracker.to_frame` gives.

    Each text begins with the verdict: Shown, Shown in part, Not shown or Cannot be said.
    """
    judges: dict[str, Callable[[pd.DataFrame], tuple[str, str]]] = {
        "leakage": _leakage,
        "stability": _stability,
        "locking": _locking,
        "decoupling": _decoupling,
    }
    late = frame[frame["frozen"].astype(bool)] if len(frame) else frame
    if len(late) < FEWEST_STEPS:
        text = (
            f"{OPEN}: {len(late)} steps were logged from the reference step on, and at least {FEWEST_STEPS} "
            "are needed; log more steps or freeze the frame earlier."
        )
        return tuple(Finding(topic, text) for topic in judges)
    found = []
    for topic, judge in judges.items():
        verdict, text = judge(late)
        found.append(Finding(topic, f"{verdict}: {text}"))
    return tuple(found)


def _leakage(late: pd.DataFrame) -> tuple[str, str]:
    """Finding 1: embedding-level gradients stay in U, and leak about as far as U_t has turned."""
    leak = _median(late, "leakage")
    if leak is None and late["has_gradients"].astype(bool).any():
        return OPEN, "the gradients of the embeddings are there and all of them are zero: they point nowhere."
    if leak is None:
        return OPEN, "without gradients of the embeddings nothing is known of where they point."
    dim, rank = int(late["dim"].iloc[-1]), int(late["rank"].iloc[-1])
    random = math.sqrt((dim - rank) / dim)
    if random == 0:
        return OPEN, "U is the whole space at this energy, so no gradient can leave it."
    low = leak <= LOW_LEAKAGE and leak <= OF_RANDOM * random
    text = (
        f"gradients {'stay in' if low else 'leave'} U. Their leakage into V is {shown(leak)} (median), "
        f"{percent(leak**2)} of their energy; gradients without a direction would leak {shown(random)}."
    )
    explained = (late["sin_theta"] + late["coupling_norm"] >= late["leakage"])[late["leakage_bound"].notna()]
    if len(explained):
        rho = _median(late, "remainder")
        text += (
            f" The turning of U and its coupling to V allow for as much in {percent(explained.mean())} of "
            f"the steps; what they leave unexplained is {shown(rho)} of the gradients' length. The bound "
            f"that adds this, {shown(_median(late, 'leakage_bound'))}, holds by construction."
        )
    return (SHOWN if low else NOT_SHOWN), text


def _stability(late: pd.DataFrame) -> tuple[str, str]:
    """Finding 2: the constant orthogonal bias keeps its direction and drifts slowly."""
    first, last = late.iloc[0], late.iloc[-1]
    noise = math.sqrt(max(_value(first, "v_residual_energy") or 0.0, 0.0) / first["n"])
    if first["cob_norm"] <= max(noise, ROUNDING):
        return OPEN, (
            f"the bias in V had length {shown(first['cob_norm'])} at the reference step, no more than "
            f"sampling noise gives ({shown(noise)}), so it has no direction to keep."
        )
    cosine, drift = _median(late.iloc[1:], "cob_stability"), _value(last, "cob_drift")
    if cosine is None or drift is None:
        return OPEN, "the bias in V has vanished."
    stable, slow = cosine >= STABLE_COSINE, drift <= SLOW_DRIFT
    text = (
        f"the bias in V {'keeps' if stable else 'does not keep'} its direction from one logged step to the "
        f"next (cosine {shown(cosine)}, median) and has moved by {percent(drift)} of its length since step "
        f"{int(first['step'])}, {'which is slow' if slow else 'too far to be called slow'}. Its length went "
        f"from {shown(first['cob_norm'])} to {shown(last['cob_norm'])}."
    )
    return (SHOWN if stable and slow else PARTLY if stable or slow else NOT_SHOWN), text


def _locking(late: pd.DataFrame) -> tuple[str, str]:
    """Finding 3: residuals are anisotropic in U and in V, and locked to the gradients' spectrum in U."""
    parts, held = [], []
    for side in ("u", "v"):
        kappa, round_noise = (_median(late, f"kappa_eff_{side}{end}") for end in ("", "_isotropic"))
        if kappa is None or round_noise is None:
            continue
        times = kappa / round_noise
        held.append(times >= ANISOTROPIC)
        parts.append(
            f"in {side.upper()} the effective condition number is {shown(kappa)}, {shown(times)} times that "
            f"of isotropic noise{'' if held[-1] else ': no shape to speak of'}"
        )
    diagonal, sorted_ones = (_median(late, f"locking_{name}") for name in ("diagonal", "eigenvalues"))
    if diagonal is not None:
        held.append(diagonal >= LOCKED)
        parts.append(
            f"direction by direction, residual and gradients in U correlate at {shown(diagonal)}, "
            f"{'so they are locked' if held[-1] else 'so they are not locked'}"
        )
        if sorted_ones is not None:
            parts[-1] += (
                f"; their eigenvalues correlate at {shown(sorted_ones)}, which two sorted lists do anyway"
            )
    if not held:
        return OPEN, "there is no residual whose shape could be measured."
    text = _sentences(parts)
    if diagonal is None:
        text += " Without gradients that differ between directions of U nothing is known of locking."
    complete = len(held) == 3
    if not any(held):
        return NOT_SHOWN, text
    return (SHOWN if all(held) and complete else PARTLY), text


def _decoupling(late: pd.DataFrame) -> tuple[str, str]:
    """Finding 4: the constant orthogonal bias is nearly orthogonal to the leading residual direction in V."""
    angle = _median(late, "bias_noise_angle")
    low, high = (_median(late, f"bias_noise_null_{end}") for end in ("low", "high"))
    if angle is None or low is None or high is None:
        return OPEN, "bias or noise in V is too small to have a direction."
    text = f"the bias in V stands at {shown(angle)}° (median) to the leading residual direction there"
    band = f"{shown(low)}° to {shown(high)}°"
    if angle < low:
        return (
            NOT_SHOWN,
            f"{text}, below the {band} of random directions: bias and noise lean towards each other.",
        )
    if angle < NEAR_ORTHOGONAL:
        return NOT_SHOWN, (
            f"{text}, which is not near 90°; a random direction gives {band}, so it is no evidence of "
            "alignment either."
        )
    return SHOWN, (
        f"{text}, nearly orthogonal as the paper reports. A random direction gives {band}, so this is no "
        "evidence of decoupling, only none of alignment."
    )


def _median(frame: pd.DataFrame, column: str) -> float | None:
    """Median of the steps that have the figure; None where none has."""
    values = frame[column].dropna()
    return float(values.astype(float).median()) if len(values) else None


def _value(row: pd.Series, column: str) -> float | None:
    value = row[column]
    return None if value is None or math.isnan(value) else float(value)


def _sentences(parts: list[str]) -> str:
    first, *rest = parts
    return " ".join([f"{first}.", *(f"{part[0].upper()}{part[1:]}." for part in rest)])
