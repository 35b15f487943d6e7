"""Sums of projected rows without the rows: against rows that are formed, and where lengths cancel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realign_core.diagnostics.projecting import CANCELLED, Projections, sums_of


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def rows_of(n: int, d: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, d)))


def shift_of(d: int, length: float, seed: int) -> np.ndarray:
    return length * rows_of(1, d, seed)[0]


def formed(rows: np.ndarray, *steps: tuple[float, np.ndarray]) -> np.ndarray:
    """The sum in long double, each row formed."""
    rows = rows.astype(np.longdouble)
    for scale, shift in steps:
        rows = unit(scale * rows + shift)
    return rows.sum(axis=0).astype(np.float64)


def projections(*steps: tuple[float, np.ndarray]) -> Projections:
    return Projections.of(*((scale, torch.from_numpy(shift)) for scale, shift in steps))


def sum_of(mapped: Projections, rows: np.ndarray | torch.Tensor) -> np.ndarray:
    return sums_of(torch.as_tensor(rows), {"mapped": mapped})["mapped"].numpy()


@pytest.mark.parametrize("length", [0.0, 1e-8, 0.3, 0.7, 3.0])
@pytest.mark.parametrize("scale", [0.2, 1.0, 1.7])
def test_one_step_is_the_sum_of_the_rows_formed(length, scale):
    rows, step = rows_of(500, 24), (scale, shift_of(24, length, 1))
    found = sum_of(projections(step), rows)
    np.testing.assert_allclose(found, formed(rows, step), rtol=0, atol=1e-12)


@pytest.mark.parametrize("third", [(), ((0.5, 7),)])
def test_further_steps_go_on_from_the_projected_rows(third):
    rows = rows_of(300, 16)
    steps = [(0.8, shift_of(16, 0.5, 2)), (1.0, shift_of(16, 0.2, 3))]
    steps += [(scale, shift_of(16, 0.4, seed)) for scale, seed in third]
    chain = projections(steps[0])
    for scale, shift in steps[1:]:
        chain = chain.then(scale, torch.from_numpy(shift))
    found = sum_of(chain, rows)
    np.testing.assert_allclose(found, formed(rows, *steps), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found, sum_of(projections(*steps), rows), atol=0)


@pytest.mark.parametrize("left", [1e-1, 1e-3, 1e-6])
def test_rows_that_almost_reach_the_origin_keep_their_digits(left):
    """A row minus almost itself: its expanded square would keep no digit."""
    rows = rows_of(50, 12)
    step = (1.0, -rows[7] + left * rows[8])
    assert left**2 < CANCELLED * 4
    found = sum_of(projections(step), rows)
    np.testing.assert_allclose(found, formed(rows, step), rtol=0, atol=1e-15 / left + 1e-13)


def test_a_row_on_the_origin_has_no_sum():
    rows = torch.from_numpy(rows_of(50, 12))
    assert np.isnan(sum_of(Projections.of((1.0, -rows[7])), rows)).all()
    assert np.isnan(sum_of(Projections.of((1.0, -rows[7])).then(1.0, rows[0]), rows)).all()


def test_a_scale_of_zero_leaves_the_shift_alone():
    rows, shift = rows_of(20, 6), shift_of(6, 0.5, 4)
    found = sum_of(projections((0.0, shift)), rows)
    np.testing.assert_allclose(found, 20 * shift / 0.5, rtol=1e-14)


def test_maps_that_share_a_product_do_not_touch_each_other():
    rows = torch.from_numpy(rows_of(60, 12))
    maps = {
        "plain": Projections.of((1.0, 0.3 * rows[0])),
        "on the origin": Projections.of((1.0, -rows[7])),
        "three steps": Projections.of((0.5, rows[1]), (1.0, 0.2 * rows[2]), (1.3, 0.1 * rows[3])),
    }
    found = sums_of(rows, maps)
    assert found.keys() == maps.keys()
    for name, mapped in maps.items():
        alone = sum_of(mapped, rows)
        np.testing.assert_allclose(found[name].numpy(), alone, rtol=0, atol=1e-13, equal_nan=True)
        assert np.isnan(alone).any() == (name == "on the origin")
    assert sums_of(rows, {}) == {}
