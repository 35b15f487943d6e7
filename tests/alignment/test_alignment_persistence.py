"""A method saved and loaded is the same method, and damaged folders are refused in a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from realign_core.alignment import (
    Aligner,
    MeanShift,
    ReAlign,
    create,
    load_aligner,
    map_in_sample,
    method_names,
    save_aligner,
)
from realign_core.alignment import registry as registry_module
from realign_core.alignment.persistence import ARRAYS, RECORD
from realign_core.validation import UnusableInput


@pytest.fixture(scope="module")
def sets():
    generator = np.random.default_rng(0)
    return generator.standard_normal((2, 60, 8)).astype(np.float32) + generator.standard_normal((2, 1, 8))


@pytest.fixture
def saved(tmp_path, sets):
    ReAlign().fit(source=sets[0], target=sets[1]).save(tmp_path / "aligner")
    return tmp_path / "aligner"


@pytest.mark.parametrize("name", method_names())
def test_a_round_trip_changes_no_bit(name, tmp_path, sets):
    y, x = sets
    method = create(name).fit(source=y, target=x)
    save_aligner(method, tmp_path / "deep" / "aligner")
    loaded = load_aligner(tmp_path / "deep" / "aligner")
    assert type(loaded) is type(method)
    assert loaded.settings() == method.settings()
    np.testing.assert_array_equal(loaded.transform(y), method.transform(y))
    np.testing.assert_array_equal(map_in_sample(loaded, y), map_in_sample(method, y))
    learnt = {key for key in vars(method) if key.endswith("_")}
    assert learnt == {key for key in vars(loaded) if key.endswith("_")}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"aligner"}
    assert {path.name for path in (tmp_path / "deep" / "aligner").iterdir()} == {RECORD, ARRAYS}


def test_settings_survive(tmp_path, sets):
    create("blockwise", shrinkage=None, energy=0.9).fit(source=sets[0], target=sets[1]).save(tmp_path)
    assert load_aligner(tmp_path).settings() == {"shrinkage": None, "energy": 0.9, "normalize": True}


def test_an_earlier_aligner_is_replaced_and_other_files_are_not(saved, sets, tmp_path):
    MeanShift().fit(source=sets[0], target=sets[1]).save(saved)
    assert isinstance(load_aligner(saved), MeanShift)
    (saved / "notes.txt").write_text("keep me")
    with pytest.raises(UnusableInput, match="holds other files; name a new or empty folder"):
        MeanShift().fit(source=sets[0], target=sets[1]).save(saved)
    assert (saved / "notes.txt").read_text() == "keep me"
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableInput, match="is a file; name a folder"):
        MeanShift().fit(source=sets[0], target=sets[1]).save(tmp_path / "file")


def test_a_failed_write_leaves_the_earlier_aligner(saved, sets, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("realign_core.alignment.persistence.save_file", full)
    with pytest.raises(UnusableInput, match="cannot be written: No space left"):
        MeanShift().fit(source=sets[0], target=sets[1]).save(saved)
    assert isinstance(load_aligner(saved), ReAlign)
    assert [path.name for path in saved.parent.iterdir()] == ["aligner"]


def test_an_unfitted_method_is_not_saved(tmp_path):
    with pytest.raises(UnusableInput, match="realign is not fitted"):
        ReAlign().save(tmp_path / "aligner")
    assert not (tmp_path / "aligner").exists()


def test_a_loaded_method_does_not_go_on_fitting(saved, sets):
    with pytest.raises(UnusableInput, match="was loaded from a folder and only maps; make a new one"):
        load_aligner(saved).partial_fit(source=sets[0])


def edit(folder, **changes):
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, **changes}))


def damage_values(folder):
    record = json.loads((folder / RECORD).read_text())
    del record["values"]["scale_"]
    (folder / RECORD).write_text(json.dumps(record))


def save_arrays(folder, **arrays):
    from safetensors.torch import load_file, save_file

    arrays = {**load_file(folder / ARRAYS), **arrays}
    save_file(arrays, folder / ARRAYS)
    edit(folder, shapes={key: list(value.shape) for key, value in arrays.items()})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / ARRAYS).unlink(), "has no arrays.safetensors"),
        (lambda f: (f / RECORD).unlink(), "has no aligner.json"),
        (lambda f: (f / RECORD).write_text("{"), "is damaged"),
        (lambda f: (f / RECORD).write_bytes(b"\xff\xfe\x00"), "is damaged"),
        (lambda f: (f / RECORD).write_text("[]"), "is not a saved method"),
        (lambda f: (f / ARRAYS).write_bytes((f / ARRAYS).read_bytes()[:-9]), "is damaged"),
        (lambda f: (f / ARRAYS).write_bytes(b""), "is damaged"),
        (lambda f: edit(f, version=9), "has version 9; this program reads version 1"),
        (lambda f: edit(f, name=3), "lacks a usable 'name'"),
        (lambda f: edit(f, name="elsewhere"), "'elsewhere', which is not registered"),
        (lambda f: edit(f, settings={"size": 3}), "realign has no setting size"),
        (lambda f: edit(f, shapes={}), "do not belong together"),
        (lambda f: edit(f, values={}), "do not fit realign"),
        (lambda f: edit(f, name="rotation", settings={"normalize": True}), "do not fit rotation"),
        (damage_values, "do not fit realign"),
        (
            lambda f: save_arrays(f, bias_=torch.full((8,), torch.nan)),
            "bias_ holds values that are not finite",
        ),
        (lambda f: save_arrays(f, bias_=torch.ones(9)), "do not fit realign"),
        (lambda f: save_arrays(f, extra=torch.ones(8)), "do not fit realign"),
    ],
)
def test_damaged_folders_are_refused(damage, message, saved):
    damage(saved)
    with pytest.raises(UnusableInput, match=message) as caught:
        load_aligner(saved)
    assert "\n" not in str(caught.value)


class Halfway(MeanShift):
    """Derived from a method of the project: saved without a line of its own."""

    name = "halfway"

    def _solve(self, source, target):
        self._set_map(1.0, (target.mean - source.mean) / 2)


class Stubborn(MeanShift):
    name = "stubborn"

    def _solve(self, source, target):
        super()._solve(source, target)
        self.memory_ = object()


class Bare:
    def fit(self, *, source, target):
        return self

    def transform(self, rows):
        return rows


def test_users_methods_are_saved_or_say_why_not(tmp_path, sets, monkeypatch):
    monkeypatch.setattr(registry_module, "_FACTORIES", dict(registry_module._FACTORIES))
    registry_module.register_method("halfway", Halfway)
    y, x = sets
    method = Halfway().fit(source=y, target=x)
    save_aligner(method, tmp_path / "halfway")
    np.testing.assert_array_equal(load_aligner(tmp_path / "halfway").transform(y), method.transform(y))
    with pytest.raises(UnusableInput, match="stubborn cannot be saved"):
        save_aligner(Stubborn().fit(source=y, target=x), tmp_path / "stubborn")
    with pytest.raises(UnusableInput, match=r"Bare cannot be saved: it has no save\(folder\)"):
        save_aligner(Bare(), tmp_path / "bare")
    assert issubclass(Halfway, Aligner)


def test_both_files_get_the_permissions_of_any_new_file(tmp_path):
    ReAlign().fit(source=np.random.default_rng(0).random((9, 4)), target=np.eye(4)).save(tmp_path / "saved")
    (tmp_path / "plain").write_text("")
    wanted = (tmp_path / "plain").stat().st_mode
    assert {path.stat().st_mode for path in (tmp_path / "saved").iterdir()} == {wanted}
