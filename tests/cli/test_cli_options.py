"""Options and outputs that cannot be used: exit 2 and one plain line, before anything is read."""

import json
import os

import numpy as np
import pytest

from realign_core.cli import align as align_command
from realign_core.cli import analyze as analyze_command

X = np.random.default_rng(0).standard_normal((60, 6)).astype("f4")

OPTIONS = [
    *(("--k", value) for value in ("0", "-1", "1.5", "ten", "60", "99999999999999999999")),
    *(("--energy", value) for value in ("0", "-0.1", "1.01", "nan", "inf", "x")),
    *(("--split", value) for value in ("0", "1", "-1", "2", "nan")),
    *(("--seed", value) for value in ("-1", "1.5", "x")),
    *(("--bootstrap", value) for value in ("0", "1", "-5", "x")),
    *(("--score-rows", value) for value in ("0", "1", "-5", "x")),
    *(("--max-rows", value) for value in ("0", "1", "-5", "x")),
    *(("--c3-sigma", value) for value in ("-1", "nan", "inf", "x")),
    *(("--blockwise-shrinkage", value) for value in ("-1", "2", "nan", "x")),
    ("--paired", "maybe"),
    ("--device", "tpu"),
    ("--methods", ""),
    ("--methods", ","),
    ("--methods", "nope"),
    ("--methods", "realign,Realign"),
    ("--plugin", "no_such_module"),
    ("--nope", "1"),
    ("--met", "realign"),
]


@pytest.mark.parametrize("option", OPTIONS, ids="=".join)
def test_options_out_of_range(refused, folder, option):
    message = refused("analyze", "t.npy", "s.npy", *option)
    assert option[0] in message or "nope" in message or "Realign" in message
    assert "see where" not in message


ALIGN_OPTIONS = [
    ("--seed", "-1"),
    ("--max-rows", "1"),
    ("--energy", "0.5"),
    ("--energy", "7"),
    ("--c3-sigma", "0.1"),
    ("--c3-sigma", "nan"),
    ("--blockwise-shrinkage", "none"),
    ("--method", "nope"),
    ("--method", ""),
    ("--paired", "maybe"),
    ("--plugin", "no_such_module"),
    ("--device", "cpu"),
    ("--save-aligner", ""),
    ("--save-aligner", "t.npy"),
    ("--save-aligner", "no/folder"),
    ("--save-aligner", "z.npy"),
    ("--load-aligner", ""),
    ("--load-aligner", "nothing"),
    ("--load-aligner", "."),
]


@pytest.mark.parametrize("option", ALIGN_OPTIONS, ids="=".join)
def test_options_of_align_out_of_range(refused, folder, option):
    before = set(os.listdir())
    refused("align", "t.npy", "s.npy", "--out", "z.npy", *option)
    assert set(os.listdir()) == before


def test_a_saved_method_brings_its_own_settings(cli, refused, folder):
    assert cli("align", "t.npy", "s.npy", "--out", "z.npy", "--save-aligner", "fitted").status == 0
    extra = ("--method", "realign"), ("--no-normalize",), ("--energy", "0.5"), ("--max-rows", "9")
    for option in (*extra, ("--c3-sigma", "1"), ("--save-aligner", "other")):
        message = refused("align", "s.npy", "--load-aligner", "fitted", "--out", "z.npy", *option)
        assert f"leave out {option[0]}" in message
    np.save("narrow.npy", X[:, :5])
    message = refused("align", "narrow.npy", "--load-aligner", "fitted", "--out", "y.npy")
    assert "have dimension 5" in message
    (folder / "fitted" / "aligner.json").write_text("{}")
    assert "aligner.json" in refused("align", "s.npy", "--load-aligner", "fitted", "--out", "y.npy")
    assert not os.path.exists("y.npy")


