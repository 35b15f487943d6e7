"""Blocked exact neighbours against a naive float64 oracle, and what follows from them."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import COSINE32, EXACT

from realign_core.diagnostics import neighbours
from realign_core.diagnostics.neighbours import RowSet, nearest

GENERATOR = np.random.default_rng(0)


def row_set(rows):
    return RowSet(torch.from_numpy(oracles.unit(rows)))


def found_sets(queries, keys, k, **options):
    return [set(row) for row in nearest(row_set(queries), row_set(keys), k, **options).indices.tolist()]


def oracle_sets(queries, keys, k, **options):
    return [set(row) for row in oracles.nearest(queries, keys, k, **options).tolist()]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Ragged last blocks on both sides, at sizes that a test can afford."""
    monkeypatch.setattr(neighbours, "QUERY_BLOCK", 13)
    monkeypatch.setattr(neighbours, "KEY_BLOCK", 29)
    monkeypatch.setattr(neighbours, "SEARCH_BLOCK", 17)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 150), st.integers(2, 150), st.integers(1, 6), st.integers(0, 10**6), st.booleans())
def test_the_nearest_keys_are_those_of_the_oracle(m, n, dim, seed, coarse):
    generator = np.random.default_rng(seed)
    queries, keys = (generator.standard_normal((rows, dim)) for rows in (m, n))
    if coarse:
        # Few distinct directions: nearly every border is a tie.
        queries, keys = (np.where(rows > 0, 1.0, -1.0) for rows in (queries, keys))
    k = int(generator.integers(1, n + 1))
    within = int(generator.integers(1, n))
    # A visitor needs the products formed here; without one an index is searched.
    for visit in (None, lambda start, cosines: None):
        assert found_sets(queries, keys, k, visit=visit) == oracle_sets(queries, keys, k)
        assert found_sets(keys, keys, within, exclude_self=True, visit=visit) == oracle_sets(
            keys, keys, within, exclude_self=True
        )


def test_every_border_asked_for_is_exact():
    """Gaps of 2e-9 between neighbours: float32 cannot order them, so each border has to be settled."""
    angles = 1e-3 + np.arange(60) * 2e-6
    keys = np.stack([np.cos(angles), np.sin(angles)], axis=1)[GENERATOR.permutation(60)]
    queries = np.array([[1.0, 0.0]])
    found = nearest(row_set(queries), row_set(keys), 20, exact_at=(1, 5, 10)).indices[0].tolist()
    exact = oracles.nearest(queries, keys, 20)[0].tolist()
    for border in (1, 5, 10, 20):
        assert set(found[:border]) == set(exact[:border])
    # Negative control: float32 alone gets this wrong.
    single = (oracles.unit(queries).astype(np.float32) @ oracles.unit(keys).astype(np.float32).T)[0]
    assert set(np.argsort(-single, kind="stable")[:10]) != set(exact[:10])


def test_a_border_inside_the_width_is_settled_only_where_asked(monkeypatch):
    settled = []
    monkeypatch.setattr(neighbours, "_settle", lambda q, k, rows, *rest: settled.append(len(rows)))
    keys = np.concatenate([np.ones((2, 3)), GENERATOR.standard_normal((40, 3))])
    queries = row_set(np.ones((5, 3)))
    nearest(queries, row_set(keys), 8)
    nearest(queries, row_set(keys), 8, exact_at=(1,))
    assert settled == [0, 5]


@pytest.mark.parametrize("kind", ["gauss", "positive", "constant", "spike"])
@pytest.mark.parametrize("dim", [64, 1024, 4096])
def test_float32_products_err_by_less_than_half_of_what_counts_as_a_tie(kind, dim):
    generator = np.random.default_rng(dim)
    rows = generator.standard_normal((150, dim))
    if kind == "positive":
        rows = np.abs(rows)
    elif kind == "constant":
        rows = 1 + 0.003 * rows
    elif kind == "spike":
        rows = 0.05 * rows
        rows[:, 0] = 1
    tested = row_set(rows)
    errors = (tested.fast @ tested.fast.mT).double() - tested.exact @ tested.exact.mT
    apart = errors.amax(dim=1) - errors.amin(dim=1)
    assert float(apart.max()) < neighbours.TIE / 2


def test_visitors_see_every_cosine_once():
    rows = GENERATOR.standard_normal((50, 4))
    seen = torch.full((50, 50), torch.nan)

    def visit(start, block):
        assert torch.isnan(seen[start : start + len(block)]).all()
        seen[start : start + len(block)] = block

    nearest(row_set(rows), row_set(rows), 3, exclude_self=True, visit=visit)
    assert np.allclose(seen, oracles.unit(rows) @ oracles.unit(rows).T, atol=COSINE32)


