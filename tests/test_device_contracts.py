"""What must hold on a GPU, held without one: rows stay on their device, and types come back as given.

The device is a pretended one (`pretend.py`). Tests that need a real one are skipped where there is none.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import torch
from pretend import CUDA, back, pretended, there

import realign_core as rc
from realign_core import moments
from realign_core.alignment import create, method_names
from realign_core.checkpoint import checked_by
from realign_core.diagnostics import diagnose
from realign_core.diagnostics.neighbours import RowSet, kept_share, nearest, others_among_nearest
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.frame import FixedFrame
from realign_core.load import keeper, passes
from realign_core.load.keeper import Keeper, kept_by
from realign_core.moments import Moments, float64_pieces

N, D = 1500, 24
TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
# It draws from target rows, which it keeps on the CPU as all that is learnt.
KEEPS_ROWS = {"random_target"}
# Noise is drawn on the CPU, so that a seed gives the same rows on every device.
SENDS_ROWS = {"random_target", "c3"}
NAMES = [name for name in method_names() if name != "anisoalign"]


def cloud(seed, n=N, d=D):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) * torch.arange(1, d + 1) ** -0.5 + 0.3


X, Y = cloud(0), cloud(1) + 0.2
UNIT_X, UNIT_Y = (rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True) for rows in (X, Y))


def made(name):
    return create(name, **({"refine": False} if name == "anisoalign" else {}))


@pytest.mark.parametrize("name", [*NAMES, "anisoalign"])
@pytest.mark.parametrize("dtype", TYPES)
def test_methods_give_back_the_type_on_the_device(name, dtype):
    y, x = Y.to(dtype), X.to(dtype)
    expected = made(name).fit(source=y, target=x).transform(y)
    with pretended():
        method = made(name).fit(source=there(y), target=there(x))
        for mapped in (method.transform(there(y)), method.transform_in_sample(there(y))):
            assert (mapped.device, mapped.dtype, mapped.shape) == (CUDA, dtype, y.shape)
        blocks = list(method.transform_batches([there(y[:700]), there(y[700:])]))
        assert [(block.device, block.dtype, len(block)) for block in blocks] == [
            (CUDA, dtype, 700),
            (CUDA, dtype, N - 700),
        ]
        learnt = [value for key, value in vars(method).items() if key.endswith("_") and key[0] != "_"]
        assert {value.device.type for value in learnt if isinstance(value, torch.Tensor)} == {"cpu"}
        found = back(method.transform(there(y)))
    # The CPU forms Gram matrices by another product than a GPU does.
    torch.testing.assert_close(found.double(), expected.double(), atol=2e-11, rtol=2 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("name", [*NAMES, "anisoalign"])
def test_no_rows_cross_over_while_a_method_fits_and_maps(name):
    with pretended() as device:
        method = made(name).fit(source=there(Y), target=there(X))
        if name not in KEEPS_ROWS:
            assert device.largest_moved <= D * D < N
        device.moved.clear()
        method.transform(there(Y))
    assert device.moved == []
    if name not in SENDS_ROWS:
        assert max((size for size, _ in device.sent), default=0) <= D * D


@pytest.mark.parametrize("name", [name for name in NAMES if name not in KEEPS_ROWS])
def test_what_comes_over_does_not_grow_with_the_rows(name):
    counts = []
    for times in (1, 2):
        y, x = Y.repeat(times, 1), X.repeat(times, 1)
        with pretended() as device:
            made(name).fit(source=there(y), target=there(x)).transform(there(y))
        counts.append((device.scalars, device.moved))
    assert counts[0] == counts[1]
    assert counts[0][0] <= 40


def test_waits_are_a_few_for_each_block():
    blocks = 10
    with pretended() as device:
        method = made("realign")
        method.fit(source=list(map(there, Y.chunk(blocks))), target=list(map(there, X.chunk(blocks))))
        list(method.transform_batches(list(map(there, Y.chunk(blocks)))))
    assert device.scalars <= 20 * blocks


@pytest.mark.parametrize("dtype", TYPES)
def test_moments_and_the_frame_stay_where_the_rows_lie(dtype):
    x, y = X.to(dtype), Y.to(dtype)
    with pretended() as device:
        moments = Moments.from_batches(there(x))
        frame = FixedFrame.fit(there(x), there(y))
        assert device.moved == device.sent == []
        for found in (moments.mean, moments.scatter, frame.basis, frame.eigenvalues):
            assert (found.device, found.dtype) == (CUDA, torch.float64)
        in_u, in_v = frame.project(there(UNIT_Y))
        assert in_u.device == in_v.device == CUDA
    torch.testing.assert_close(back(moments.scatter), Moments.from_batches(x).scatter, atol=1e-10, rtol=1e-12)
    assert frame.rank == FixedFrame.fit(x, y).rank


@pytest.mark.parametrize("groups", [None, np.arange(N) // 2])
@pytest.mark.parametrize("paired", [True, False])
def test_statistics_of_pairs_stay_where_the_rows_lie(paired, groups):
    groups = groups if paired else None
    with pretended() as device:
        found = PairStatistics.collect(there(X), there(Y), paired=paired, groups=groups)
        gap = found.gap
    assert device.moved == []
    # Numbers of groups and halves, one a row at most, go the other way.
    assert all(size <= N and not dtype.is_floating_point for size, dtype in device.sent)
    expected = PairStatistics.collect(X, Y, paired=paired, groups=groups)
    torch.testing.assert_close(back(gap), expected.gap, atol=1e-12, rtol=1e-12)
    for name, mean in expected.stages.items():
        torch.testing.assert_close(back(found.stages[name]), mean, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("groups", [None, np.arange(N) // 2])
def test_passes_that_were_kept_come_back_onto_the_device(tmp_path, monkeypatch, groups):
    monkeypatch.setattr(passes, "BLOCK_ROWS", 400)
    monkeypatch.setattr(keeper, "KEEP_SECONDS", 0)
    expected = PairStatistics.collect(X, Y, paired=True, groups=groups)
    with pretended():
        for stop in (2, 6, None):
            left = iter(range(stop or 10**6))

            def check(left=left):
                next(left)

            with (
                kept_by(Keeper(tmp_path / "kept", {})),
                checked_by(check),
                suppress(StopIteration, RuntimeError),
            ):
                found = PairStatistics.collect(there(X), there(Y), paired=True, groups=groups)
        gap = found.gap
    torch.testing.assert_close(back(gap), expected.gap, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(back(found.stages["final"]), expected.stages["final"], atol=1e-12, rtol=1e-12)


def test_the_neighbour_graph_stays_where_the_rows_lie():
    with pretended() as device:
        x, y = RowSet(there(UNIT_X)), RowSet(there(UNIT_Y))
        own, other = nearest(y, y, 10, exclude_self=True), nearest(y, x, 10)
        counts = others_among_nearest(y, own, y, other, x, 10)
        share = kept_share(own, other, 10)
    assert device.moved == []
    assert all(size <= N for size, _ in device.sent)
    y, x = RowSet(UNIT_Y), RowSet(UNIT_X)
    own_here, other_here = nearest(y, y, 10, exclude_self=True), nearest(y, x, 10)
    for found, expected in ((own, own_here), (other, other_here)):
        assert torch.equal(back(found.indices).sort(1).values, expected.indices.sort(1).values)
    assert torch.equal(back(counts), others_among_nearest(y, own_here, y, other_here, x, 10))
    assert torch.equal(back(share), kept_share(own_here, other_here, 10))


@pytest.fixture(scope="module")
def data():
    return rc.EmbeddingPair.from_arrays(X.numpy().astype("f4"), Y.numpy().astype("f4"), paired="yes")


def test_a_diagnosis_gives_back_figures_and_no_rows(data):
    with pretended() as device:
        found = diagnose(data, device="cuda")
    assert device.largest_moved <= D * D
    expected = diagnose(data, device="cpu")
    assert found.frame.rank == expected.frame.rank
    assert found.shape == expected.shape or found.shape.kappa_u == pytest.approx(expected.shape.kappa_u)


def numbers(value, path=""):
    """All leaves of the JSON by path, but for times and the device's name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("seconds", "device"):
                yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{index}]")
    else:
        yield path, value


