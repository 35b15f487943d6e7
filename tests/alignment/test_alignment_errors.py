"""Errors that name what is wrong and what to do, and methods of the user's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realign_core.alignment import (
    C3,
    Blockwise,
    GaussianOT,
    MeanShift,
    Procrustes,
    RandomTarget,
    ReAlign,
    Rotation,
    create,
    map_in_sample,
    method_names,
    traits,
)
from realign_core.alignment import registry as registry_module
from realign_core.load.arrays import ArrayRows
from realign_core.load.batches import Batches
from realign_core.validation import UnusableInput


@pytest.fixture(scope="module")
def sets():
    return np.random.default_rng(0).standard_normal((2, 150, 10)) + 0.3


@pytest.fixture
def clean_registry(monkeypatch):
    monkeypatch.setattr(registry_module, "_FACTORIES", dict(registry_module._FACTORIES))


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda y, x: MeanShift().transform(y), r"mean_shift is not fitted; call fit\("),
        (lambda y, x: MeanShift().partial_fit(source=y).transform(y), r"the target has 0 row\(s\)"),
        (lambda y, x: MeanShift().fit(source=y[:1], target=x), r"the source has 1 row\(s\); at least 2"),
        (lambda y, x: MeanShift().fit(source=y, target=x[:, :9]), "target rows have dimension 9 but"),
        (lambda y, x: MeanShift().fit(source=y, target=x).transform(y[:, :4]), "dimension 4 but mean_shift"),
        (lambda y, x: MeanShift().fit(source=y, target=x).transform(y[0]), r"matrix \(n, d\)"),
        (lambda y, x: MeanShift().fit(source=[y[0]], target=x), r"matrix \(n, d\); this has shape \(10,\)"),
        (lambda y, x: MeanShift().fit(source=y, target=x).transform([]), "no rows to map"),
        (lambda y, x: MeanShift().fit(source=iter([y]), target=x), "can be read only once"),
        (lambda y, x: MeanShift().fit(source="file.npy", target=x), "source is str; give an array"),
        (lambda y, x: MeanShift().fit(source=y.astype(int), target=x), "convert them to float16"),
        (lambda y, x: MeanShift().fit(source=torch.ones(3, 10).int(), target=x), "floating type"),
        (lambda y, x: MeanShift().fit(source=y * (np.arange(150) != 7)[:, None], target=x),
         r"source row 7 has length 0\.0; .* drop or repair"),
        (lambda y, x: MeanShift().fit(source=y, target=[x, x * np.nan]), "target row 150 has length nan"),
        (lambda y, x: ReAlign().fit(source=y[:1].repeat(9, 0), target=x), "all source rows are equal"),
        (lambda y, x: ReAlign().fit(source=y[:1].repeat(9, 0).astype("f4"), target=x), "rows are equal"),
        (lambda y, x: Rotation().fit(source=y[:1].repeat(9, 0), target=x), "all source rows are equal"),
        (lambda y, x: Blockwise().fit(source=y[:1].repeat(9, 0), target=x), "all source rows are equal"),
        (lambda y, x: GaussianOT().fit(source=y[:1].repeat(9, 0), target=x), "all source rows are equal"),
        (lambda y, x: Procrustes().fit(source=y, target=x[:100]), "procrustes needs pairs"),
        (lambda y, x: Procrustes().partial_fit(source=y), "150 source rows and 0 target rows"),
        (lambda y, x: C3(sigma=1, preset="captioning").fit(source=y, target=x), "give one of them"),
        (lambda y, x: C3(preset="loud").fit(source=y, target=x), "choose one of captioning"),
        (lambda y, x: C3(sigma=-1).fit(source=y, target=x), "sigma is -1; it must be 0 or more"),
        (lambda y, x: C3(seed=-1).fit(source=y, target=x), "seed is -1"),
        (lambda y, x: RandomTarget(seed=0.5).fit(source=y, target=x), "seed is 0.5; it must be a whole"),
        (lambda y, x: RandomTarget().fit(source=y, target=x).transform_in_sample(x.repeat(2, 0)), "are more"),
        (lambda y, x: Rotation(bures=2).fit(source=y, target=x), "bures is 2"),
        (lambda y, x: Blockwise(shrinkage="lw").fit(source=y, target=x), "give 'oas', None or a number"),
        (lambda y, x: Blockwise(shrinkage=2).fit(source=y, target=x), "shrinkage is 2"),
        (lambda y, x: Blockwise(energy=0).fit(source=y, target=x), "energy is 0"),
        (lambda y, x: GaussianOT(shrinkage=-1).fit(source=y, target=x), "shrinkage is -1"),
        (lambda y, x: create("realine"), "there is no method 'realine'; choose from identity, mean_shift"),
        (lambda y, x: create("blockwise", shrink=1), "blockwise has no setting shrink; it has shrinkage"),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong_and_what_to_do(work, message, sets):
    with pytest.raises(UnusableInput, match=message) as caught:
        work(*sets)
    assert "\n" not in str(caught.value)


class Flip:
    """A user's method: nothing but the two calls."""

    def fit(self, *, source, target):
        return self

    def transform(self, rows):
        return -rows


