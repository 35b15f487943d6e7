"""`--engine ray` on the command line: the answers of one machine, and one sentence for what does not fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from patience import HANGING

from realign_core.cli import align, engines, main


def run(*arguments):
    return main([str(argument) for argument in arguments])


def assert_close(found, expected, where=""):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_close(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for number, pair in enumerate(zip(found, expected, strict=True)):
            assert_close(*pair, f"{where}[{number}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12), where
    else:
        assert found == expected, where


@pytest.mark.usefixtures("cluster")
def test_analyze_gives_the_numbers_of_one_machine(npy_sets, tmp_path):
    texts = []
    for engine in ("local", "ray"):
        options = ("--methods", "realign,rotation", "--bootstrap", "5", "--score-rows", "400")
        assert run("analyze", *npy_sets, *options, "--device", "cpu", "--engine", engine,
                   "--json", tmp_path / f"{engine}.json") == 0  # fmt: skip
        found = json.loads((tmp_path / f"{engine}.json").read_text())
        found.pop("seconds")
        for method in found["methods"].values():
            method.pop("seconds")
        texts.append(found)
    assert_close(*texts)


@pytest.mark.usefixtures("cluster")
def test_align_writes_a_folder_and_goes_on_with_it(npy_sets, tmp_path, monkeypatch, capsys):
    local, out = tmp_path / "local.npy", tmp_path / "out"
    assert run("align", *npy_sets, "--out", local) == 0
    out.mkdir()
    # As if the run had been stopped before its last step.
    monkeypatch.setattr(align, "finished", lambda folder: None)
    for _ in range(2):
        assert run("align", *npy_sets, "--out", out, "--engine", "ray") == 0
        found = np.concatenate([np.load(out / f"s{number}.npy") for number in range(3)])
        np.testing.assert_allclose(found, np.load(local), rtol=0, atol=1e-6)
        os.unlink(out / "s1.npy")
    capsys.readouterr()
    assert run("align", *npy_sets, "--method", "mean_shift", "--out", out, "--engine", "ray") == 2
    assert "was left by another run" in capsys.readouterr().err


@pytest.mark.usefixtures("cluster")
def test_align_into_one_file_sums_on_the_cluster(npy_sets, tmp_path):
    local, out = tmp_path / "local.npy", tmp_path / "ray.npy"
    assert run("align", *npy_sets, "--out", local) == 0
    assert run("align", *npy_sets, "--out", out, "--engine", "ray") == 0
    np.testing.assert_allclose(np.load(out), np.load(local), rtol=0, atol=1e-6)


def test_without_ray_one_sentence_says_what_to_install(npy_sets, monkeypatch, capsys):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert run("analyze", *npy_sets, "--engine", "ray") == 2
    said = capsys.readouterr().err.strip()
    assert said == "realign: --engine ray needs Ray: pip install -r requirements-distributed.txt"


def test_an_address_where_no_cluster_answers_is_named_at_once(npy_sets):
    # A process that has joined a cluster already stays in it.
    command = [sys.executable, "-m", "realign_core", "analyze", *npy_sets]
    command += ["--engine", "ray", "--ray-address", "127.0.0.1:1"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=HANGING, check=False)
    assert found.returncode == 2
    assert "no Ray cluster answers at 127.0.0.1:1" in found.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--ray-address", "a:1"), "--ray-address belongs to --engine ray"),
        (("--engine", "ray", "--device", "cuda"), "leave out --device cuda"),
    ],
)
def test_options_that_do_not_fit_together(npy_sets, monkeypatch, capsys, options, sentence):
    from realign_core.cli import analyze

    monkeypatch.setattr(analyze, "check_device", lambda device: None)
    assert run("analyze", *npy_sets, *options) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_that_holds_the_input_is_no_output(npy_sets, capsys):
    for out in (npy_sets[1], os.path.dirname(npy_sets[1])):
        assert run("align", *npy_sets, "--engine", "ray", "--out", out) == 2
        assert "is an input; name another folder" in capsys.readouterr().err
