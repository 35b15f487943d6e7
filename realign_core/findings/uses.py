"""Sentences on what closing the gap does to retrieval and zero-shot classification, the costs first."""

from __future__ import annotations

from collections.abc import Sequence

from realign_core.comparison import Comparison, Difference, differences
from realign_core.comparison.usefulness import USES
from realign_core.findings.finding import Finding
from realign_core.findings.methods import LABELS, named, sentence
from realign_core.glossary import count, listed, share, shown

WHAT = {
    **{f"recall_at_{k}": f"text-to-image recall@{k}" for k in (1, 5, 10)},
    **{f"recall_at_{k}_reverse": f"image-to-text recall@{k}" for k in (1, 5, 10)},
    "zero_shot": "zero-shot accuracy",
}
"""The target is the image set and the source the text (methods, section 0)."""
CONTROL = "random_target"
"""What it loses is what it is there to show, so it is no news."""

Found = dict[str, dict[str, Difference]]


def use_findings(comparison: Comparison, scores: Sequence[str] = USES) -> tuple[Finding, ...]:
    """A sentence for each method that pays, then for each that gains, then what the sample leaves open.

    Their topics are `costs` and, for the rest, `uses`. Empty without pairs, or without held-out rows
    to judge them on.
    """
    found = _judged(comparison, scores)
    if not any(found.values()):
        return ()
    costs = sorted(
        ((name, lost) for name in found if (lost := _of(found, name, "loss"))),
        key=lambda entry: entry[1][0].change,
    )
    texts = [_cost(comparison, name, lost, found) for name, lost in costs]
    if texts:
        texts[0] = f"Largest cost: {texts[0]}"
    paid = {name for name, _ in costs}
    gains = sorted(
        ((name, won) for name in found if name not in paid and (won := _of(found, name, "gain"))),
        key=lambda entry: -entry[1][0].change,
    )
    others = [_gain(comparison, name, won) for name, won in gains]
    others += _open(comparison, found, [*paid, *(name for name, _ in gains)])
    others += _chance(comparison, found)
    return (
        *(Finding("costs", sentence(text)) for text in texts),
        *(Finding("uses", sentence(text)) for text in others),
    )


def largest_cost(comparison: Comparison, scores: Sequence[str] = USES) -> Difference | None:
    """The largest loss that the sample resolves, of any method but the control; None without one."""
    losses = [
        one
        for by_score in _judged(comparison, scores).values()
        for one in by_score.values()
        if one.verdict == "loss"
    ]
    return min(losses, key=lambda one: one.change, default=None)


def cost_warning(comparison: Comparison) -> tuple[str, str] | None:
    """What must not be overlooked: the largest cost in full, and the other methods' in short; None without.

    The figures are held-out; the same in-sample stand beside them where the untouched source was judged so.
    """
    worst = largest_cost(comparison)
    if worst is None:
        return None
    lead = sentence(f"{_moved(comparison, worst.method, 'but')} {_change(worst, 'lowers')}.")
    if worst.in_sample is not None:
        before, after = worst.in_sample
        rows = count(comparison.judged["in_sample_target"])
        lead += f" In-sample, among {rows} pairs, it goes from {share(before)} to {share(after)}."
    found = _judged(comparison, USES)
    others = {name: lost[0] for name in found if name != worst.method and (lost := _of(found, name, "loss"))}
    parts = [
        f"{LABELS.get(name, name)} {share(one.change, signed=True)} ({_bounds(one)}) in {WHAT[one.score]}"
        for name, one in sorted(others.items(), key=lambda entry: entry[1].change)
    ]
    return lead, f"Also beyond sampling noise: {'; '.join(parts)}." if parts else ""


def _judged(comparison: Comparison, scores: Sequence[str]) -> Found:
    found = differences(comparison, scores)
    return {name: by_score for name, by_score in found.items() if name != CONTROL}


def _of(found: Found, name: str, verdict: str) -> list[Difference]:
    """The resolved losses or gains of a method, the largest first."""
    chosen = [one for one in found[name].values() if one.verdict == verdict]
    return sorted(chosen, key=lambda one: -abs(one.change))


def _cost(comparison: Comparison, name: str, lost: list[Difference], found: Found) -> str:
    text = (
        f"{_moved(comparison, name, 'but')} {listed([_change(lost[0], 'lowers'), *map(_change, lost[1:])])}"
    )
    won = _of(found, name, "gain")
    return text + (f"; it {listed([_change(won[0], 'raises'), *map(_change, won[1:])])}." if won else ".")


def _gain(comparison: Comparison, name: str, won: list[Difference]) -> str:
    return f"{_moved(comparison, name, 'and')} {listed([_change(won[0], 'raises'), *map(_change, won[1:])])}."


def _moved(comparison: Comparison, name: str, turn: str) -> str:
    """What a method does to the gap, as the start of a sentence that goes on with a loss (but) or a gain."""
    base = comparison.untouched
    before = None if base is None else base.held_out.get("centroid_gap")
    after, label = comparison.fitted[name].held("centroid_gap"), LABELS.get(name, name)
    if before is None or after is None:
        return f"{label} maps the source and"
    if after >= before:
        return f"{label} leaves the gap at {shown(after)} (untouched {shown(before)}) and"
    verb = "closes" if after < before / 2 else "narrows"
    return f"{label} {verb} the gap from {shown(before)} to {shown(after)} {turn}"


def _change(one: Difference, verb: str = "") -> str:
    text = (
        f"{WHAT[one.score]} from {share(one.before)} to {share(one.after)} "
        f"({share(one.change, signed=True)}, 95 % interval {_bounds(one)})"
    )
    return f"{verb} {text}".strip()


def _bounds(one: Difference) -> str:
    return f"{share(one.low, signed=True)} to {share(one.high, signed=True)}"


def _open(comparison: Comparison, found: Found, settled: list[str]) -> list[str]:
    """Methods of which this sample resolves neither a loss nor a gain."""
    told = {
        name: [one for one in by_score.values() if not one.at_chance]
        for name, by_score in found.items()
        if name not in settled
    }
    names = [name for name, judged in told.items() if judged]
    if not names:
        return []
    scores = list(dict.fromkeys(one.score for name in names for one in told[name]))
    rows = count(comparison.judged["held_out_target"])
    what = listed([WHAT[score] for score in scores], "or")
    widest = max((one for name in names for one in told[name]), key=lambda one: one.high - one.low)
    return [
        f"no change resolved in {what} for {named(names)}: the 95 % intervals of the difference from "
        f"untouched hold 0 on these {rows} pairs (widest {_bounds(widest)})."
    ]


def _chance(comparison: Comparison, found: Found) -> list[str]:
    """Where zero-shot says nothing, it must not be read."""
    judged = [by_score["zero_shot"] for by_score in found.values() if "zero_shot" in by_score]
    if not judged or not all(one.at_chance for one in judged):
        return []
    counts = comparison.classes["held_out"]
    ends = dict.fromkeys((share(counts.chance), share(counts.largest_share)))
    return [
        f"zero-shot accuracy says nothing here: it reads {share(judged[0].before)} untouched, and guessing "
        f"among {counts.classes} classes {' to '.join(ends)}."
    ]
