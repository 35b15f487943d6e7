"""A pass on several workers gives the answer of one machine, also where one of them is killed midway."""

from __future__ import annotations

import os
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from faulty_parts import killed_once, refused, unread_once

import realign_core as rc
from realign_core import alignment
from realign_core.diagnostics.statistics import PairStatistics
from realign_core.engine.plan import planned
from realign_core.load import Batches, load_pair
from realign_core.load.filed import cut
from realign_core.load.opening import open_rows
from realign_core.load.passes import summed_by, total
from realign_core.moments import Moments

pytestmark = pytest.mark.usefixtures("cluster")
SMALL = 20_000
BLOCK = 200


@pytest.fixture
def engine():
    from realign_core.engine.ray_engine import RayEngine

    return RayEngine(stretch_bytes=SMALL)


def opened(paths, **options):
    """A pair whose blocks are so short that there are many."""
    pair = load_pair(*paths, **options)
    pair.target.block_rows = pair.source.block_rows = BLOCK
    return pair


def numbers(value, prefix=""):
    """All tensors and floats inside a result, by name."""
    if isinstance(value, torch.Tensor):
        return {prefix: value.double().numpy()}
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        return {prefix: np.array(float(value))}
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    if hasattr(value, "__dataclass_fields__"):
        inner = vars(value).items()
    return {key: array for name, part in inner for key, array in numbers(part, f"{prefix}.{name}").items()}


def assert_same(found, expected, tolerance=1e-12):
    found, expected = numbers(found), numbers(expected)
    assert found.keys() == expected.keys()
    assert expected
    for name, array in expected.items():
        scale = np.abs(array).max(initial=0)
        assert np.abs(found[name] - array).max(initial=0) <= tolerance * scale, name


@pytest.mark.parametrize("paired", ["yes", "no"])
def test_the_statistics_of_a_pair(engine, sets, paired):
    pair = opened(sets, paired=paired)
    collect = partial(
        PairStatistics.collect, pair.target, pair.source, paired=pair.paired, groups=pair.groups, device="cpu"
    )
    local = collect()
    with summed_by(engine):
        found = collect()
        again = collect()
    assert (local.unit_scatter is not None) == (paired == "yes")
    assert_same(found, local)
    assert_same(again, found, tolerance=0)


@pytest.mark.parametrize("name", [name for name in alignment.method_names() if name != "anisoalign"])
def test_what_a_method_learns(engine, npy_sets, name):
    pair = opened(npy_sets, paired="yes")
    local = alignment.create(name).fit(source=pair.source, target=pair.target)
    with summed_by(engine):
        found = alignment.create(name).fit(source=pair.source, target=pair.target)
    learnt = [{k: v for k, v in vars(method).items() if k.endswith("_")} for method in (found, local)]
    # What is left of the centroid gap is itself rounding.
    gaps = [values.pop("centroid_gap_", 0.0) for values in learnt]
    assert max(gaps) < 1e-10
    assert_same(*learnt, tolerance=1e-11 if name in ("rotation", "gaussian_ot", "blockwise") else 1e-12)


def test_the_scan_and_rows_that_were_dropped(engine, tmp_path):
    rows = np.random.default_rng(0).standard_normal((4000, 8)).astype("float32")
    rows[7], rows[900], rows[2500] = np.nan, 0, np.inf
    rows[3000] = rows[10]
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "y.npy", rows[::-1])
    paths = str(tmp_path / "x.npy"), str(tmp_path / "y.npy")
    local = opened(paths, paired="no")
    with summed_by(engine):
        found = opened(paths, paired="no")
        moments = Moments.from_batches(found.target, device="cpu")
    assert found.report == local.report
    assert found.report.rows_dropped.target == 3
    np.testing.assert_array_equal(found.target.keep, local.target.keep)
    assert_same(moments, Moments.from_batches(local.target, device="cpu"))


