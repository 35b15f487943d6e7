"""The prior over phases: its statistics, the drift as a gradient, and the score against the analytic one."""

import itertools
import math

import numpy as np
import pytest
import torch

from realign_core.alignment.aniso.networks import Training, train, wrapped_score
from realign_core.alignment.aniso.polar import Polar, wrap
from realign_core.alignment.aniso.potential import PhasePotential
from realign_core.alignment.aniso.prior import NoiseLevels, PhasePrior
from realign_core.alignment.aniso.refinement import relative_phase_loss
from realign_core.checkpoint import checked_by, told_to


def drawn(n, m, seed):
    generator = torch.Generator().manual_seed(seed)
    phases = wrap(torch.randn(n, m, dtype=torch.float64, generator=generator).cumsum(dim=1))
    radii = torch.rand(n, m, dtype=torch.float64, generator=generator) + 0.1
    return phases, radii


def test_statistics_are_those_of_the_definitions():
    phases, radii = drawn(300, 5, 0)
    potential = PhasePotential.of(phases, radii, partners=5)
    e = np.exp(1j * phases.numpy())
    m = np.einsum("nk,nl->kl", e, e.conj()) / len(e)
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(potential.coherence.numpy()[off], np.abs(m)[off], atol=1e-12)
    np.testing.assert_allclose(potential.offset.numpy()[off], np.angle(m)[off], atol=1e-12)
    np.testing.assert_allclose(potential.preferred.numpy(), np.angle(e.mean(axis=0)), atol=1e-12)
    power = (radii.numpy() ** 2).mean(axis=0)
    np.testing.assert_allclose(potential.energy.numpy(), power / power.sum(), atol=1e-12)
    assert float(potential.coherence.diagonal().abs().max()) == 0


@pytest.mark.parametrize("partners", [1, 2, 4, 50])
def test_edges_are_the_union_of_each_block_s_best_partners(partners):
    phases, radii = drawn(500, 8, 1)
    full = PhasePotential.of(phases, radii, partners=8).coherence
    kept = PhasePotential.of(phases, radii, partners=partners)
    count = min(partners, 7)
    best = [set(np.argsort(-row)[:count]) for row in full.numpy()]
    pairs = itertools.combinations(range(8), 2)
    wanted = {(k, other) for k, other in pairs if other in best[k] or k in best[other]}
    assert {tuple(edge) for edge in kept.edges.mT.tolist()} == wanted
    torch.testing.assert_close(kept.coherence, kept.coherence.mT)


def test_the_drift_field_is_the_gradient_of_the_potential():
    phases, radii = drawn(400, 9, 2)
    potential = PhasePotential.of(phases, radii, partners=3)
    at = drawn(20, 9, 5)[0].requires_grad_(True)
    potential.value(at).sum().backward()
    torch.testing.assert_close(potential.gradient(at.detach()), at.grad, rtol=1e-10, atol=1e-12)
    # By the published sum, edge by edge.
    k, found = 4, at.detach()
    expected = potential.energy[k] * (found[:, k] - potential.preferred[k]).sin()
    for other in potential.coherence[k].nonzero()[:, 0].tolist():
        angle = found[:, k] - found[:, other] - potential.offset[k, other]
        expected = expected + potential.coherence[k, other] * angle.sin()
    torch.testing.assert_close(potential.gradient(found)[:, k], expected)


def test_the_drift_goes_down_the_potential_and_wraps():
    phases, radii = drawn(400, 9, 2)
    potential = PhasePotential.of(phases, radii, partners=3)
    at = drawn(50, 9, 7)[0]
    moved = potential.drifted(at, 0.05)
    assert bool((potential.value(moved) < potential.value(at)).all())
    assert float(moved.abs().max()) <= math.pi
    torch.testing.assert_close(potential.drifted(at, 0.0), at, rtol=0, atol=1e-12)


