"""Provenance travels with rows, and whatever stands in its place does no harm."""

from __future__ import annotations

import json

import numpy as np
import pytest
from saving import D, N, rows_of

from realign_core.load import load_pair
from realign_core.load.provenance import LARGEST, METADATA_KEY, described, parsed, provenance_notes
from realign_core.load.sets import SETS_WRITERS, write_sets

MADE_BY = {
    "model": "local-dir:tiny",
    "weights": {"file": "w.safetensors", "sha256": "0123456789abcdef" * 4},
    "preprocessing": {"size": [32, 48], "interpolation": "bicubic", "resize_mode": "shortest"},
    "precision": "float32",
    "versions": {"open_clip": "3.3.0"},
}
SAID = (
    "local-dir:tiny, weights sha256 0123456789ab, 32 x 48 pixels, bicubic resize to the shortest side, "
    "float32, open_clip 3.3.0"
)


def written(path, **changed):
    sets = {
        "image": [rows_of(seed=0)[:10], rows_of(seed=0)[10:]],
        "text": [rows_of(seed=1)[:10], rows_of(seed=1)[10:]],
    }
    columns = {"caption": [None, *(f"c{i}" for i in range(1, N))]}
    settings = {"n": N, "dim": D, "columns": columns, "provenance": MADE_BY, **changed}
    return write_sets(path, sets, **settings)


@pytest.mark.parametrize("suffix", SETS_WRITERS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_round_trip_keeps_rows_columns_and_provenance(tmp_path, suffix, dtype):
    path = tmp_path / f"x{suffix}"
    lacking = written(path, dtype=dtype)
    pair = load_pair(path, paired="yes")
    np.testing.assert_array_equal(np.asarray(pair.target), rows_of(seed=0).astype(dtype))
    np.testing.assert_array_equal(np.asarray(pair.source), rows_of(seed=1).astype(dtype))
    assert pair.report.provenance_target == pair.report.provenance_source == MADE_BY
    assert f"Both sets were encoded by {SAID}." in pair.report.warnings
    assert (pair.captions is None) == (lacking == ("caption",))
    if pair.captions is not None:
        assert not pair.captions[0]
        assert pair.captions[1] == "c1"


@pytest.mark.parametrize("suffix", SETS_WRITERS)
def test_blocks_that_are_not_as_declared_leave_no_file(tmp_path, suffix):
    with pytest.raises(ValueError):
        written(tmp_path / f"x{suffix}", n=N + 1, columns={})
    with pytest.raises(ValueError):
        written(tmp_path / f"x{suffix}", columns={"caption": ["x"]})
    assert not list(tmp_path.iterdir())


def test_sets_from_two_models_are_told_apart(tmp_path):
    other = {**MADE_BY, "weights": {"sha256": "f" * 64}}
    written(tmp_path / "a.parquet")
    written(tmp_path / "b.parquet", provenance=other)
    report = load_pair(tmp_path / "a.parquet", tmp_path / "b.parquet").report
    assert report.provenance_target == MADE_BY
    assert report.provenance_source == other
    assert any("come from different weights" in note for note in report.warnings)


def test_files_without_provenance_say_nothing(tmp_path):
    np.savez(tmp_path / "x.npz", image=rows_of(seed=0), text=rows_of(seed=1))
    report = load_pair(tmp_path / "x.npz").report
    assert report.provenance_target is None
    assert not any("encoded by" in note for note in report.warnings)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000, "x" * (LARGEST + 1), None, b"\xff", 7])
def test_what_is_no_provenance_is_none(text):
    assert parsed(text) is None


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"model": ["x"] * 1000, "weights": "w", "preprocessing": 3, "versions": []},
        {
            "model": None,
            "weights": {"sha256": {}},
            "preprocessing": {"size": {}},
            "versions": {"a" * 999: []},
        },
    ],
)
def test_odd_provenance_is_described_in_one_short_line(odd):
    (note,) = provenance_notes(odd, odd)
    assert len(note) < 900
    assert "\n" not in note
    assert described(odd)


def test_a_damaged_provenance_array_does_not_hide_the_rows(tmp_path):
    arrays = {"image": rows_of(seed=0), "text": rows_of(seed=1), METADATA_KEY: np.array("{")}
    np.savez(tmp_path / "x.npz", **arrays)
    assert load_pair(tmp_path / "x.npz").report.provenance_target is None
    arrays[METADATA_KEY] = np.array(json.dumps(MADE_BY))
    np.savez_compressed(tmp_path / "y.npz", **arrays)
    assert load_pair(tmp_path / "y.npz").report.provenance_target == MADE_BY