def test_kept_share_counts_common_neighbours():
    y = GENERATOR.standard_normal((90, 5))
    z = y + 0.5 * GENERATOR.standard_normal((90, 5))
    before, after = (nearest(row_set(r), row_set(r), 7, exclude_self=True, exact_at=(3,)) for r in (y, z))
    for k in (3, 7):
        kept = neighbours.kept_share(before, after, k)
        assert kept.shape == (90,)
        assert float(kept.mean()) == pytest.approx(oracles.retention(y, z, k), abs=EXACT)
        assert float(neighbours.kept_share(before, before, k).min()) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 60), st.integers(3, 60), st.integers(0, 10**6), st.booleans())
def test_others_among_the_nearest_of_the_pool(n, m, seed, coarse):
    generator = np.random.default_rng(seed)
    own, other = (generator.standard_normal((rows, 3)) for rows in (n, m))
    if coarse:
        own, other = (np.sign(rows) for rows in (own, other))
    k = min(20, n + m - 1)
    sets = row_set(own), row_set(other)
    within = nearest(sets[0], sets[0], min(k, n - 1), exclude_self=True)
    across = nearest(*sets, min(k, m))
    counts = neighbours.others_among_nearest(sets[0], within, sets[0], across, sets[1], k)
    assert counts.tolist() == oracles.foreign_neighbours(own, other, k).tolist()


def test_a_set_and_its_copy_tie_in_favour_of_the_own_modality():
    rows = row_set(np.eye(4))
    within = nearest(rows, rows, 3, exclude_self=True)
    counts = neighbours.others_among_nearest(rows, within, rows, nearest(rows, rows, 4), rows, 1)
    # The copy itself is strictly nearest; after it everything ties at zero.
    assert counts.tolist() == [1, 1, 1, 1]
    counts = neighbours.others_among_nearest(rows, within, rows, nearest(rows, rows, 4), rows, 4)
    assert counts.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(("n", "m", "k"), [(30, 30, 20), (5, 40, 20), (40, 3, 7), (2, 2, 2)])
def test_expected_entropy_is_the_enumerated_mean(n, m, k):
    assert neighbours.expected_entropy(n, m, k) == pytest.approx(oracles.expected_entropy(n, m, k), rel=1e-9)


def test_entropy_mixing_of_random_labels_is_one():
    rows = np.random.default_rng(5).standard_normal((600, 8))
    sets = row_set(rows[:250]), row_set(rows[250:])
    within = nearest(sets[0], sets[0], 20, exclude_self=True)
    counts = neighbours.others_among_nearest(sets[0], within, sets[0], nearest(*sets, 20), sets[1], 20)
    mixed = neighbours.binary_entropy(counts.double() / 20).mean() / neighbours.expected_entropy(250, 350, 20)
    assert float(mixed) == pytest.approx(1, abs=0.02)
    assert neighbours.binary_entropy(np.array([0.0, 0.5, 1.0])).tolist() == [0, 1, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 80), st.integers(1, 4), st.integers(0, 10**6), st.booleans())
def test_recall_with_groups_and_strict_ties(n, dim, seed, coarse):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, dim))
    z = x + generator.standard_normal((n, dim))
    if coarse:
        x, z = (np.where(rows > 0, 1.0, -1.0) for rows in (x, z))
    groups = generator.integers(0, max(1, n // 2), n)
    sets, labels = (row_set(z), row_set(x)), torch.from_numpy(groups)
    across = nearest(*sets, min(20, n))
    best = neighbours.best_own_cosine(*sets, labels)
    for k in (1, 5, 10):
        found = neighbours.found_within(*sets, across, best, labels, k)
        assert float(found.mean()) == pytest.approx(oracles.recall(z, x, groups, k), abs=EXACT)


def test_recall_looks_past_a_border_that_float32_confuses():
    """Ten keys lie above the own one by 2e-9 each, in an order that float32 cannot see."""
    angles = 1e-3 + np.arange(30) * 2e-6
    keys = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for place in range(8, 13):
        order = np.random.default_rng(place).permutation(30)
        own = int(np.flatnonzero(order == place)[0])
        order[[0, own]] = order[[own, 0]]
        x = keys[order]
        z = np.concatenate([[[1.0, 0.0]], x[1:]])
        sets, labels = (row_set(z), row_set(x)), torch.arange(30)
        across = nearest(*sets, 20)
        best = neighbours.best_own_cosine(*sets, labels)
        assert bool(neighbours.found_within(*sets, across, best, labels, 10)[0]) == (place < 10)


def test_zero_rows_have_cosine_zero_with_everything():
    rows = torch.eye(3, dtype=torch.float64)
    found = nearest(RowSet(torch.zeros(2, 3, dtype=torch.float64)), RowSet(rows), 2)
    assert found.cosines.abs().max() == 0
    assert found.indices.tolist() == [[0, 1], [0, 1]]
