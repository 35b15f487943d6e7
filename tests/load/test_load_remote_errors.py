"""What a URL can fail at is one line that names it, whatever the store or the network raise."""

from __future__ import annotations

import contextlib
import tempfile

import numpy as np
import pytest
from counting import CountingFileSystem, upload
from saving import rows_of, save_npz, save_parquet_fixed, save_safetensors
from test_load_folders import clip_retrieval

from realign_core.load import load_pair, open_rows
from realign_core.validation import UnusableInput

pytestmark = pytest.mark.usefixtures("stores")

N, D = 20_000, 8
X, Y = rows_of("float16", 0, N, D), rows_of("float16", 1, N, D)
SAVED = {
    "rows.npy": lambda path, rows: np.save(path, rows),
    "rows.npz": save_npz,
    "fixed.parquet": save_parquet_fixed,
    "rows.safetensors": save_safetensors,
}


def refused(*arguments, match, **options):
    with pytest.raises(UnusableInput, match=match) as caught:
        load_pair(*arguments, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("memory://none.npy", r"memory://none.npy does not exist; check the URL"),
        ("memory://none.npz:key", r"memory://none.npz:key does not exist"),
        ("nosuch://x.npy", r"nosuch:// is no protocol that fsspec knows"),
        ("zip://a.npy::memory://x.zip", r"names a file inside another"),
        ("memory://", r"holds no embedding files"),
        ("file:///none/x.npy", r"/none/x.npy does not exist; check the path"),
    ],
)
def test_what_is_not_there_is_a_sentence(url, match):
    refused(url, Y, match=match)


def test_a_missing_package_is_named(monkeypatch):
    from fsspec.registry import known_implementations

    entry = {"class": "no_such_package.FileSystem", "err": "Install no_such_package"}
    monkeypatch.setitem(known_implementations, "lacking", entry)
    refused("lacking://b/x.npy", Y, match=r"lacking:// needs the package no_such_package; install it")


@pytest.mark.parametrize(
    ("failure", "match"),
    [
        (PermissionError("no"), r"counted://b/x.npy may not be read: no; give counted:// its credentials"),
        (RuntimeError("NoCredentials: log in"), r"may not be read"),
        (ConnectionError("unreachable"), r"cannot be read: unreachable; check the URL and the network"),
        (TimeoutError(), r"cannot be read: TimeoutError; check"),
        (RuntimeError("first\nsecond"), r"cannot be read: first second; check"),
        (FileNotFoundError("gone"), r"counted://b/x.npy does not exist"),
    ],
)
@pytest.mark.parametrize("when", ["opening", "reading"])
def test_failures_of_the_store_are_sentences(failure, match, when, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", X)
    upload(tmp_path / "x.npy", "counted://b/x.npy")
    rows = open_rows("counted://b/x.npy") if when == "reading" else None
    monkeypatch.setattr(CountingFileSystem, "failure", failure)
    with pytest.raises(UnusableInput, match=match) as caught:
        rows.read(0, 9) if rows else open_rows("counted://b/x.npy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SAVED)
def test_a_read_that_comes_short_is_a_sentence(name, tmp_path):
    SAVED[name](tmp_path / name, rows=X)
    upload(tmp_path / name, f"counted://b/{name}")
    CountingFileSystem.short = 3
    with pytest.raises(UnusableInput, match=rf"counted://b/{name} gave \d+ of "):
        open_rows(f"counted://b/{name}").read(0, N)


def test_damaged_files_name_the_url_and_not_the_copy(tmp_path):
    for name in ("x.npz", "x.npy", "x.parquet", "x.csv"):
        (tmp_path / name).write_bytes(b"\x00" * 500)
        with pytest.raises(UnusableInput, match=rf"memory://b/{name}") as caught:
            open_rows(upload(tmp_path / name, f"memory://b/{name}"))
        assert tempfile.gettempdir() not in str(caught.value)


def test_pickles_are_refused_of_a_url_too(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"\x80\x04N.")
    upload(tmp_path / "x.pkl", "memory://x.pkl")
    refused("memory://x.pkl", Y, match="is a pickle", trusted=False)


def test_the_web_with_ranges_and_without(tmp_path):
    pytest.importorskip("aiohttp")
    pytest.importorskip("requests")
    from web import served

    clip_retrieval(tmp_path, X, Y, (10_000, 10_000))
    local = load_pair(tmp_path)
    for ranges in (True, False):
        with contextlib.closing(served(tmp_path, ranges=ranges)) as server:
            remote = load_pair(server.url)
            np.testing.assert_array_equal(np.asarray(remote.target), np.asarray(local.target))
            np.testing.assert_array_equal(np.asarray(remote.source), np.asarray(local.source))
            assert any("does not offer parts" in note for note in remote.report.warnings) is not ranges
            refused(f"{server.url}/none.npy", Y, match="does not exist")
            refused(f"{server.url}/denied.npy", Y, match="may not be read")
    refused(f"{server.url}/x.npy", Y, match="check the URL and the network")
