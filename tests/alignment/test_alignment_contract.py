"""What holds of every method: types, blocks, precision, partial fitting, errors, names."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from untrained import create

from realign_core.alignment import (
    C3,
    Aligner,
    AnchorTrace,
    Blockwise,
    Identity,
    MeanShift,
    Procrustes,
    ReAlign,
    map_in_sample,
    method_names,
    traits,
)
from realign_core.load.batches import Batches
from realign_core.validation import UnusableInput

NAMES = (
    "identity", "mean_shift", "c3", "anchor_trace", "realign", "rotation", "blockwise", "gaussian_ot",
    "anisoalign", "procrustes", "random_target",
)  # fmt: skip
PRECISION = {torch.float64: 1e-11, torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


class InMemory:
    """A `RowSource` over an array."""

    def __init__(self, rows):
        self.rows, self.shape, self.dtype = rows, rows.shape, str(rows.dtype)

    def read(self, start, stop):
        return self.rows[start:stop]

    def take(self, indices):
        return self.rows[indices]


def cloud(n, d, seed, offset=0.6):
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((n, d)) * np.arange(1, d + 1) ** -0.7
    return rows + offset * generator.standard_normal(d)


@pytest.fixture(scope="module")
def sets():
    return cloud(150, 10, 1), cloud(150, 10, 2)


def ragged(rows, cuts=(1, 7, 60, 61)):
    return np.split(rows, cuts)


def test_names_stand_in_order():
    assert method_names() == NAMES
    assert all(create(name).name == name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", list(PRECISION))
def test_type_and_precision_come_back(name, dtype, sets):
    y, x = (torch.from_numpy(rows).to(dtype) for rows in sets)
    exact = create(name).fit(source=y.double(), target=x.double()).transform(y.double())
    z = create(name).fit(source=y, target=x).transform(y)
    assert (z.dtype, z.shape, z.device) == (dtype, y.shape, y.device)
    assert float((z.double() - exact).abs().max()) < PRECISION[dtype]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numpy_comes_back_as_numpy(name, dtype, sets):
    y, x = (rows.astype(dtype) for rows in sets)
    before = y.copy()
    z = create(name).fit(source=y, target=x).transform(y)
    assert isinstance(z, np.ndarray)
    assert (z.dtype, z.shape) == (y.dtype, y.shape)
    np.testing.assert_array_equal(y, before)
    as_tensor = create(name).fit(source=torch.from_numpy(y), target=torch.from_numpy(x))
    np.testing.assert_array_equal(z, as_tensor.transform(torch.from_numpy(y)).numpy())


@pytest.mark.parametrize("name", NAMES)
def test_streamed_equals_in_memory(name, sets):
    y, x = sets
    plain = create(name).fit(source=y, target=x)
    z, inside = plain.transform(y), map_in_sample(plain, y)
    lists = create(name).fit(source=ragged(y), target=ragged(x, (30, 100)))
    batches = create(name).fit(
        source=Batches(InMemory(y), block_rows=13), target=Batches(InMemory(x), block_rows=64)
    )
    for method in (lists, batches):
        np.testing.assert_allclose(method.transform(y), z, atol=1e-11)
    np.testing.assert_allclose(plain.transform(ragged(y)), z, atol=1e-14)
    np.testing.assert_allclose(plain.transform(Batches(InMemory(y), block_rows=13)), z, atol=1e-14)
    np.testing.assert_allclose(np.concatenate(list(plain.transform_batches(ragged(y)))), z, atol=1e-14)
    np.testing.assert_allclose(map_in_sample(plain, ragged(y)), inside, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_fitting_rows_does_not_matter(name, sets):
    y, x = sets
    order = np.random.default_rng(0).permutation(len(y))
    if name == "random_target":
        return
    z = create(name).fit(source=y, target=x).transform(y)
    np.testing.assert_allclose(create(name).fit(source=y[order], target=x[order]).transform(y), z, atol=1e-11)


def test_procrustes_heeds_the_order_within_a_pair(sets):
    y, x = sets
    z = Procrustes().fit(source=y, target=x).transform(y)
    assert np.abs(Procrustes().fit(source=y, target=x[::-1]).transform(y) - z).max() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_partial_fitting_equals_fit(name, sets):
    y, x = sets
    whole = create(name).fit(source=y, target=x)
    part = create(name)
    for block_y, block_x in zip(ragged(y), ragged(x), strict=True):
        part.partial_fit(source=block_y, target=block_x)
    while part.needs_pass:
        for block in ragged(y):
            part.partial_fit_centroid(source=block)
    np.testing.assert_allclose(part.transform(y), whole.transform(y), atol=1e-12)
    for key, value in vars(whole).items():
        if key.endswith("_") and isinstance(value, torch.Tensor):
            torch.testing.assert_close(getattr(part, key), value, atol=1e-12, rtol=1e-12)


def test_the_two_sides_may_come_one_after_the_other_and_more_later(sets):
    y, x = sets
    part = MeanShift().partial_fit(target=x).partial_fit(source=y[:100])
    part.transform(y)
    part.partial_fit(source=y[100:])
    np.testing.assert_allclose(part.transform(y), oracles.mean_shift(y, x), atol=1e-12)


def test_an_unfinished_pass_is_said(sets):
    y, x = sets
    part = ReAlign().partial_fit(source=y, target=x)
    part.partial_fit_centroid(source=y[:40])
    with pytest.raises(UnusableInput, match=r"still needs a pass over the 150 source rows \(40 have come\)"):
        part.transform(y)
    with pytest.raises(UnusableInput, match="this pass brings more"):
        part.partial_fit_centroid(source=y)
    part.partial_fit_centroid(source=y[40:])
    np.testing.assert_allclose(part.transform(y), oracles.realign(y, x), atol=1e-12)
    with pytest.raises(UnusableInput, match="needs no further pass"):
        part.partial_fit_centroid(source=y)


@pytest.mark.parametrize("name", ["c3", "random_target"])
def test_draws_depend_on_seed_and_row_alone(name):
    y, x = cloud(3000, 150, 1), cloud(400, 150, 2)
    method = create(name, seed=4).fit(source=y, target=x)
    z = method.transform(y)
    np.testing.assert_allclose(np.concatenate([method.transform(y[:9]), z[9:]]), z, atol=1e-14)
    np.testing.assert_allclose(method.transform(np.array_split(y, 7)), z, atol=1e-14)
    np.testing.assert_array_equal(method.transform(y), z)
    assert np.abs(create(name, seed=5).fit(source=y, target=x).transform(y) - z).max() > 0.01
    single = method.transform(y.astype(np.float32))
    np.testing.assert_allclose(single, z, atol=1e-6)


def test_c3_noise_has_the_named_size():
    y, x = cloud(500, 200, 1), cloud(400, 200, 2)
    default = C3(normalize=False).fit(source=y, target=x)
    noise = default.transform(y) - (y - y.mean(0) + x.mean(0))
    assert default.sigma_ == pytest.approx(0.25 / np.sqrt(200))
    assert noise.std() == pytest.approx(default.sigma_, rel=0.02)
    assert np.linalg.norm(noise, axis=1).mean() == pytest.approx(0.25, rel=0.02)
    assert C3(preset="captioning").fit(source=y, target=x).sigma_ == pytest.approx(np.sqrt(0.016))
    np.testing.assert_allclose(
        C3(sigma=0).fit(source=y, target=x).transform(y), oracles.mean_shift(y, x), atol=1e-12
    )


def test_realign_of_float32_rows_is_close_to_the_slow_version():
    y, x = (cloud(3000, 96, seed, 0.1).astype(np.float32) for seed in (1, 2))
    method = ReAlign().fit(source=y, target=x)
    assert np.abs(method.transform(y) - oracles.realign(y, x)).max() < 1e-6
    # A few rows are added up in float64; only the result is rounded to the input's type.
    np.testing.assert_allclose(method.mean_source_, oracles.unit(y).mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(method.centroid_, oracles.anchor_trace(y, x).mean(axis=0), atol=1e-14)


def test_many_float32_rows_are_added_up_in_short_sums():
    y, x = (cloud(30_000, 96, seed, 0.1).astype(np.float32) for seed in (1, 2))
    method = ReAlign().fit(source=y, target=x)
    assert np.abs(method.transform(y) - oracles.realign(y, x)).max() < 1e-6
    np.testing.assert_allclose(method.mean_source_, oracles.unit(y).mean(axis=0), atol=1e-8)
    np.testing.assert_allclose(method.centroid_, oracles.anchor_trace(y, x).mean(axis=0), atol=1e-8)
    wide = ReAlign().fit(source=y.astype(np.float64), target=x.astype(np.float64))
    np.testing.assert_allclose(wide.mean_source_, oracles.unit(y).mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(wide.centroid_, oracles.anchor_trace(y, x).mean(axis=0), atol=1e-14)


def test_rotation_means_of_float32_rows_are_exact():
    y, x = (cloud(3000, 96, seed, 0.1).astype(np.float32) for seed in (1, 2))
    method = create("rotation").fit(source=y, target=x)
    np.testing.assert_allclose(method.mean_target_, oracles.unit(x).mean(axis=0), atol=1e-15)


def test_a_mapped_row_near_zero_keeps_its_direction():
    """Where `s u + b` almost vanishes the expanded square has no digits left; the row is formed instead."""
    x, y = (cloud(400, 24, seed, 0.5).astype(np.float32) for seed in (3, 4))
    method = ReAlign().fit(source=y, target=x)
    back = -(method.bias_ / method.scale_).numpy()
    row = (back / np.linalg.norm(back) + 1e-3).astype(np.float32)[None]
    rows = np.concatenate([y, row])
    found = method.transform(rows).astype(np.float64)
    exact = method.transform(rows.astype(np.float64))
    assert np.abs(found - exact).max() < 1e-6
    assert np.abs(np.linalg.norm(exact, axis=1) - 1).max() < 1e-15


@pytest.mark.parametrize("variance", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_a_narrow_source_is_mapped_to_the_digits_of_its_type(variance, kind):
    """The scale is large there, and what it stretches is the difference of rows that agree in most digits."""
    generator = np.random.default_rng(5)
    y = np.eye(48)[0] + generator.standard_normal((900, 48)) * (variance / 48) ** 0.5
    x = cloud(900, 48, 6, 0.3)
    y, x = y.astype(np.float32).astype(kind), x.astype(np.float32).astype(kind)
    method = ReAlign().fit(source=y, target=x)
    exact = oracles.realign(y.astype(np.float64), x.astype(np.float64))
    assert np.abs(method.transform(y) - exact).max() < (1e-6 if kind == "float32" else 1e-9)
    assert np.abs(method.transform(y.astype(np.float64)) - exact).max() < 2e-7


@pytest.mark.parametrize("name", ["realign", "rotation", "gaussian_ot", "blockwise", "procrustes", "c3"])
def test_tensors_that_record_gradients_are_read_as_they_are(name):
    y, x = (torch.from_numpy(cloud(90, 12, seed, 0.2)).float().requires_grad_() for seed in (1, 2))
    found = create(name).fit(source=y, target=x).transform(y)
    plain = create(name).fit(source=y.detach(), target=x.detach()).transform(y.detach())
    assert not found.requires_grad
    torch.testing.assert_close(found, plain, rtol=0, atol=0)


@pytest.mark.parametrize("scale", [1e-37, 1e-30, 1e-22, 1e-17, 1e19, 1e30])
@pytest.mark.parametrize("name", NAMES)
def test_float32_rows_whose_squares_leave_float32_keep_their_direction(name, scale, sets):
    y, x = (rows.astype(np.float32) for rows in sets)
    large_y, large_x = ((rows.astype(np.float64) * scale).astype(np.float32) for rows in (y, x))
    plain = create(name).fit(source=y, target=x)
    scaled = create(name).fit(source=large_y, target=large_x)
    np.testing.assert_allclose(scaled.transform(large_y), plain.transform(y), atol=PRECISION[torch.float32])


@pytest.mark.parametrize("spread", [1e-2, 1e-4, 1e-6])
def test_the_scale_keeps_its_digits_in_narrow_cones(spread):
    generator = np.random.default_rng(0)
    y, x = (
        oracles.unit(size * spread * generator.standard_normal((300, 8)) + np.eye(8)[side])
        for side, size in ((0, 2.0), (1, 1.0))
    )
    traces = (np.trace(oracles.covariance(rows)) for rows in (x, y))
    expected = np.sqrt(next(traces) / next(traces))
    # What is left is the rounding of the rows themselves, 1e-16 of their length beside the spread.
    assert AnchorTrace().fit(source=y, target=x).scale_ == pytest.approx(expected, rel=1e-15 / spread)


def test_realign_centroid_survives_rows_that_nearly_cancel():
    y = np.vstack([cloud(60, 6, 1, 0), cloud(60, 6, 2, 0)])
    x = -y + 1e-9
    y[0] = 1.0
    method = ReAlign().fit(source=y, target=x)
    np.testing.assert_allclose(method.centroid_, oracles.anchor_trace(y, x).mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(method.transform(y), oracles.realign(y, x), atol=1e-11)


def test_memory_that_torch_cannot_look_at_is_read(sets):
    y, x = sets
    expected = MeanShift().fit(source=y, target=x).transform(y)
    frozen = y.copy()
    frozen.flags.writeable = False
    backwards = y[::-1].copy()[::-1]
    for rows in (frozen, backwards, np.asfortranarray(y)):
        np.testing.assert_allclose(
            MeanShift().fit(source=rows, target=x).transform(rows), expected, atol=1e-14
        )
    doubled = torch.from_numpy(np.repeat(y, 2, axis=1))[:, ::2].requires_grad_()
    np.testing.assert_allclose(
        MeanShift().fit(source=doubled, target=x).transform(doubled), expected, atol=1e-14
    )


def test_settings_are_stored_and_shown():
    method = Blockwise(shrinkage=None, energy=0.9)
    assert method.settings() == {"shrinkage": None, "energy": 0.9, "normalize": True}
    assert repr(method) == "Blockwise(shrinkage=None, energy=0.9, normalize=True)"
    assert not [key for key in vars(method) if key.endswith("_")]


def test_traits_of_the_methods():
    assert [name for name in NAMES if traits(create(name)).uses_pairs] == ["procrustes"]
    assert [name for name in NAMES if traits(create(name)).adds_noise] == ["c3"]
    assert [name for name in NAMES if traits(create(name)).copies_target] == ["random_target"]
    assert [name for name in NAMES if not traits(create(name)).fits_mean] == ["identity", "procrustes"]
    assert [name for name in NAMES if traits(create(name)).trained] == ["anisoalign"]
    assert issubclass(Identity, Aligner)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_tensors_stay_on_their_device(name, sets):
    y, x = (torch.from_numpy(rows) for rows in sets)
    expected = create(name).fit(source=y, target=x).transform(y)
    z = create(name).fit(source=y.cuda(), target=x.cuda()).transform(y.cuda())
    assert z.device.type == "cuda"
    torch.testing.assert_close(z.cpu(), expected, atol=1e-11, rtol=0)