@pytest.mark.parametrize("fault", [killed_once, unread_once])
def test_a_worker_that_is_lost_midway_changes_nothing(engine, npy_sets, tmp_path, fault):
    pair = opened(npy_sets)
    marker = str(tmp_path / "fault")
    options = {"normalize": True, "where": torch.device("cpu"), "marker": marker}
    part = partial(fault, **options, **({"at": 1700} if fault is killed_once else {}))
    with summed_by(engine):
        found = total("moments", (pair.target,), part, Moments)
    assert os.path.exists(marker)
    assert_same(found, Moments.from_batches(pair.target, device="cpu"))


def test_unusable_input_comes_back_as_its_first_sentence_and_is_not_tried_again(engine, npy_sets, tmp_path):
    rows = opened(npy_sets).target
    marker = tmp_path / "asked"
    with summed_by(engine), pytest.raises(rc.UnusableInput, match=r"^row 0 is of no use; drop it$"):
        total("moments", (rows,), partial(refused, marker=str(marker)), Moments)
    assert len(marker.read_text()) <= len(planned([rows], BLOCK, SMALL))


def test_a_file_that_is_gone_is_named(engine, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.ones((500, 4), "float32"))
    rows = Batches(open_rows(path), block_rows=50)
    path.unlink()
    with summed_by(engine), pytest.raises(rc.UnusableInput, match=r"x\.npy is not there on .*under one path"):
        Moments.from_batches(rows, device="cpu")


def test_the_cluster_goes_on_after_passes_that_failed(engine, tmp_path, monkeypatch):
    import ray

    def cancelled(*_, **__):
        raise AssertionError("where a reply is on the way, Ray ends the process of who cancels")

    monkeypatch.setattr(ray, "cancel", cancelled)
    good, bad = np.random.default_rng(0).standard_normal((2, 600, 4)).astype("float32")
    bad[30] = 0
    for name, rows in (("good", good), ("bad", bad)):
        np.save(tmp_path / f"{name}.npy", rows)
    good, bad = (Batches(open_rows(tmp_path / f"{name}.npy"), block_rows=20) for name in ("good", "bad"))
    with summed_by(engine):
        for _ in range(5):
            with pytest.raises(rc.UnusableInput, match="row 30 has length 0"):
                Moments.from_batches(bad, device="cpu")
        found = Moments.from_batches(good, device="cpu")
    assert_same(found, Moments.from_batches(good, device="cpu"), tolerance=1e-13)


def test_rows_in_memory_are_summed_here(engine):
    rows = np.random.default_rng(0).standard_normal((1000, 4))
    pair = rc.EmbeddingPair.from_arrays(rows, rows + 1, paired="no")
    with summed_by(engine):
        found = Moments.from_batches(pair.target, device="cpu")
    assert_same(found, Moments.from_batches(rows, device="cpu"), tolerance=1e-14)


def test_stretches_travel_as_recipes(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((20_000, 128), "float32"))
    source = open_rows(tmp_path / "x.npy")
    odd = np.arange(0, 20_000, 2)
    assert len(pickle.dumps(cut(Batches(source), 8192, 16_384))) < 10_000
    kept = cut(Batches(source, keep=odd), 1000, 2000)
    assert len(pickle.dumps(kept)) < 10_000 + 1000 * 8
    again = pickle.loads(pickle.dumps(kept))
    assert again.shape == (1000, 128)


@pytest.mark.parametrize("keep", [None, "some", "shuffled"])
def test_stretches_cover_all_rows_once(sets, keep):
    source = open_rows(sets[0])
    order = np.random.default_rng(0).permutation(source.shape[0])[:3000]
    kept = {None: None, "some": np.sort(order), "shuffled": order}[keep]
    rows = Batches(source, keep=kept, block_rows=BLOCK)
    plan = planned([rows], BLOCK, SMALL)
    assert all(start % BLOCK == 0 for start, _ in plan)
    pieces = [pickle.loads(pickle.dumps(cut(rows, *stretch)))[:] for stretch in plan]
    np.testing.assert_array_equal(np.concatenate(pieces), rows[:])
    if keep != "shuffled" or sets[0].endswith(".npy"):
        assert len(plan) > 2
