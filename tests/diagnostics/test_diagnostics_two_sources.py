"""Two sources against one target: the figures of each, and whether the sample tells their gaps apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realign_core.diagnostics import diagnose
from realign_core.diagnostics.two_sources import Spread, compare_sources
from realign_core.findings import long_and_short, source_findings
from realign_core.load import EmbeddingPair
from realign_core.validation import UnusableInput


def rows(seed: int, *, n: int = 400, d: int = 12, used: int = 12) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((n, d))
    noise[:, used:] *= 0.05
    return noise


TARGET = rows(0)


def against(target: np.ndarray, shift: float, seed: int, used: int = 12):
    """A source apart from the target by a shift, which varies in `used` directions."""
    source = 0.3 * target + rows(seed, n=len(target), used=used) + shift * np.eye(12)[0]
    return diagnose(EmbeddingPair.from_arrays(target + 2 * np.eye(12)[1], source, paired="yes"))


def test_figures_are_those_of_either_diagnosis():
    first, second = against(TARGET, 3.0, 1), against(TARGET, 1.0, 2)
    two = compare_sources(first, second)
    assert two.first.gap == first.gap.centroid_distance
    assert two.second.trace == second.gap.trace_source
    assert two.second.effective_rank == second.shared.effective_rank_source
    assert two.target.effective_rank == pytest.approx(second.shared.effective_rank_target)
    assert two.gap_difference == first.gap.centroid_distance - second.gap.centroid_distance
    assert compare_sources(second, first).gap_noise_95 == pytest.approx(two.gap_noise_95)


def test_the_bound_on_the_difference_holds_over_fresh_samples():
    over = 0
    for draw in range(100):
        target = rows(1000 + draw, n=150)
        two = compare_sources(against(target, 1.0, 2 * draw + 1), against(target, 1.0, 2 * draw + 2))
        over += two.gaps_differ
    assert over <= 5
    two = compare_sources(against(TARGET, 1.0, 1), against(TARGET, 2.0, 2))
    assert two.gaps_differ


@pytest.mark.parametrize("other", [TARGET[:300], rows(9)])
def test_other_targets_are_refused(other):
    with pytest.raises(UnusableInput, match="measured against other target rows"):
        compare_sources(against(TARGET, 1.0, 1), against(other, 1.0, 2))


def test_sentences_follow_from_the_numbers():
    two = compare_sources(against(TARGET, 1.0, 1), against(TARGET, 3.0, 2, used=4))
    ranks, gaps = (finding.text for finding in source_findings(two, "short captions", "long captions"))
    assert ranks.startswith("By effective rank, short captions use")
    assert "Short captions lie nearer to the target than long captions" in gaps
    other, back = (
        finding.text
        for finding in source_findings(
            compare_sources(against(TARGET, 3.0, 2, used=4), against(TARGET, 1.0, 1)),
            "long captions",
            "short captions",
        )
    )
    assert (other, back) == (ranks, gaps)
    alike = compare_sources(against(TARGET, 1.0, 1), against(TARGET, 1.0, 3))
    assert "cannot be told apart" in source_findings(alike, "a", "b")[1].text


def test_the_published_order_is_set_beside_this_one_whatever_it_is():
    two = compare_sources(against(TARGET, 1.0, 1), against(TARGET, 3.0, 2))
    as_there = replace(
        two,
        target=Spread(57.5, 1.0),
        first=replace(two.first, effective_rank=41.0),
        second=replace(two.second, effective_rank=52.9),
    )
    said = long_and_short(as_there).text
    assert "57.5 for images, 52.9 for long and 41.0 for short" in said
    assert "the same order: images 57.5, long captions 52.9, short captions 41.0" in said
    assert "As there, long captions lie further" in said
    turned = replace(as_there, first=as_there.second, second=as_there.first)
    said = long_and_short(turned).text
    assert "another order: images 57.5, short captions 52.9, long captions 41.0" in said
    assert "Unlike there, long captions lie nearer" in said
    unclear = replace(as_there, gap_noise_95=9.0, second=replace(two.second, effective_rank=41.5))
    assert "cannot be told here" in long_and_short(unclear).text
    assert "too close for an order: images 57.5, long captions 41.5" in long_and_short(unclear).text
    assert "about as many directions, 41.0 and 41.5" in source_findings(unclear, "a", "b")[0].text
