"""`--blockwise-shrinkage` and `sample:NAME` mean what the Python interface means."""

from __future__ import annotations

import json

import numpy as np
import pytest

from realign_core.alignment import Blockwise
from realign_core.cli import main
from realign_core.load import load_pair
from realign_core.samples import sample_card, sample_names, sample_path

ANALYZE = ("analyze", "sample:scenes", "--max-rows", "120", "--bootstrap", "20", "--methods", "blockwise")


def analysed(capsys, *extra: str) -> dict:
    assert main([*ANALYZE, *extra, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_analyze_passes_the_shrinkage_on(capsys):
    plain = analysed(capsys)
    assert plain["settings"]["method_options"] == {}
    oas = analysed(capsys, "--blockwise-shrinkage", "oas")
    assert oas["methods"]["blockwise"]["in_sample"] == plain["methods"]["blockwise"]["in_sample"]
    none = analysed(capsys, "--blockwise-shrinkage", "none")
    assert none["settings"]["method_options"] == {"blockwise": {"shrinkage": None}}
    half = analysed(capsys, "--blockwise-shrinkage", "0.5")
    ratios = {run["methods"]["blockwise"]["held_out"]["trace_ratio"] for run in (plain, none, half)}
    assert len(ratios) == 3


@pytest.mark.parametrize("setting", ["lots", "1.5", "-0.1", "nan"])
@pytest.mark.parametrize("command", ["analyze", "align"])
def test_a_shrinkage_that_is_none_is_refused(capsys, tmp_path, command, setting):
    rest = ["--method", "blockwise", "--out", str(tmp_path / "o.npy")] if command == "align" else []
    assert main([command, "sample:scenes", f"--blockwise-shrinkage={setting}", *rest]) == 2
    said = capsys.readouterr().err
    assert "--blockwise-shrinkage" in said
    assert len(said.splitlines()) == 1


def test_align_passes_the_shrinkage_on(tmp_path):
    out = tmp_path / "mapped.npy"
    words = ["align", "sample:scenes", "--method", "blockwise", "--blockwise-shrinkage", "none"]
    assert main([*words, "--out", str(out)]) == 0
    pair = load_pair(sample_path("sample:scenes"))
    method = Blockwise(shrinkage=None).fit(source=pair.source, target=pair.target)
    np.testing.assert_array_equal(np.load(out), method.transform(pair.source))


def test_align_refuses_the_shrinkage_of_another_method(capsys, tmp_path):
    words = ["align", "sample:scenes", "--blockwise-shrinkage", "none", "--out", str(tmp_path / "o.npy")]
    assert main(words) == 2
    assert "is a setting of blockwise" in capsys.readouterr().err


def test_an_unknown_sample_names_the_known_ones(capsys):
    assert main(["inspect", "sample:nothing"]) == 2
    said = capsys.readouterr().err
    assert all(name in said for name in sample_names())


def test_inspect_reads_a_sample(capsys):
    assert main(["inspect", "sample:no-gap"]) == 0
    assert str(sample_card("no-gap")["rows"]) in capsys.readouterr().out


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("rows.npy", np.eye(3))
    (tmp_path / "rows.npy").rename("sample:scenes")
    assert sample_path("sample:scenes") == "sample:scenes"
    assert sample_path("rows.npy") == "rows.npy"
