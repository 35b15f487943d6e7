"""The snapshot folder: what is written is read, and what cannot be used is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realign_core.training.snapshots import (
    Snapshot,
    open_snapshots,
    read_snapshot,
    write_record,
    write_snapshot,
)
from realign_core.validation import UnusableInput


def rows(n: int = 5, d: int = 4, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((n, d))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype("f4")


def saved(folder: Path, name: str = "step_000010.npz", **changes) -> Path:
    """A good snapshot but for `changes`; an array given as None is left out."""
    arrays = {"image_embeddings": rows(), "text_embeddings": rows(seed=1), **changes}
    np.savez(folder / name, **{key: value for key, value in arrays.items() if value is not None})
    return folder / name


def test_what_is_written_is_read(tmp_path):
    snapshot = Snapshot(
        step=1_234_567,
        image_embeddings=rows(),
        text_embeddings=rows(seed=1),
        image_grads=rows(3),
        text_grads=rows(3, seed=1),
        loss=1.5,
        recall_at_1=0.25,
        recall_at_1_reverse=0.5,
        logit_scale=14.0,
        learning_rate=1e-3,
    )
    path = write_snapshot(tmp_path, snapshot)
    assert Path(path).name == "step_1234567.npz"
    found = read_snapshot(path)
    for name, value in vars(snapshot).items():
        np.testing.assert_array_equal(getattr(found, name), value)
    assert [file.name for file in tmp_path.iterdir()] == ["step_1234567.npz"]


def test_what_is_optional_may_be_missing(tmp_path):
    found = read_snapshot(saved(tmp_path, image_embeddings=rows().astype("f2"), own=np.zeros(3)))
    assert found.step == 10
    assert found.image_embeddings.dtype == np.float16
    assert (found.image_grads, found.loss, found.recall_at_1) == (None, None, None)


def test_a_folder_is_read_in_order_of_steps(tmp_path):
    for step in (900, 1_000_000, 0):
        write_snapshot(tmp_path, Snapshot(step, rows(), rows(seed=1)))
    write_record(tmp_path, {"seed": 3})
    (tmp_path / "notes.txt").write_text("other files may lie beside them")
    found = open_snapshots(tmp_path)
    assert found.steps == (0, 900, 1_000_000)
    assert len(found) == 3
    assert found.record == {"seed": 3}
    assert [snapshot.step for snapshot in found] == [0, 900, 1_000_000]


def not_finite() -> np.ndarray:
    array = rows()
    array[3, 1] = np.nan
    return array


REFUSED = {
    "lacks image_embeddings and text_embeddings": {"image_embeddings": None, "text_embeddings": None},
    "lacks text_embeddings; a snapshot needs": {"text_embeddings": None},
    "holds text_grads without image_grads": {"text_grads": rows()},
    "row 3 of text_embeddings is not finite": {"text_embeddings": not_finite()},
    "row 3 of image_grads is not finite": {"image_grads": not_finite(), "text_grads": rows()},
    "has shape (5, 4) and text_embeddings (6, 4)": {"text_embeddings": rows(6)},
    "has shape (5, 4) and text_embeddings (5, 3)": {"text_embeddings": rows(d=3)},
    "image_embeddings has shape (4,)": {"image_embeddings": np.ones(4)},
    "image_embeddings has shape (0, 4)": {"image_embeddings": np.ones((0, 4))},
    "holds int64": {"image_embeddings": np.ones((5, 4), int)},
    "image_grads has dimension 3": {"image_grads": rows(d=3), "text_grads": rows(d=3)},
    "row 0 of text_embeddings has norm 2": {"text_embeddings": 2 * rows(1).repeat(5, 0)},
    "loss must be one finite number": {"loss": np.array([1.0, 2.0])},
    "recall_at_1 must be one finite number": {"recall_at_1": np.nan},
    "step is 11": {"step": 11},
    "cannot be read as .npz": {"loss": np.array(object(), dtype=object)},
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_snapshot_that_cannot_be_used(tmp_path, words):
    path = saved(tmp_path, **REFUSED[words])
    with pytest.raises(UnusableInput) as caught:
        read_snapshot(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"nothing", b"PK\x03\x04" + bytes(40)])
def test_a_file_that_is_no_npz(tmp_path, data):
    (tmp_path / "step_000001.npz").write_bytes(data)
    with pytest.raises(UnusableInput, match=r"cannot be read as \.npz"):
        list(open_snapshots(tmp_path))


def test_a_single_array_is_no_snapshot(tmp_path):
    with open(tmp_path / "step_000001.npz", "wb") as file:
        np.save(file, rows())
    with pytest.raises(UnusableInput, match=r"cannot be read as \.npz"):
        list(open_snapshots(tmp_path))


def test_a_cut_off_file(tmp_path):
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UnusableInput, match="cannot be read"):
        read_snapshot(path)


def test_a_file_without_a_step(tmp_path):
    with pytest.raises(UnusableInput, match="names no step"):
        read_snapshot(saved(tmp_path, "first.npz"))
    assert read_snapshot(saved(tmp_path, "second.npz", step=7)).step == 7


def test_shapes_that_differ_between_steps(tmp_path):
    saved(tmp_path)
    saved(tmp_path, "step_000020.npz", image_embeddings=rows(6), text_embeddings=rows(6))
    with pytest.raises(UnusableInput, match=r"step_000020.npz holds embeddings of shape \(6, 4\)"):
        list(open_snapshots(tmp_path))


def test_folders_that_hold_nothing_to_read(tmp_path):
    with pytest.raises(UnusableInput, match="holds no snapshots"):
        open_snapshots(tmp_path)
    with pytest.raises(UnusableInput, match="is no folder"):
        open_snapshots(tmp_path / "none")


def test_two_files_of_one_step(tmp_path):
    saved(tmp_path, "step_1.npz")
    saved(tmp_path, "step_01.npz")
    with pytest.raises(UnusableInput, match="the same step"):
        open_snapshots(tmp_path)


@pytest.mark.parametrize("text", ["{", "[1]", "\x00"])
def test_a_record_that_is_no_object(tmp_path, text):
    saved(tmp_path)
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(UnusableInput, match="mend or remove it"):
        open_snapshots(tmp_path)
