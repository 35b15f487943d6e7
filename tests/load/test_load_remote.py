"""Files behind URLs: the local file's rows bit for bit, each byte fetched once a pass, errors in a line."""

from __future__ import annotations

import gc
import os
import tempfile

import numpy as np
import pyarrow.parquet as pq
import pytest
from counting import CountingFileSystem, upload
from saving import (
    rows_of,
    save_npz,
    save_npz_compressed,
    save_parquet,
    save_parquet_fixed,
    save_pt,
    save_safetensors,
    table,
)
from test_load_folders import clip_retrieval

from realign_core.load import inspect_path, load_pair, load_set, open_rows
from realign_core.load.opening import split_key
from realign_core.load.places import is_url, localised, shown, suffix_of

pytestmark = pytest.mark.usefixtures("stores")

# Past the header that is fetched at once, and past one block of 8192 rows.
N, D = 20_000, 8
X, Y = rows_of("float16", 0, N, D), rows_of("float16", 1, N, D)


def save(path, **arrays):
    np.save(path, next(iter(arrays.values())))


SAVED = {
    "rows.npy": save,
    "rows.npz": save_npz,
    "packed.npz": save_npz_compressed,
    "rows.pt": save_pt,
    "rows.safetensors": save_safetensors,
    "rows.parquet": save_parquet,
    "fixed.parquet": save_parquet_fixed,
}


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("protocol", ["memory", "counted", "buffered", "file"])
def test_rows_are_those_of_the_local_file(name, protocol, tmp_path):
    path = tmp_path / name
    SAVED[name](path, rows=X)
    url = f"file://{path}" if protocol == "file" else upload(path, f"{protocol}://bucket/run 1/{name}")
    local, remote = open_rows(path), open_rows(url)
    assert (remote.shape, remote.dtype) == (local.shape, local.dtype)
    for start, stop in ((0, N), (N - 5, N + 9), (8192, 16384), (7, 7)):
        got = remote.read(start, stop)
        assert (got.dtype, got.flags.writeable) == (X.dtype, True)
        np.testing.assert_array_equal(got, local.read(start, stop))
    for indices in ([N - 1, 0, 7, 7, 19000], [], range(0, N, 3)):
        indices = np.array(list(indices), np.int64)
        np.testing.assert_array_equal(remote.take(indices), local.take(indices))


@pytest.mark.parametrize("protocol", ["counted", "buffered"])
@pytest.mark.parametrize("name", ["rows.npy", "rows.safetensors", "fixed.parquet"])
def test_a_pass_fetches_each_byte_at_most_once(name, protocol, tmp_path):
    path = tmp_path / name
    if name.endswith(".parquet"):
        pq.write_table(table({"rows": X}, fixed=True), path, row_group_size=8192)
    else:
        SAVED[name](path, rows=X)
    upload(path, url := f"{protocol}://bucket/{name}")
    size = path.stat().st_size
    rows = open_rows(url)
    assert CountingFileSystem.given[name] <= 100_000 + 4096
    CountingFileSystem.forget()
    for start in range(0, N, 8192):
        rows.read(start, start + 8192)
    assert X.nbytes <= CountingFileSystem.given[name] <= size


def test_rows_that_are_left_out_cost_no_second_fetch(tmp_path):
    x = X.copy()
    x[::100] = np.nan
    np.save(tmp_path / "x.npy", x)
    upload(tmp_path / "x.npy", "counted://x.npy")
    found = load_set("counted://x.npy", role="target")
    CountingFileSystem.forget()
    assert sum(len(block) for block in found.rows) == N - N // 100
    assert CountingFileSystem.given["x.npy"] <= x.nbytes


def test_a_small_sample_of_a_large_file_fetches_little(tmp_path):
    x = rows_of("float32", 0, 2000, 1000)
    np.save(tmp_path / "x.npy", x)
    upload(tmp_path / "x.npy", "counted://x.npy")
    found = load_set("counted://x.npy", role="target", max_rows=4)
    assert found.rows.shape == (4, 1000)
    assert CountingFileSystem.given["x.npy"] < x.nbytes / 10


@pytest.mark.parametrize("dtype", [">f4", "<f8"])
def test_halves_of_one_array_and_byte_orders(dtype, tmp_path):
    both = np.stack([rows_of(seed=0), rows_of(seed=1)]).astype(dtype)
    np.save(tmp_path / "both.npy", both)
    pair = load_pair(upload(tmp_path / "both.npy", "memory://both.npy"), paired="yes")
    np.testing.assert_array_equal(np.asarray(pair.target), both[0])
    np.testing.assert_array_equal(np.asarray(pair.source), both[1])


def test_bfloat16_of_safetensors(tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"rows": torch.from_numpy(X).to(torch.bfloat16)}, tmp_path / "b.safetensors")
    remote = open_rows(upload(tmp_path / "b.safetensors", "counted://b.safetensors"))
    assert remote.dtype == "bfloat16"
    np.testing.assert_array_equal(remote.read(0, N), open_rows(tmp_path / "b.safetensors").read(0, N))


