"""Streamed moments: equal to those in memory, whatever the order, the batches and the type, and accurate."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tolerances import EXACT, SOLVED

from realign_core import moments
from realign_core.moments import (
    CentredSums,
    Moments,
    as_tensor,
    float64_block,
    float64_blocks,
    float64_pieces,
)
from realign_core.validation import UnusableInput

ROWS = np.random.default_rng(0).standard_normal((97, 6)) + 0.7


def same(a: Moments, b: Moments, tolerance=EXACT) -> bool:
    close = [
        np.allclose(getattr(a, k), getattr(b, k), rtol=tolerance, atol=tolerance) for k in ("mean", "scatter")
    ]
    return a.n == b.n and all(close)


@given(st.integers(1, 97), st.integers(0, 10), st.booleans())
def test_batches_and_row_order_do_not_matter(size, seed, normalize):
    whole = Moments.from_batches(ROWS, normalize=normalize)
    order = np.random.default_rng(seed).permutation(len(ROWS))
    batches = [ROWS[order[i : i + size]] for i in range(0, len(ROWS), size)]
    assert same(Moments.from_batches(batches, normalize=normalize), whole)


def test_other_rows_have_other_moments():
    assert not same(Moments.from_batches(ROWS), Moments.from_batches(ROWS[:-1]))
    assert not same(Moments.from_batches(ROWS), Moments.from_batches(ROWS, normalize=False))


@given(st.integers(1, 30), st.integers(31, 60))
def test_merging_is_associative_and_without_undoes_it(first, second):
    a, b, c = (Moments.of(torch.from_numpy(part)) for part in np.split(ROWS, [first, second]))
    whole = Moments.of(torch.from_numpy(ROWS))
    assert same(a.merge(b).merge(c), a.merge(b.merge(c)))
    assert same(a.merge(b).merge(c), whole)
    assert same(whole.without(b), a.merge(c))


@settings(max_examples=40)
@given(
    arrays(
        np.float64, st.tuples(st.integers(2, 20), st.integers(1, 5)), elements=st.floats(-1e6, 1e6, width=32)
    ),
    st.sampled_from([1e-60, 1e-3, 1, 1e60]),
)
def test_moments_agree_with_numpy_at_any_scale(rows, scale):
    rows = rows * scale
    found = Moments.from_batches(rows, normalize=False)
    size = np.abs(rows).max() or 1
    assert np.allclose(found.mean / size, rows.mean(0) / size, atol=EXACT)
    assert np.allclose(found.covariance / size**2, np.cov(rows.T, bias=True) / size**2, atol=EXACT)
    assert found.trace == pytest.approx(float(found.covariance.trace()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_float_type_gives_the_moments_of_its_float64_copy(dtype):
    stored = torch.from_numpy(ROWS).to(dtype)
    assert same(Moments.from_batches(stored), Moments.from_batches(stored.double()), 0)
    # Negative control: the type itself rounds, which float64 statistics must not hide.
    assert same(Moments.from_batches(stored), Moments.from_batches(ROWS)) == (dtype == torch.float64)


@pytest.mark.parametrize("size", [1e-30, 1e30, 6e4])
def test_lengths_that_leave_their_own_type_still_normalise(size):
    dtype = np.float16 if size == 6e4 else np.float32
    rows = (ROWS / np.abs(ROWS).max() * size).astype(dtype)
    expected = rows.astype(np.float64)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert same(Moments.from_batches(rows), Moments.of(torch.from_numpy(expected)))


def test_the_mean_of_half_a_million_rows_is_the_correctly_rounded_sum():
    generator = np.random.default_rng(3)
    rows = (generator.standard_normal((500_000, 3)) + 0.8).astype(np.float32)
    found = Moments.from_batches(rows, normalize=False).mean
    for column in range(3):
        assert float(found[column]) == pytest.approx(
            math.fsum(rows[:, column].tolist()) / len(rows), abs=1e-12
        )
    # Negative control: a float32 running sum is off by far more.
    assert abs(np.cumsum(rows[:, 0], dtype=np.float32)[-1] / len(rows) - float(found[0])) > 1e-9


def crossed_rows(variances, mean):
    """Rows `mean +- sqrt(d v_j) e_j` for each j, whose covariance is exactly diagonal with these variances.

    Square roots that are powers of two and a mean of few bits make every row exact in float64.
    """
    d = len(variances)
    steps = np.diag(np.sqrt(np.asarray(variances) * d))
    return np.concatenate([mean + steps, mean - steps])


def test_a_condition_number_of_a_million_survives_a_large_mean():
    d, n_steps = 4, 10
    variances = np.array([1, 4.0**-3, 4.0**-6, 4.0**-n_steps]) / d
    mean = np.full(d, 0.4)
    mean = np.round(mean * 2**20) / 2**20
    assert np.linalg.norm(mean) == pytest.approx(0.8, abs=1e-5)
    rows = np.tile(crossed_rows(variances, mean), (500, 1))
    assert np.linalg.cond(np.diag(variances)) == pytest.approx(4**n_steps)
    order = np.random.default_rng(0).permutation(len(rows))
    found = Moments.from_batches([rows[order][i : i + 77] for i in range(0, len(rows), 77)], normalize=False)
    values = np.linalg.eigvalsh(found.covariance.numpy())
    assert values[-1] / values[0] == pytest.approx(4**n_steps, rel=1e-9)
    # Negative control: the raw form in float32 loses the small variance.
    single = rows.astype(np.float32)
    raw = single.T @ single / len(rows) - np.outer(single.mean(0), single.mean(0))
    assert abs(raw[3, 3] / variances[3] - 1) > 1e-2


def test_small_variance_under_a_large_mean():
    rows = 1e4 + np.random.default_rng(1).standard_normal((5000, 2)) * 1e-4
    exact = [[float(v) for v in row - 1e4] for row in rows]
    for column in range(2):
        values = [row[column] for row in exact]
        mean = math.fsum(values) / len(values)
        variance = math.fsum((v - mean) ** 2 for v in values) / len(values)
        found = Moments.from_batches(rows, normalize=False).covariance[column, column]
        assert float(found) == pytest.approx(variance, rel=SOLVED)


def test_second_moments_about_a_point():
    found = Moments.of(torch.from_numpy(ROWS))
    point = torch.arange(6).double()
    expected = (ROWS - point.numpy()).T @ (ROWS - point.numpy()) / len(ROWS)
    assert np.allclose(found.second_moment_about(point), expected)
    assert found.mean_square == pytest.approx((ROWS**2).sum() / len(ROWS))


@pytest.mark.parametrize("scale", [1e-40, 1, 1e40])
def test_constant_means_constant_at_any_scale(scale):
    constant = np.linspace(1, 2, 30)[:, None] * np.ones(5)
    assert Moments.from_batches(constant.astype(np.float32)).is_constant
    assert Moments.from_batches(np.ones((30, 5)) / 3 * scale, normalize=False).is_constant
    assert not Moments.from_batches(ROWS * scale, normalize=False).is_constant


def test_rows_of_any_layout_become_tensors():
    for view in (ROWS[::-1], ROWS[:, ::-2], ROWS.astype(">f4"), np.asfortranarray(ROWS)):
        assert np.array_equal(as_tensor(view).numpy(), view)
    frozen = ROWS.copy()
    frozen.flags.writeable = False
    assert np.array_equal(as_tensor(frozen).numpy(), ROWS)


@pytest.mark.parametrize("bad", [0, np.nan, np.inf])
def test_a_row_without_a_direction_is_named(bad):
    rows = ROWS.copy()
    rows[90] = bad
    with pytest.raises(UnusableInput, match="row 90 has length"):
        Moments.from_batches([rows[:50], rows[50:]])
    if bad:
        with pytest.raises(UnusableInput, match="row 90 has length"):
            Moments.from_batches(rows, normalize=False)


def test_no_rows_are_refused():
    with pytest.raises(UnusableInput, match="no rows"):
        Moments.from_batches(np.empty((0, 4)))
    assert list(float64_blocks(np.empty((0, 4)))) == []
    with pytest.raises(UnusableInput, match="--device"):
        Moments.from_batches(ROWS, device="abacus")


@pytest.mark.parametrize("elements", [1, 30, 60, 10**6])
def test_pieces_of_any_length_add_up_about_any_of_their_means(elements, monkeypatch):
    monkeypatch.setattr(moments, "FACTOR_ELEMENTS", elements)
    rows = np.concatenate([np.full((9, 6), 40.0), ROWS])
    gathered = CentredSums(len(rows))
    for start, stop in [(0, 2), (2, 2), (2, 30), (30, 31), (31, 106)]:
        piece = torch.from_numpy(rows[start:stop].copy())
        gathered.add(piece)
        piece.fill_(torch.nan)
    centred = rows - rows.mean(axis=0)
    found = gathered.moments()
    assert found.n == len(rows)
    assert np.allclose(found.mean, rows.mean(axis=0), rtol=EXACT)
    assert np.allclose(found.scatter, centred.T @ centred, rtol=EXACT, atol=EXACT)


def test_some_rows_of_a_piece_add_up_as_if_they_had_come_alone(monkeypatch):
    monkeypatch.setattr(moments, "FACTOR_ELEMENTS", 60)
    rows, generator = torch.from_numpy(ROWS), np.random.default_rng(0)
    some, alone, chosen = CentredSums(len(rows)), CentredSums(len(rows)), []
    for start in range(0, len(rows), 20):
        piece = rows[start : start + 20].clone()
        numbers = torch.from_numpy(np.flatnonzero(generator.random(len(piece)) < 0.4))
        numbers = numbers[:0] if start == 20 else numbers
        chosen.append(piece[numbers])
        alone.add(piece[numbers])
        some.add(piece, numbers)
        piece.fill_(torch.nan)
    found, kept = some.moments(), torch.cat(chosen).numpy()
    assert same(found, alone.moments())
    assert found.n == len(kept)
    centred = kept - kept.mean(axis=0)
    assert np.allclose(found.scatter, centred.T @ centred, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("normalize", [True, False])
def test_pieces_hold_the_rows_of_the_block_and_leave_it_as_it_is(dtype, normalize, monkeypatch):
    given_rows = ROWS.astype(dtype)
    before = given_rows.copy()
    how = {"normalize": normalize, "where": torch.device("cpu")}
    monkeypatch.setattr(moments, "in_cache", lambda rows: iter(rows.split(10)))
    pieces = torch.cat([piece.clone() for piece in float64_pieces(given_rows, 0, **how)])
    assert torch.equal(pieces, float64_block(given_rows, 0, **how))
    assert np.array_equal(given_rows, before)
    given_rows[25] = np.nan
    with pytest.raises(UnusableInput, match="row 1025 has length nan"):
        list(float64_pieces(given_rows, 1000, **how))


def test_the_moments_can_be_asked_for_more_than_once():
    gathered = CentredSums(4)
    for value in (0.0, 2.0):
        gathered.add(torch.full((2, 3), value, dtype=torch.float64))
    first, again = gathered.moments(), gathered.moments()
    assert same(first, again)
    assert torch.equal(first.scatter, torch.full((3, 3), 4.0, dtype=torch.float64))
