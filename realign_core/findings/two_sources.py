"""Sentences on two sources against one target, and beside what was published of long and short captions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from realign_core.findings.finding import Finding
from realign_core.glossary import percent, shown

if TYPE_CHECKING:
    from realign_core.diagnostics.two_sources import TwoSources

PUBLISHED_RANKS = {"images": 57.5, "long": 52.9, "short": 41.0}
PUBLISHED_GAPS = {"long": 0.51, "short": 0.39}
ALIKE = 0.02
"""Effective ranks within this share of each other are not put in order; they come without an interval."""


def source_findings(found: TwoSources, first: str, second: str) -> tuple[Finding, ...]:
    """What the figures say of the two sources, which go by the given names (`short captions`)."""
    ranks, gaps = _ranks(found, first, second), _gaps(found, first, second)
    return (gaps,) if ranks is None else (ranks, gaps)


def _ranks(found: TwoSources, first: str, second: str) -> Finding | None:
    one, two, target = (part.effective_rank for part in (found.first, found.second, found.target))
    if one is None or two is None or target is None:
        return None
    wide, narrow, most, least = (first, second, one, two) if one >= two else (second, first, two, one)
    if 1 - least / most <= ALIKE:
        text = (
            f"By effective rank, {first} and {second} use about as many directions, {shown(one)} and "
            f"{shown(two)}; the target uses {shown(target)}."
        )
        return Finding("sources", text)
    text = (
        f"By effective rank, {wide} use {shown(most)} directions and {narrow} {shown(least)}, "
        f"{percent(1 - least / most)} fewer; the target uses {shown(target)}."
    )
    return Finding("sources", text)


def _gaps(found: TwoSources, first: str, second: str) -> Finding:
    one, two, noise = found.first.gap, found.second.gap, shown(found.gap_noise_95)
    difference = shown(abs(found.gap_difference))
    if not found.gaps_differ:
        text = (
            f"Their gaps to the target, {shown(one)} and {shown(two)}, cannot be told apart: they differ by "
            f"{difference}, and sampling noise alone reaches {noise}."
        )
    else:
        near, far = (first, second) if one < two else (second, first)
        text = (
            f"{near.capitalize()} lie nearer to the target than {far}: their gap is {shown(min(one, two))} "
            f"against {shown(max(one, two))}, and sampling noise explains a difference of {noise} at most."
        )
    return Finding("sources", text)


def long_and_short(found: TwoSources) -> Finding:
    """Whether short (first) and long (second) captions come in the order that [R, fig. 10] reports."""
    text = (
        "For models and captions of its own arXiv 2602.07026 (fig. 10) reports effective ranks of "
        f"{PUBLISHED_RANKS['images']} for images, {PUBLISHED_RANKS['long']} for long and "
        f"{PUBLISHED_RANKS['short']:.1f} for short captions, and gaps of {PUBLISHED_GAPS['long']} (long) and "
        f"{PUBLISHED_GAPS['short']} (short). "
    )
    images, long, short = (part.effective_rank for part in (found.target, found.second, found.first))
    if images is not None and long is not None and short is not None:
        named = {"images": images, "long captions": long, "short captions": short}
        order = sorted(named, key=lambda name: named[name], reverse=True)
        here = ", ".join(f"{name} {shown(named[name])}" for name in order)
        close = any(1 - named[b] / named[a] <= ALIKE for a, b in pairwise(order))
        if close:
            near = f"within {100 * ALIKE:.0f} % of each other"
            text += f"Here neighbours lie {near}, too close for an order: {here}. "
        else:
            which = "the same" if images > long > short else "another"
            text += f"The ranks here stand in {which} order: {here}. "
    if not found.gaps_differ:
        text += "Which captions lie further away cannot be told here."
    elif found.gap_difference < 0:
        text += "As there, long captions lie further from the images than short ones."
    else:
        text += "Unlike there, long captions lie nearer to the images than short ones."
    return Finding("published", text)
