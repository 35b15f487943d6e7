"""Each of the four findings on runs that show it, and on runs that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trajectories import World, white

import realign_core as rc
from realign_core.findings import training_findings
from realign_core.findings.training import FEWEST_STEPS
from realign_core.glossary.numbers import MISSING

WORLD = World.of(dim=64, n=800)
NARROW = 0.02 / np.arange(1, 61) ** 1.5
ROUND = np.full(60, 0.001)


def findings_of(gammas, noise_u=(0.4, 0.1, 0.02, 0.01), noise_v=NARROW, grads=None, reference_step=0):
    """A run whose bias in V goes through `gammas`, a step each."""
    tracker = rc.GapTracker(reference_step=reference_step, normalize=False)
    for step, gamma in enumerate(gammas):
        rows = WORLD.rows(gamma, noise_u=noise_u, noise_v=noise_v, seed=step)
        given = None if grads is None else grads(*rows, step)
        tracker.update(step, *rows, given, given, loss=1.0)
    return {finding.topic: finding.text for finding in training_findings(tracker.to_frame())}


def drawn(basis, variances, step):
    return white(500, len(variances), np.random.default_rng(step)) * np.sqrt(variances) @ basis.T


def test_gradients_that_are_all_zero_are_told_from_none():
    zero = findings_of(still(), grads=lambda x, y, step: 0 * x)
    assert zero["leakage"].startswith("Cannot be said: the gradients of the embeddings are there and all of")
    assert "without gradients of the embeddings" in findings_of(still())["leakage"]


def still(steps=6):
    """A bias alike in every direction of V but the first, which barely moves."""
    gamma = np.full(60, 0.3)
    gamma[0] = 0
    return [gamma * (1 + 0.01 * step) for step in range(steps)]


def along_the_residual(x, y, step):
    return 1e-3 * (x - y - (x - y).mean(axis=0)) @ WORLD.u @ WORLD.u.T


def in_v(x, y, step):
    return drawn(WORLD.v, np.ones(60), step)


def everywhere(x, y, step):
    return drawn(WORLD.q, np.ones(64), step)


def backwards(x, y, step):
    return drawn(WORLD.u, [1, 2, 3, 4], step)


def test_a_run_that_shows_all_four():
    found = findings_of(still(), grads=along_the_residual)
    assert list(found) == ["leakage", "stability", "locking", "decoupling"]
    assert all(text.startswith("Shown: ") for text in found.values()), found
    assert "no evidence of decoupling" in found["decoupling"]
    assert "holds by construction" in found["leakage"]


@pytest.mark.parametrize("grads", [in_v, everywhere])
def test_gradients_that_leave_u_are_named(grads):
    text = findings_of(still(), grads=grads)["leakage"]
    assert text.startswith("Not shown: gradients leave U.")
    assert "in 0\u00a0% of the steps" in text


def test_leakage_as_low_as_chance_is_no_finding():
    # At d - r = 4 of 64 even gradients without a direction leak 0.25, which is under the plain threshold.
    gradless = rc.GapTracker(reference_step=0, energy=0.9999)
    frame = pd.DataFrame(
        {
            "step": range(4),
            "frozen": True,
            "n": 800,
            "dim": 64,
            "rank": 60,
            "leakage": 0.25,
            "sin_theta": 0.1,
            "coupling_norm": 0.1,
            "remainder": 0.2,
            "leakage_bound": 0.4,
        }
    )
    rest = findings_frame(gradless)
    text = training_findings(frame.join(rest[[name for name in rest if name not in frame]]))[0].text
    assert text.startswith("Not shown: gradients leave U.")


def findings_frame(tracker):
    for step, gamma in enumerate(still(4)):
        tracker.update(step, *WORLD.rows(gamma, noise_v=NARROW, seed=step))
    return tracker.to_frame()


def test_without_gradients_neither_leakage_nor_locking_is_claimed():
    found = findings_of(still())
    assert found["leakage"].startswith("Cannot be said: ")
    assert found["locking"].startswith("Shown in part: ")
    assert "nothing is known of locking" in found["locking"]


def test_a_bias_that_wanders_is_not_stable():
    generator = np.random.default_rng(4)
    text = findings_of(list(generator.standard_normal((6, 60))))["stability"]
    assert text.startswith("Not shown: the bias in V does not keep its direction")


def test_a_steady_bias_that_goes_far_is_stable_and_not_slow():
    text = findings_of([gamma * (1 + step) for step, gamma in enumerate(still())])["stability"]
    assert text.startswith("Shown in part: the bias in V keeps its direction")
    assert "too far to be called slow" in text


def test_a_bias_within_noise_has_no_direction_to_keep():
    text = findings_of([np.zeros(60)] * 6)["stability"]
    assert text.startswith("Cannot be said: ")


def test_round_residuals_have_no_shape():
    text = findings_of(still(), noise_u=(0.1,) * 4, noise_v=ROUND, grads=everywhere)["locking"]
    assert text.startswith("Not shown: ")
    assert text.count("no shape to speak of") == 2
    # Gradients and residuals that are both flat but for rounding still correlate by chance.
    assert "locked" in text or "nothing is known" in text


def test_gradients_with_the_spectrum_turned_round_are_not_locked():
    text = findings_of(still(), grads=backwards)["locking"]
    assert text.startswith("Shown in part: ")
    assert "so they are not locked" in text


def test_a_bias_along_the_noise_is_aligned():
    gamma = np.zeros(60)
    gamma[0] = 2
    text = findings_of([gamma] * 6)["decoupling"]
    assert text.startswith("Not shown: ")
    assert "lean towards each other" in text


def test_a_wide_band_makes_no_evidence_of_either():
    world = World.of(dim=7, n=800)
    tracker = rc.GapTracker(reference_step=0, normalize=False)
    for step in range(4):
        tracker.update(step, *world.rows((1.0, 1, 0), noise_v=(0.02, 0.002, 0.001), seed=step))
    text = training_findings(tracker.to_frame())[3].text
    assert text.startswith("Not shown: ")
    assert "no evidence of alignment either" in text


@pytest.mark.parametrize("frame", [pd.DataFrame(), None])
def test_too_few_steps_say_nothing(frame):
    if frame is None:
        found = findings_of(still(FEWEST_STEPS + 1), reference_step=2)
    else:
        found = {finding.topic: finding.text for finding in training_findings(frame)}
    assert len(found) == 4
    assert all(text.startswith("Cannot be said: ") for text in found.values())


@pytest.mark.parametrize("grads", [None, in_v, everywhere, along_the_residual, backwards])
@pytest.mark.parametrize("noise", [ROUND, NARROW, ROUND * 0])
def test_every_run_speaks_in_whole_sentences(grads, noise):
    for text in findings_of(still(), noise_v=noise, grads=grads).values():
        assert text.endswith("."), text
        assert not any(word in text for word in ("nan", "None", "inf ", MISSING)), text