def outputs(folder):
    """Options whose output cannot or must not be written, each with a word of the answer."""
    (folder / "sub").mkdir()
    (folder / "shards").mkdir()
    np.save("shards/a.npy", X)
    np.savetxt("in.csv", X, delimiter=",")
    os.link("in.csv", "hard.csv")
    analyze = ("analyze", "t.npy", "s.npy")
    yield (*analyze, "--json", "no/a.json"), "there is no folder"
    yield (*analyze, "--csv", "no/a.csv"), "there is no folder"
    yield (*analyze, "--html", "no/a.html"), "there is no folder"
    yield (*analyze, "--json", "/proc/a.json"), "cannot be written"
    yield (*analyze, "--json", "sub"), "is a folder"
    yield (*analyze, "--json", ""), "--json is empty"
    yield (*analyze, "--csv", ""), "--csv is empty"
    yield (*analyze, "--json", "a.txt"), ".json"
    yield (*analyze, "--html", "a.csv"), ".html"
    yield (*analyze, "--csv", "t.npy"), ".csv"
    yield (*analyze, "--csv", "-"), "only --json goes to standard output"
    yield (*analyze, "--csv", "a.csv", "--html", "sub/../a.csv"), "both name"
    yield ("analyze", "in.csv", "s.npy", "--csv", "in.csv"), "is an input"
    yield ("analyze", "t.npy", "in.csv", "--csv", "hard.csv"), "is an input"
    yield ("analyze", "shards", "s.npy", "--csv", "shards/a.csv"), "one of the shards"
    align = ("align", "t.npy", "s.npy")
    yield (*align, "--out", "no/z.npy"), "there is no folder"
    yield (*align, "--out", "z.txt"), "writable are .npy"
    yield (*align, "--out", "z"), "writable are .npy"
    yield (*align, "--out", ""), "--out is empty"
    yield (*align, "--out", "-"), "name a file"
    yield (*align, "--out", "shards"), "no unfinished run has left there"
    yield (*align, "--out", "./s.npy"), "is an input"
    yield (*align, "--out", "t.npy"), "is an input"
    yield ("align", "both.npy", "--out", "sub/../both.npy"), "is an input"
    yield ("align", "shards", "s.npy", "--out", "shards/z.npy"), "one of the shards"
    yield (*align, "--out", "z.npy", "--save-aligner", "sub/.."), "holds other files"


def test_outputs_are_refused_before_anything_is_read(refused, folder, monkeypatch):
    def too_late(*_, **__):
        raise AssertionError("the sets were loaded first")

    monkeypatch.setattr(analyze_command, "load_pair", too_late)
    monkeypatch.setattr(align_command, "load_set", too_late)
    monkeypatch.setattr(align_command, "load_sets", too_late)
    cases = list(outputs(folder))
    before = set(os.listdir())
    for command, match in cases:
        assert match in refused(*command), command
    assert "no method" in refused("analyze", "t.npy", "s.npy", "--methods", "nope")
    assert "no method" in refused("align", "t.npy", "s.npy", "--method", "nope", "--out", "z.npy")
    assert set(os.listdir()) == before


def test_output_that_fails_while_it_is_written(refused, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = set(os.listdir())
    message = refused("align", "t.npy", "s.npy", "--out", "z.npy")
    assert "z.npy cannot be written: No space left on device" in message
    message = refused("analyze", "t.npy", "s.npy", "--methods", "identity", "--json", "z.json")
    assert "z.json cannot be written" in message
    assert set(os.listdir()) == before


def test_a_map_that_is_not_finite_is_not_written(cli, refused, folder):
    options = ("--c3-sigma", "1e300")
    message = refused("align", "t.npy", "s.npy", "--method", "c3", "--out", "z.npy", *options)
    assert "finite" in message
    assert not os.path.exists("z.npy")
    outcome = cli("analyze", "t.npy", "s.npy", "--methods", "c3,identity", *options, "--json", "-")
    assert outcome.status == 0
    found = json.loads(outcome.out)
    assert found["methods"]["c3"] is None
    assert any(text.startswith("c3 could not be fitted") for text in found["dataset"]["warnings"])


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"),
        ImportError("libtorch.so: failed to map segment from shared object"),
    ],
)
def test_too_little_memory_is_named(refused, folder, monkeypatch, error):
    def greedy(*_, **__):
        raise error

    monkeypatch.setattr(analyze_command, "load_pair", greedy)
    assert "memory ran out; use --max-rows" in refused("analyze", "t.npy", "s.npy")


def test_an_unexpected_failure_is_one_line_and_status_1(cli, folder, monkeypatch):
    def broken(*_, **__):
        raise KeyError("a bug")

    monkeypatch.setattr(analyze_command, "load_pair", broken)
    outcome = cli("analyze", "t.npy", "s.npy")
    assert outcome.status == 1
    assert outcome.err == (
        "realign: unexpected failure: KeyError: 'a bug' (set GAPSCOPE_TRACEBACK=1 to see where)\n"
    )
    monkeypatch.setenv("GAPSCOPE_TRACEBACK", "1")
    assert "Traceback" in cli("analyze", "t.npy", "s.npy").err


def test_no_command_and_unknown_commands(refused, folder):
    assert "COMMAND" in refused()
    assert "analyze" in refused("measure")
    assert "TARGET" in refused("analyze")
    assert "--out" in refused("align", "t.npy", "s.npy")
    assert "unrecognized arguments: three" in refused("analyze", "t.npy", "s.npy", "three")