def test_a_comparison_is_that_of_the_cpu_and_rows_stay(data):
    names = [name for name in NAMES if name not in KEEPS_ROWS]
    with pretended() as device:
        found = rc.compare(data, names, device="cuda", bootstrap=20)
    expected = rc.compare(data, names, device="cpu", bootstrap=20)
    found, expected = (dict(numbers(result.to_dict())) for result in (found, expected))
    assert found.keys() == expected.keys()
    for path, value in expected.items():
        near = pytest.approx(value, rel=1e-7, abs=1e-9) if isinstance(value, float) else value
        assert found[path] == near, path
    # Neighbours (n, 20), pictures and, for histograms, bins of a byte come over; of the rows only as many as
    # a figure of drift shows.
    rows = [size for size, dtype in device.moved if dtype == torch.float64 and size >= N * D]
    assert len(rows) <= 2
    assert all(dtype == torch.uint8 for size, dtype in device.moved if size > N * max(D, 20))


def test_the_pretended_device_is_as_strict_as_a_real_one():
    with pretended() as device:
        rows = there(X)
        for wrong in (
            lambda: rows + torch.zeros(D),
            lambda: torch.cat([rows, torch.empty(1, D, dtype=torch.float64)]),
            lambda: rows @ torch.eye(D, dtype=torch.float64),
        ):
            with pytest.raises(RuntimeError, match="mixes cuda:0 with the CPU"):
                wrong()
        for call in (rows.numpy, lambda: np.asarray(rows)):
            with pytest.raises((TypeError, RuntimeError)):
                call()
        assert (device.moved, device.scalars) == ([], 0)
        rows.cpu()
        rows[0].tolist()
        torch.empty(N, D, dtype=torch.float64).copy_(rows)
        assert [size for size, _ in device.moved] == [N * D, D, N * D]
        float(rows.sum())
        assert bool((rows < 9).all())
        assert device.scalars == 2
        assert torch.zeros(3, device=rows.device).device == rows.new_zeros(3).device == CUDA
        assert (rows + 1).device == (rows * torch.tensor(2.0)).device == CUDA


def test_a_method_that_forgets_the_device_is_found_out():
    class Forgetful(rc.MeanShift):
        def _mapper(self):
            shift = self.mean_target_ - self.mean_source_
            return lambda block, out: out.copy_(block + shift)

    with pretended(), pytest.raises(RuntimeError, match="mixes"):
        Forgetful().fit(source=there(Y), target=there(X)).transform(there(Y))


def test_rows_of_a_device_are_cut_as_those_of_the_cpu_where_statistics_run_there(monkeypatch):
    monkeypatch.setattr(moments, "in_cache", lambda rows: iter(rows.split(100)))
    how = {"normalize": True, "where": torch.device("cpu")}
    with pretended():
        pieces = list(zip(float64_pieces(X, 0, **how), float64_pieces(there(X), 0, **how), strict=True))
    assert all(here.shape == moved.shape for here, moved in pieces)
    assert len(pieces) == N // 100
    assert torch.equal(pieces[-1][0], pieces[-1][1])
