"""The Training page: a bundled run, a reader's own folder, and what cannot be read."""

from __future__ import annotations

import json

import numpy as np
import pytest
from page_tools import address, figures, pairs, sentences

from pages.components import sources, training_source
from pages.components.training_run import Run, reference_of
from realign_core.training.snapshots import Snapshot, write_record, write_snapshot
from realign_core.validation import UnusableInput


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def write_run(folder, *, steps=(0, 20, 40, 60, 80, 100), grads=True):
    """A run whose gap closes by half."""
    folder.mkdir(parents=True, exist_ok=True)
    for step in steps:
        x, y = map(unit, pairs(n=120, d=8, gap=1 - step / 200, seed=1))
        given = (x - y).astype(np.float32) if grads else None
        snapshot = Snapshot(step, x, y, given, given, loss=4 - step / 50, recall_at_1=0.1 + step / 200)
        write_snapshot(folder, snapshot)
    write_record(folder, {"finished": False, "parameters": 1_200_000, "settings": {"steps": 400}})
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder that the operator allows, with no bundled run."""
    folder = tmp_path / "root"
    folder.mkdir()
    monkeypatch.setenv(sources.DATA_ROOT, str(folder))
    monkeypatch.setattr(training_source, "bundled", lambda: None)
    return folder


def test_without_a_run_the_page_says_how_to_make_one(opened, root):
    at = opened("training")
    assert not at.exception
    assert not at.error
    assert "python -m realign_core train" in sentences(at)
    assert "image_embeddings" in sentences(at)
    assert not figures(at)


def test_opens_on_the_bundled_run(opened, tmp_path, monkeypatch):
    folder = write_run(tmp_path / "bundled")
    monkeypatch.setattr(training_source, "bundled", lambda: folder)
    monkeypatch.setattr(training_source, "_shared", lambda shared={}: shared)
    at = opened("training")
    assert not at.exception
    assert not at.error
    said = sentences(at)
    assert "Bundled run · 1.20 million parameters · not finished, step 100 of 400" in said
    assert "Of the paper's four findings on training" in said
    assert "Gradients stay in U" in said
    shown = figures(at)
    assert len(shown) == 9
    assert [frame["name"] for frame in shown["figure_scrubber"]["frames"]] == [
        "0",
        "20",
        "40",
        "60",
        "80",
        "100",
    ]
    assert [metric.value for metric in at.metric][:2] == ["6, to step 100", "120"]


def test_reads_a_folder_under_the_root_and_follows_the_reference_step(opened, root, held):
    write_run(root / "own" / "run")
    at = opened("training", run="own/run")
    assert not at.exception
    assert not at.error
    assert at.select_slider(key="setting_t0").value == 40
    at.select_slider(key="setting_t0").set_value(80).run()
    assert not at.error
    assert "t₀ = 80" in json.dumps(figures(at)["size"], ensure_ascii=False)
    assert "Cannot be said".lower() in sentences(at)
    assert address(at)["t0"] == "80"
    assert len(held.runs) == 1


def test_a_run_that_grows_is_read_anew(opened, root, held):
    write_run(root / "run", steps=(0, 20, 40))
    at = opened("training", run="run")
    first = next(iter(held.runs.values())).digest
    write_run(root / "run", steps=(60,))
    at.run()
    assert at.metric[0].value == "4, to step 60"
    assert next(iter(held.runs.values())).digest != first


def test_without_gradients_the_rest_is_shown(opened, root):
    write_run(root / "run", grads=False)
    at = opened("training", run="run")
    assert not at.error
    assert "no gradients" in json.dumps(figures(at)["figure_leakage"]).replace("<br>", " ")
    assert len(figures(at)["parts"]["data"]) == 5
    assert "Gradients stay in U: cannot be said" in sentences(at)


@pytest.mark.parametrize("steps", [(100,), (0, 100)], ids=["one", "two"])
def test_too_few_snapshots_are_shown_but_not_judged(opened, root, steps):
    write_run(root / "run", steps=steps)
    at = opened("training", run="run")
    assert not at.exception
    assert not at.error
    assert "4 are left open" in sentences(at)


def damage(folder, kind):
    path = folder / "step_000040.npz"
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif kind == "another size":
        x, y = map(unit, pairs(n=50, d=8))
        write_snapshot(folder, Snapshot(40, x, y))
    elif kind == "another size at the end":
        x, y = map(unit, pairs(n=50, d=8))
        write_snapshot(folder, Snapshot(200, x, y))
    elif kind == "record":
        (folder / "record.json").write_text("{")
    elif kind == "empty":
        for file in folder.iterdir():
            file.unlink()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cut", "step_000040.npz cannot be read"),
        ("another size", "every snapshot must embed the same probe set"),
        ("another size at the end", "every snapshot must embed the same probe set"),
        ("record", "record.json cannot be read as JSON"),
        ("empty", "holds no snapshots"),
    ],
)
def test_a_damaged_folder_is_a_sentence_in_place(opened, root, kind, said):
    damage(write_run(root / "run"), kind)
    at = opened("training", run="run")
    assert not at.exception
    assert len(at.error) == 1
    assert said in at.error[0].value.replace("\\", "")
    assert str(root) not in at.error[0].value.replace("\\", "")
    assert at.text_input(key="setting_run").value == "run"


def rows_of(kind):
    """Embeddings and gradients of a snapshot that can be read and not tracked."""
    x, y = map(unit, pairs(n=40, d=8))
    if kind == "one row":
        return x[:1], y[:1], None
    if kind == "constant":
        return x[:1].repeat(40, 0), x[:1].repeat(40, 0), None
    return x, y, x[:1]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("one row", "step_000000.npz: image_embeddings are 1 row of 8"),
        ("constant", "step_000000.npz: both sets are constant"),
        ("one gradient", "step_000000.npz: image_grads are 1 row of 8"),
    ],
)
def test_a_snapshot_that_cannot_be_tracked_is_named(root, kind, said):
    x, y, grads = rows_of(kind)
    for step in (0, 10):
        write_snapshot(root, Snapshot(step, x, y, grads, grads))
    run = Run.open(root, "run", lambda line: None)
    with pytest.raises(UnusableInput, match=said):
        run.table(0, 0.99, lambda line: None)


@pytest.mark.parametrize("path", ["../outside", "/etc", "nowhere"])
def test_other_folders_are_refused(opened, root, path):
    write_run(root.parent / "outside")
    at = opened("training", run=path)
    assert not at.exception
    assert len(at.error) == 1
    assert not figures(at)


def test_a_link_that_leads_out_is_refused(opened, root):
    outside = write_run(root.parent / "outside")
    (root / "run").mkdir()
    (root / "run" / "step_000000.npz").symlink_to(outside / "step_000000.npz")
    at = opened("training", run="run")
    assert "outside the folder" in at.error[0].value


def test_without_a_root_no_folder_is_read(opened, root, monkeypatch):
    monkeypatch.delenv(sources.DATA_ROOT)
    at = opened("training", run="run")
    assert "this server reads no paths" in at.error[0].value


def test_the_reference_step_is_a_snapshot():
    steps = (0, 50, 100, 150)
    assert [reference_of(steps, wanted) for wanted in (-1, 0, 60, 150, 900)] == [50, 0, 100, 150, 50]
