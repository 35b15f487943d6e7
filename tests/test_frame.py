"""The fixed frame: its rank rule, its two subspaces, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

from realign_core.frame import FixedFrame
from realign_core.moments import Moments
from realign_core.validation import UnusableInput

GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((60, 8)) * np.arange(8, 0, -1) + 1
Y = GENERATOR.standard_normal((60, 8)) * np.arange(8, 0, -1)


def with_covariance(values):
    values = torch.tensor(values, dtype=torch.float64)
    return Moments(1, torch.ones(len(values), dtype=torch.float64), torch.diag(values))


@given(st.floats(0.05, 1))
def test_the_two_projections_are_complementary(energy):
    frame = FixedFrame.fit(X, Y, energy=energy)
    rows = torch.from_numpy(X)
    in_u, in_v = frame.project(rows)
    assert torch.allclose(in_u + in_v, rows, atol=EXACT)
    assert float((in_u * in_v).sum(1).abs().max()) < 1e-10
    again = frame.project(in_u)
    assert torch.allclose(again[0], in_u, atol=1e-10)
    u, v = frame.split(rows)
    assert u.shape == (60, frame.rank)
    assert v.shape == (60, 8 - frame.rank)
    assert torch.allclose(u @ frame.u.mT, in_u, atol=1e-10)
    assert torch.allclose(v @ frame.v.mT, in_v, atol=1e-10)
    share = frame.eigenvalues.cumsum(0) / frame.eigenvalues.sum()
    assert share[frame.rank - 1] >= energy - 1e-11
    assert frame.rank == 1 or share[frame.rank - 2] < energy


def test_the_frame_is_that_of_both_covariances_added():
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (X, Y)]
    frame = FixedFrame.fit(X, Y)
    total = sum(np.cov(rows.T, bias=True) for rows in unit)
    assert np.allclose((frame.basis * frame.eigenvalues) @ frame.basis.mT, total)
    assert not np.allclose(FixedFrame.fit(X, X).eigenvalues, frame.eigenvalues)


def test_rank_deficient_sets_cap_the_rank():
    moments = with_covariance([4.0, 2.0, 1.0, 1e-13, 0.0])
    frame = FixedFrame.from_moments(moments, moments, energy=1)
    assert (frame.rank, frame.dim) == (3, 5)
    assert frame.v.shape == (5, 2)


def test_full_energy_fills_the_space_and_empties_v():
    frame = FixedFrame.fit(X, Y, energy=1)
    assert frame.rank == 8
    assert frame.v.shape == (8, 0)
    assert frame.blocks(torch.eye(8, dtype=torch.float64))[1].shape == (0, 0)
    assert float(torch.linalg.vector_norm(frame.project(torch.from_numpy(X))[1])) < 1e-10


@given(st.floats(0.05, 1))
def test_another_energy_costs_no_new_fit(energy):
    moved = FixedFrame.fit(X, Y, energy=0.5).with_energy(energy)
    fresh = FixedFrame.fit(X, Y, energy=energy)
    assert (moved.rank, moved.energy) == (fresh.rank, energy)
    assert torch.equal(moved.basis, fresh.basis)


@pytest.mark.parametrize("energy", [0, -0.1, 1.01, float("nan"), True])
def test_an_energy_outside_its_range_is_refused(energy):
    with pytest.raises(UnusableInput, match="energy"):
        FixedFrame.fit(X, Y, energy=energy)
    with pytest.raises(UnusableInput, match="energy"):
        FixedFrame.fit(X, Y).with_energy(energy)


def test_two_constant_sets_have_no_frame_even_with_rounding():
    constant = np.full((50, 7), 0.1) * np.linspace(1, 3, 50)[:, None]
    with pytest.raises(UnusableInput, match="constant"):
        FixedFrame.fit(constant, constant)
    assert FixedFrame.fit(constant, Y[:, :7]).rank > 1
