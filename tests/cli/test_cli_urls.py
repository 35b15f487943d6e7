"""URLs on the command line: read as inputs, refused as outputs."""

from __future__ import annotations

import json

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem


@pytest.fixture
def urls(folder):
    """`memory://run/t.npy`, `s.npy` and `both.npz`; the folder holds the same files."""
    np.savez("both.npz", image=np.load("t.npy"), text=np.load("s.npy"))
    fs = fsspec.filesystem("memory")
    for name in ("t.npy", "s.npy", "both.npz"):
        fs.pipe_file(f"/run/{name}", (folder / name).read_bytes())
    yield "memory://run"
    MemoryFileSystem.store.clear()


def analysed(cli, *arguments):
    outcome = cli("analyze", *arguments, "--methods", "realign", "--bootstrap", "20", "--json", "-")
    assert outcome.status == 0, outcome.err
    found = json.loads(outcome.out)
    del found["seconds"], found["dataset"]["path_target"], found["dataset"]["path_source"]
    for method in found["methods"].values():
        del method["seconds"]
    return found


@pytest.mark.parametrize("prefix", ["memory", "file"])
def test_analyze_gives_what_it_gives_of_local_files(cli, urls, folder, prefix):
    place = urls if prefix == "memory" else f"file://{folder}"
    assert analysed(cli, f"{place}/t.npy", f"{place}/s.npy") == analysed(cli, "t.npy", "s.npy")


def test_align_and_inspect_read_urls(cli, urls):
    assert cli("align", "t.npy", "s.npy", "--out", "local.npy").status == 0
    assert cli("align", f"{urls}/t.npy", f"{urls}/s.npy", "--out", "remote.npy").status == 0
    np.testing.assert_array_equal(np.load("remote.npy"), np.load("local.npy"))
    outcome = cli("align", f"{urls}/both.npz", "--out", "one.npy")
    assert "note: memory://run/both.npz was copied to a temporary file" in outcome.err
    np.testing.assert_array_equal(np.load("one.npy"), np.load("local.npy"))
    outcome = cli("inspect", f"{urls}/t.npy")
    assert outcome.out == cli("inspect", "t.npy").out.replace("t.npy", "memory://run/t.npy")


@pytest.mark.parametrize(
    "arguments",
    [
        ("align", "t.npy", "s.npy", "--out", "s3://bucket/z.npy"),
        ("align", "t.npy", "s.npy", "--out", "file:///tmp/z.npy"),
        ("align", "t.npy", "s.npy", "--out", "z.npy", "--save-aligner", "memory://aligner"),
        ("analyze", "t.npy", "s.npy", "--json", "https://host/a.json"),
        ("analyze", "t.npy", "s.npy", "--html", "s3://bucket/a.html"),
        ("encode", "--images", ".", "--captions", "c.csv", "--out", "s3://bucket/e.npz"),
        ("encode", "--images", ".", "--captions", "c.csv", "--out", "s3://bucket/folder"),
        ("train", "--out", "s3://bucket/run"),
    ],
)
def test_outputs_are_not_written_to_urls(cli, folder, arguments):
    before = sorted(folder.iterdir())
    outcome = cli(*arguments)
    assert outcome.status == 2
    assert "is a URL" in outcome.err
    assert "name a path here and copy the result there afterwards" in outcome.err
    assert outcome.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("memory://none.npy", "memory://none.npy does not exist; check the URL"),
        ("nosuch://x.npy", "is no protocol that fsspec knows"),
    ],
)
def test_a_url_that_cannot_be_read_is_one_line(cli, folder, url, words):
    for command in (("analyze", url, "s.npy"), ("align", url, "s.npy", "--out", "z.npy"), ("inspect", url)):
        outcome = cli(*command)
        assert (outcome.status, outcome.out) == (2, "")
        assert words in outcome.err
        assert outcome.err.count("\n") == 1
