"""U-V coupling and phantom drift against naive versions, theorems and known answers."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from paired_rows import collect, framed, pairs
from tolerances import EXACT

from realign_core.diagnostics.coupling import coupling_warning, measure_coupling
from realign_core.diagnostics.drift import measure_drift, predicted_drift
from realign_core.moments import Moments


def naive_coupling(x, y, frame, first):
    d = x - y
    mean = d[first].mean(0)
    u, v = ((d - mean) @ np.asarray(basis) for basis in (frame.u, frame.v))

    def score(rows, mapping):
        left = v[rows] - u[rows] @ mapping.T
        return 1 - (left**2).sum() / (v[rows] ** 2).sum()

    gram = u[first].T @ u[first]
    lam = np.trace(gram) / frame.rank
    mapping = v[first].T @ u[first] @ np.linalg.inv(gram + lam * np.eye(frame.rank))
    return np.linalg.norm(mapping, 2), score(~first, mapping), score(first, mapping)


@pytest.mark.parametrize("linked", [True, False])
def test_coupling_is_ridge_regression_on_coordinates(linked):
    generator = np.random.default_rng(1)
    n, r = 400, 3
    u = generator.standard_normal((n, r)) * 5
    v = 0.3 * generator.standard_normal((n, 4))
    if linked:
        v += u @ np.array([[0.1, 0, 0, 0], [0, 0.05, 0, 0], [0, 0, 0, 0.1]])
    x, y = np.concatenate([u, v], 1) + 2, np.zeros((n, 7)) + 1e-3 * generator.standard_normal((n, 7))
    statistics = collect(x, y, normalize=False, seed=4)
    frame = framed(statistics, 0.95)
    assert frame.rank == r
    first = np.zeros(n, bool)
    first[np.random.default_rng(4).permutation(n)[: n // 2]] = True
    found = measure_coupling(statistics, frame)
    expected = naive_coupling(x, y, frame, first)
    figures = (found.spectral_norm, found.explained_variance, found.explained_variance_in_sample)
    assert figures == pytest.approx(expected, abs=1e-10)
    assert found.explained_variance_in_sample >= found.explained_variance - 0.05
    if not linked:
        assert found.explained_variance < 0.02
    assert coupling_warning(statistics, frame) is None
    small = collect(x[:8], y[:8], normalize=False)
    assert "fewer than 6 rows" in coupling_warning(small, framed(small, 0.95))


def test_drift_against_naive_means():
    x, y = (oracles.unit(rows) for rows in pairs())
    found = measure_drift(collect(x, y))
    mean = x.mean(0)
    a = mean / np.linalg.norm(mean)
    anchor = (oracles.mean_shift(y, x) - a).mean(0)
    traced = (oracles.anchor_trace(y, x) - a).mean(0)
    for stage, measured in ((found.anchor, anchor), (found.anchor_trace, traced)):
        assert stage.measured == pytest.approx(np.linalg.norm(measured))
        assert stage.radial == pytest.approx(measured @ a)
        assert stage.tangential == pytest.approx(np.linalg.norm(measured - a * (a @ measured)))
        assert stage.measured**2 == pytest.approx(stage.radial**2 + stage.tangential**2)
    z = oracles.realign(y, x)
    shift = np.linalg.norm(oracles.anchor_trace(y, x).mean(0) - mean)
    assert found.centroid_shift == pytest.approx(shift)
    assert found.stages["final"] == pytest.approx(np.linalg.norm(z.mean(0) - mean))
    assert found.stages["original"] == pytest.approx(np.linalg.norm((x - y).mean(0)))
    assert found.stages["anchor"] == found.stages["trace"] == found.stages["centroid"] == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 9999))
def test_realign_ends_no_further_than_the_shift_it_removes(n, dim, seed):
    found = measure_drift(collect(*pairs(n, dim, seed)))
    assert found.stages["final"] <= found.centroid_shift + EXACT


def test_the_prediction_is_second_order():
    """Symmetric noise, so the error of the expansion is of fourth order in its size: 16-fold a halving."""
    generator = np.random.default_rng(0)
    noise = generator.standard_normal((400, 5)) * np.array([1, 0.8, 0.5, 0.3, 0.1])
    noise = np.concatenate([noise, -noise])
    mean = torch.tensor([0.3, 0.5, -0.4, 0.2, 0.6]).double()
    errors, sizes = [], []
    for scale in (0.04, 0.02, 0.01):
        rows = mean + torch.from_numpy(scale * noise)
        measured = (rows / rows.norm(dim=1, keepdim=True)).mean(0) - mean / mean.norm()
        predicted = predicted_drift(mean, Moments.of(rows).covariance)
        errors.append(float((measured - predicted).norm()))
        sizes.append(float(predicted.norm()))
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(16, rel=0.1)
    # Negative control: the drift itself is only of second order.
    assert sizes[0] / sizes[1] == pytest.approx(4, rel=0.01)
    assert errors[2] < 0.01 * sizes[2]