def test_fortran_order_is_copied_with_a_note(tmp_path):
    np.save(tmp_path / "f.npy", np.asfortranarray(X.astype("f4")))
    pair = load_pair(upload(tmp_path / "f.npy", "counted://f.npy"), Y.astype("f4"), paired="yes")
    np.testing.assert_array_equal(np.asarray(pair.target), X.astype("f4"))
    assert any("column by column" in note for note in pair.report.warnings)


@pytest.mark.parametrize("protocol", ["memory", "counted"])
@pytest.mark.parametrize("metadata", [True, False])
def test_a_clip_retrieval_folder_reads_as_the_local_one(protocol, metadata, tmp_path):
    clip_retrieval(tmp_path, X, Y, (12, 9_000, 10_988), metadata=metadata)
    if not metadata:
        (tmp_path / "metadata").rmdir()
    upload(tmp_path, url := f"{protocol}://bucket/deep/run")
    local, remote = load_pair(tmp_path), load_pair(url)
    np.testing.assert_array_equal(np.asarray(remote.target), np.asarray(local.target))
    np.testing.assert_array_equal(np.asarray(remote.source), np.asarray(local.source))
    here, there = (pair.report.to_dict() for pair in (local, remote))
    assert there["path_target"] == f"{url}/img_emb"
    for report in (here, there):
        del report["path_target"], report["path_source"]
    assert here == there
    if metadata:
        assert local.captions is not None
        np.testing.assert_array_equal(remote.captions, local.captions)
    one = load_set(f"{url}/text_emb/", role="source")
    np.testing.assert_array_equal(np.asarray(one.rows), np.asarray(local.source))


def test_a_shard_of_a_folder_costs_few_questions(tmp_path):
    for i in range(12):
        np.save(tmp_path / f"s_{i}.npy", X[1000 * i : 1000 * i + 1000])
    upload(tmp_path, "counted://bucket/shards")
    rows = open_rows("counted://bucket/shards")
    np.testing.assert_array_equal(rows.read(0, 12_000), X[:12_000])
    assert CountingFileSystem.asked["info"] <= 4
    assert CountingFileSystem.asked["read"] <= 2 * 12


def test_inspect_reads_urls(tmp_path):
    clip_retrieval(tmp_path, X, Y, (10_000, 10_000))
    here, there = inspect_path(tmp_path), inspect_path(upload(tmp_path, "memory://run"))
    assert (here.size, here.arrays) == (there.size, there.arrays)
    np.save(tmp_path / "x.npy", X)
    here = inspect_path(tmp_path / "x.npy")
    assert inspect_path(upload(tmp_path / "x.npy", "memory://x.npy")).size == here.size


def test_a_copy_serves_both_sets_and_goes_with_its_readers(tmp_path, monkeypatch):
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    save_npz(tmp_path / "both.npz", image=X, text=Y)
    upload(tmp_path / "both.npz", "counted://both.npz")
    target = load_set("counted://both.npz:image", role="target")
    source = load_set("counted://both.npz:text", role="source")
    assert CountingFileSystem.given["both.npz"] == (tmp_path / "both.npz").stat().st_size
    np.testing.assert_array_equal(np.asarray(target.rows), X)
    np.testing.assert_array_equal(np.asarray(source.rows), Y)
    assert "was copied to a temporary file" in target.notes[0]
    assert len(os.listdir(place)) == 1
    del target, source
    gc.collect()
    assert os.listdir(place) == []


def test_a_file_that_was_replaced_is_copied_anew(tmp_path):
    for rows in (X, Y):
        save_npz(tmp_path / "x.npz", rows=rows)
        upload(tmp_path / "x.npz", "memory://x.npz")
        held = open_rows("memory://x.npz")
        np.testing.assert_array_equal(held.read(0, N), rows)


def test_shards_that_are_copied_make_two_notes(tmp_path):
    for i in range(3):
        save_npz(tmp_path / f"s{i}.npz", rows=X[100 * i : 100 * i + 100])
    found = load_set(upload(tmp_path, "memory://shards"), role="target")
    assert found.notes[1:] == ("The same holds for 2 more files of memory://shards.",)


@pytest.mark.parametrize(
    "text",
    ["C:\\rows.npy", "C:/rows.npy", "c://rows.npy", "file.npz:key", "sample:scenes", "a.npz://k", "/a/b"],
)
def test_these_are_no_urls(text):
    assert not is_url(text)
    assert localised(text) == text


def test_files_with_colons_and_keys_still_open(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_npz("a:b.npz", **{"k:1": X, "other": Y})
    np.testing.assert_array_equal(open_rows("a:b.npz:k:1").read(0, N), X)
    np.testing.assert_array_equal(open_rows(f"file://{tmp_path}/a:b.npz:other").read(0, N), Y)
    upload(tmp_path / "a:b.npz", "memory://a:b.npz")
    assert split_key("memory://a:b.npz:k:1") == ("memory://a:b.npz", "k:1")
    assert load_pair("sample:scenes").paired


def test_names_leave_secrets_out():
    assert shown("https://host/x.npy?X-Signature=abc#f") == "https://host/x.npy"
    assert shown("sftp://me:word@host/x.npy") == "sftp://host/x.npy"
    assert shown("s3://b/x#1?.npy") == "s3://b/x#1?.npy"
    assert suffix_of("https://host.org/x.NPY?a=b.c") == ".npy"
    assert suffix_of("https://host.org") == suffix_of("https://host.org/run/") == ""