@pytest.mark.parametrize("variance", [0.01, 0.3, 1.0, 8.0])
def test_the_wrapped_score_is_the_derivative_of_the_log_density(variance):
    offset = torch.linspace(-math.pi, math.pi, 201, dtype=torch.float64)[:, None].requires_grad_(True)
    turns = 2 * math.pi * torch.arange(-30, 31, dtype=torch.float64)
    torch.logsumexp(-((offset + turns) ** 2) / (2 * variance), dim=1).sum().backward()
    found = wrapped_score(offset.detach(), torch.full((201, 1), variance, dtype=torch.float64))
    torch.testing.assert_close(found, offset.grad, rtol=1e-8, atol=1e-9)
    assert float(found[100]) == pytest.approx(0, abs=1e-12)


def test_the_learnt_score_is_the_analytic_one():
    # All targets at one place: the score network must find the wrapped Gaussian around its drifted centre.
    m, n = 4, 256
    generator = torch.Generator().manual_seed(0)
    phases = torch.tensor([0.5, -1.0, 3.0, -2.9]).repeat(n, 1)
    radii = torch.rand(n, m, generator=generator) + 0.5
    target = Polar(phases, radii, torch.zeros(n, 2))
    potential = PhasePotential.of(phases, radii, partners=2)
    levels = NoiseLevels(0.05, 0.5)
    prior = PhasePrior.fit(
        target,
        potential,
        levels=levels,
        step=0.1,
        width=128,
        training=Training(steps=1500, batch=256, learning_rate=3e-3),
    )
    centre = potential.drifted(phases[:1], 0.1)
    for level in (0.1, 0.4):
        sigma = torch.full((n, 1), level)
        offset = (2 * sigma).sqrt() * torch.randn(n, m, generator=generator)
        found = prior.score(wrap(centre + offset), sigma, radii.log())
        wanted = wrapped_score(wrap(offset), 2 * sigma)
        error = (found - wanted).square().mean().sqrt() / wanted.square().mean().sqrt()
        assert float(error) < 0.15
    assert prior.losses[-1] < 0.1 * prior.losses[0]


def test_noise_levels_are_log_uniform():
    levels = NoiseLevels(0.005, 0.5)
    drawn_levels = levels.draw(20_000, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert 0.005 <= float(drawn_levels.min()) < 0.0051
    assert 0.49 < float(drawn_levels.max()) <= 0.5
    assert float(drawn_levels.log().mean()) == pytest.approx(math.log(0.05), abs=0.03)
    encoded = levels.encoded(torch.tensor([[0.005], [0.05], [0.5]]))
    torch.testing.assert_close(encoded, torch.tensor([[-1.0], [0.0], [1.0]]), rtol=0, atol=1e-6)
    one = NoiseLevels(0.1, 0.1)
    assert float(one.encoded(one.draw(3, torch.Generator(), torch.device("cpu"))).abs().max()) <= 1


def test_the_relative_phase_loss_sees_differences_alone():
    phases, radii = drawn(60, 6, 3)
    start = Polar(phases, radii, torch.zeros(60, 1, dtype=torch.float64))
    edges = PhasePotential.of(phases, radii, partners=2).edges
    assert float(relative_phase_loss(start, wrap(phases + 0.7), edges)) == pytest.approx(0, abs=1e-12)
    moved = phases.clone()
    moved[:, edges[0, 0]] += 0.3
    touched = (edges == edges[0, 0]).any(dim=0)
    products = radii[:, edges[0]] * radii[:, edges[1]]
    share = products[:, touched].sum(dim=1) / products.sum(dim=1)
    expected = float(share.mean()) * (1 - math.cos(0.3))
    assert float(relative_phase_loss(start, moved, edges)) == pytest.approx(expected, rel=1e-9)
    assert float(relative_phase_loss(start, moved, edges[:, :0])) == 0


def test_training_stops_early_tells_and_can_be_stopped():
    network = torch.nn.Linear(3, 1)

    def flat(rows, noise):
        return network.weight.sum() * 0 + 1.0

    def run(steps):
        return train(
            network,
            flat,
            rows=20,
            training=Training(steps=steps, batch=8),
            device=torch.device("cpu"),
            stage="s",
        )

    told = []
    with told_to(told.append):
        losses = run(1000)
    assert len(losses) == 4
    assert told[:2] == ["s, step 0 of 1000", "s, step 50 of 1000"]
    assert len(run(60)) == 2

    def stop():
        raise InterruptedError

    with checked_by(stop), pytest.raises(InterruptedError):
        run(10)