@pytest.mark.usefixtures("clean_registry")
def test_a_users_method_joins_without_the_optional_parts(sets):
    registry_module.register_method("flip", Flip)
    registry_module.register_method("made", lambda: Flip())
    y, x = sets
    for name in ("flip", "made"):
        method = create(name, normalize=True, seed=3)
        assert traits(method) == registry_module.Traits()
        unit = y / np.linalg.norm(y, axis=1, keepdims=True)
        np.testing.assert_allclose(map_in_sample(method.fit(source=y, target=x), y), -unit, rtol=1e-14)
    assert method_names()[-2:] == ("flip", "made")
    with pytest.raises(UnusableInput, match="flip has no setting size; it has none"):
        create("flip", size=3)


@pytest.mark.usefixtures("clean_registry")
def test_a_users_method_meets_unit_tensors_and_gives_back_what_came(sets):
    seen = []

    class Shift:
        def fit(self, *, source, target):
            seen.extend((source, target))
            self.shift = target.mean(0) - source.mean(0)
            return self

        def transform(self, rows):
            seen.append(rows)
            return rows + self.shift

    registry_module.register_method("shift", Shift)
    y, x = (part.astype(np.float32) for part in sets)
    blocks = Batches(ArrayRows(y), block_rows=64)
    for rows in (y, torch.from_numpy(y), blocks):
        method = create("shift").fit(source=rows, target=x)
        mapped = method.transform(rows)
        assert type(mapped) is (torch.Tensor if isinstance(rows, torch.Tensor) else np.ndarray)
        assert str(mapped.dtype).removeprefix("torch.") == "float32"
        streamed = np.concatenate(list(method.transform_batches(rows)))
        np.testing.assert_allclose(streamed, np.asarray(mapped), atol=1e-7)
    assert {rows.dtype for rows in seen} == {torch.float64}
    norms = torch.cat([torch.linalg.vector_norm(rows, dim=1) for rows in seen])
    np.testing.assert_allclose(norms, 1, rtol=1e-14)


@pytest.mark.usefixtures("clean_registry")
@pytest.mark.parametrize(
    ("name", "factory", "message"),
    [
        ("realign", Flip, "already a method called 'realign'"),
        ("two words", Flip, "without spaces or commas"),
        ("number", 3, "cannot be called"),
        ("empty", object, "has no fit and no transform"),
    ],
)
def test_unusable_registrations_are_refused(name, factory, message):
    with pytest.raises(UnusableInput, match=message):
        registry_module.register_method(name, factory)


@pytest.mark.usefixtures("clean_registry")
def test_a_factory_that_makes_something_else_is_refused_when_used():
    registry_module.register_method("thing", lambda: object())
    with pytest.raises(UnusableInput, match="'thing' has no fit"):
        create("thing")
