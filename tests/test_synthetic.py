"""The generator with known answers, and the core read against them."""

from __future__ import annotations

import numpy as np
import pytest

import realign_core as rc
from realign_core.diagnostics import diagnose
from realign_core.samples.synthetic import known_pair

CHOICES = {
    "plain": {},
    "bias in V along its noise": {"cob": 0.5, "pmb": 0.0, "angle": 20.0},
    "round residual": {"residual_u": (0.02, 0.02), "residual_v": (0.02, 0.02)},
    "other sizes": {"n": 300, "dim": 40, "rank": 25, "signal_decay": 0.3, "seed": 4},
}


def read(known, energy):
    data = rc.EmbeddingPair.from_arrays(known.target, known.source, paired="yes", normalize=False)
    return diagnose(data, energy=energy)


def energy_of(known):
    """An energy threshold that cuts behind the known rank."""
    pooled = np.sort(np.linalg.eigvalsh(2 * known.covariance))[::-1]
    share = np.cumsum(pooled) / pooled.sum()
    return float(share[known.rank - 1] + share[known.rank - 2]) / 2


@pytest.mark.parametrize("name", CHOICES)
def test_the_diagnosis_reads_what_was_chosen(name):
    options = {"n": 200, "dim": 24, "rank": 10, **CHOICES[name]}
    known = known_pair(options.pop("n"), options.pop("dim"), **options)
    found, rank = read(known, energy_of(known)), known.rank
    pmb, cob = options.get("pmb", 0.6), options.get("cob", 0.3)
    in_u, in_v = known.residual[:rank], known.residual[rank:]
    assert found.frame.rank == rank
    assert found.gap.centroid_distance == pytest.approx(np.hypot(pmb, cob))
    assert found.gap.sampling_floor == pytest.approx(np.sqrt(known.residual.sum() / len(known.target)))
    parts = found.decomposition
    assert (parts.pmb_norm, parts.cob_norm) == pytest.approx((pmb, cob), abs=1e-12)
    assert parts.u_residual_energy == pytest.approx(in_u.sum())
    assert parts.v_residual_energy == pytest.approx(in_v.sum())
    assert found.shape.kappa_u == pytest.approx(in_u.max() / in_u.min())
    assert found.shape.kappa_v == pytest.approx(in_v.max() / in_v.min())
    assert found.residual.anisotropy == pytest.approx(known.anisotropy)
    assert np.array(found.residual.eigenvalues) == pytest.approx(np.sort(known.residual)[::-1])
    if in_v.max() > 1.01 * in_v.min():
        assert found.shape.bias_noise_angle == pytest.approx(options.get("angle", 90.0))


def test_an_energy_that_cuts_elsewhere_reads_another_split():
    known = known_pair(200, 24, rank=10)
    assert read(known, 0.5).decomposition.u_residual_energy != pytest.approx(known.residual[:10].sum())


def test_the_drift_of_a_narrow_set_is_the_chosen_one():
    known = known_pair(
        400, 12, rank=5, pmb=0.02, cob=0.01, signal_decay=0.0, residual_u=(0.1, 0.1), mean_norm=60.0
    )
    moved = known.source - known.mean_source + known.mean_target
    mean = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).mean(axis=0)
    measured = mean - known.mean_target / np.linalg.norm(known.mean_target)
    assert np.linalg.norm(measured - known.anchor_drift) <= 0.02 * np.linalg.norm(measured)
    wide = known_pair(400, 12, rank=5, signal_decay=0.0, mean_norm=1.0)
    assert np.linalg.norm(wide.anchor_drift) > 1  # the expansion needs a spread small beside the mean


@pytest.mark.parametrize(
    ("n", "dim", "options", "words"),
    [
        (40, 20, {"rank": 5}, "more than 40 rows"),
        (100, 20, {"rank": 1}, "a rank from 2 to 18"),
        (100, 20, {"rank": 19}, "a rank from 2 to 18"),
        (100, 20, {"rank": 5, "residual_v": (9.0, 1.0)}, "smaller residual_v"),
    ],
)
def test_choices_that_cannot_be_met_are_refused(n, dim, options, words):
    with pytest.raises(rc.UnusableInput, match=words):
        known_pair(n, dim, **options)
