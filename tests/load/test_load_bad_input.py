"""Unusable input raises UnusableInput in one line that names the file and the remedy."""

import os
import pickle

import numpy as np
import pytest
from refusing import X, npy_bytes, refuse

from realign_core.load import inspect_path, load_pair, open_rows, write_rows
from realign_core.validation import UnusableInput


def test_missing_and_unknown(tmp_path):
    refuse(tmp_path / "none.npy", "does not exist; check the path")
    refuse(f"{tmp_path}/none.npz:key", "does not exist")
    (tmp_path / "a.h5").write_bytes(b"x")
    refuse(tmp_path / "a.h5", "has the suffix '.h5'; readable are .npy")
    (tmp_path / "bare").write_bytes(b"x")
    refuse(tmp_path / "bare", r"has the suffix '\(none\)'")
    with pytest.raises(UnusableInput, match="is no path"):
        open_rows("a\0b.npy")


SUFFIXES = ["npy", "npz", "pt", "pth", "safetensors", "parquet", "arrow", "feather", "csv", "tsv", "pkl"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_files(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"")
    refuse(path, "is empty; write it again")


@pytest.mark.parametrize("suffix", ["npy", "npz", "pt", "parquet"])
def test_mislabelled_files_say_what_they_look_like(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    for data, looks in [
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"\x00" * 64, "zeros"),
        (b"hello there, this is text", "its first bytes fit no known format"),
    ]:
        path.write_bytes(data)
        refuse(path, f"is not a .{suffix} file: .*{looks}.*rename it or write it again")


@pytest.mark.parametrize("suffix", ["safetensors", "arrow", "pkl", "csv"])
def test_mislabelled_files_of_formats_without_a_signature(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(npy_bytes(X))
    refuse(path, "a." + suffix)


def valid_files(folder):
    """One small valid file of each kind."""
    import pandas as pd
    import pyarrow.feather as feather
    import torch
    from safetensors.numpy import save_file

    frame = pd.DataFrame({"image": list(X), "text": list(X)})
    np.save(folder / "a.npy", X)
    np.savez(folder / "a.npz", image=X, text=X)
    np.savez_compressed(folder / "b.npz", image=X, text=X)
    torch.save({"image": torch.from_numpy(X), "text": torch.from_numpy(X)}, folder / "a.pt")
    tensor = torch.from_numpy(X)
    torch.save({"image": tensor, "text": tensor}, folder / "a.pth", _use_new_zipfile_serialization=False)
    save_file({"image": X, "text": X}, folder / "a.safetensors")
    frame.to_parquet(folder / "a.parquet")
    feather.write_feather(frame, folder / "a.feather")
    np.savetxt(folder / "a.csv", X, delimiter=",")
    (folder / "a.pkl").write_bytes(pickle.dumps([{"id": i, "embed": row} for i, row in enumerate(X)]))
    return sorted(folder.iterdir())


def test_truncated_files(tmp_path):
    for path in valid_files(tmp_path):
        data = path.read_bytes()
        for keep in (1, 7, len(data) // 3, len(data) // 2, len(data) - 3):
            path.write_bytes(data[:keep])
            if path.suffix == ".csv":
                continue
            refuse(path, path.name, role="target")


NOT_FLOATS = [
    (np.ones((3, 4), complex), "holds complex128: complex numbers; save real ones"),
    (np.full((3, 4), "a"), "strings; embeddings are real numbers"),
    (np.full((3, 4), b"a"), "strings; embeddings are real numbers"),
    (np.zeros((3, 4), "M8[s]"), "dates; embeddings are real numbers"),
    (np.zeros((3, 4), "m8[s]"), "time spans"),
    (np.ones((3, 4), bool), "holds bool: true/false values"),
    (np.ones((3, 4), np.int8), "holds int8: whole numbers; if these are quantised embeddings"),
    (np.ones((3, 4), np.uint16), "holds uint16: whole numbers"),
    (np.zeros((3, 4), [("a", "f4")]), "records of several fields"),
    (np.ones((3, 4), np.longdouble), "a floating type that is not supported; save them as float32"),
]


@pytest.mark.parametrize(("array", "match"), NOT_FLOATS, ids=[str(array.dtype) for array, _ in NOT_FLOATS])
def test_arrays_that_are_no_floats(tmp_path, array, match):
    np.save(tmp_path / "a.npy", array)
    refuse(tmp_path / "a.npy", match)
    np.savez(tmp_path / "a.npz", image=array)
    refuse(tmp_path / "a.npz", match)
    with pytest.raises(UnusableInput, match=match):
        load_pair(array, X)


@pytest.mark.parametrize("shape", [(4,), (), (3, 4, 5), (2, 3, 4, 5), (1, 3, 4)])
def test_arrays_of_other_shapes(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.ones(shape))
    refuse(tmp_path / "a.npy", r"has shape .*; embeddings are \(n, d\), a row per sample")


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (2, 0, 4)])
def test_arrays_without_rows(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.ones(shape))
    refuse(tmp_path / "a.npy", "its rows hold no numbers" if shape[-1] == 0 else "there are no rows to use")
    assert inspect_path(tmp_path / "a.npy").arrays[0].sets == ()


def test_ambiguous_archives_list_their_keys(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, alpha=X, beta=X)
    message = r"none is the obvious one: alpha \(12x4 float32\), beta .*name one as .*a.npz:alpha"
    refuse(path, message)
    with pytest.raises(UnusableInput, match="none is the obvious target"):
        load_pair(path)
    with pytest.raises(UnusableInput, match=r"has no array 'gamma'; it holds alpha \(12x4 float32\), beta"):
        open_rows(f"{path}:gamma")
    np.savez(path, image_a=X, image_b=X, text=X)
    with pytest.raises(UnusableInput, match="none is the obvious target: image_a"):
        load_pair(path)
    np.savez(path, notes=np.array(["a"]), count=np.arange(3))
    refuse(path, r"has no floating-point array of shape \(n, d\); it holds notes \(1 <?U?\w+\)")
    np.savez(path, **{f"k{i}": X for i in range(15)})
    refuse(path, "and 3 more")
    np.save(tmp_path / "both.npy", np.stack([X, X]))
    refuse(tmp_path / "both.npy", "holds two sets, shape .*; give it alone as the pair")


def test_one_set_alone_needs_a_source(tmp_path):
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(UnusableInput, match="holds one set of embeddings; name the source file as well"):
        load_pair(tmp_path / "a.npy")
    with pytest.raises(UnusableInput, match="the source is missing"):
        load_pair(X)


def test_tables_with_ragged_or_worded_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1.0,2.0\n3.0\n")
    refuse(path, "row 1 has 1 columns, the first line has 2; every row needs the same columns")
    path.write_text("x,y\n" + "1.0,2.0\n" * 30 + "3.0,dog\n")
    refuse(path, "row 30, column 'y' holds 'dog', not a number")
    path.write_text("name,other\na,b\nc,d\n")
    refuse(path, r"has fewer than two numeric columns \(name, other\); give each dimension a column")
    path.write_text("x,y\n")
    refuse(path, "has no rows below its header")
    path.write_text("x,x\n1,2\n")
    refuse(path, "names a column twice")
    path.write_bytes(b"x,y\n1.0,2.0\n\xff\xfe,3\n")
    refuse(path, "is not UTF-8 text")
    path.write_bytes(b"x,y\n1.0,2.0\n\x00,3\n")
    refuse(path, "is not text")


def test_list_columns_of_other_types_or_ragged(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"

    def write(**columns):
        pq.write_table(pa.table(columns), path)

    write(emb=pa.array([[1.0, 2.0], [1.0, 2.0], [1.0]]))
    refuse(path, "emb: row 2 has dimension 1, the first row has 2; every row needs the same dimension")
    write(emb=pa.array([[1, 2], [3, 4]]))
    refuse(path, "holds int64: whole numbers")
    write(emb=pa.array([["a"], ["b"]]))
    refuse(path, "holds string: strings")
    write(emb=pa.array([], pa.list_(pa.float32())))
    refuse(path, "has no rows")
    write(caption=pa.array(["a", "b"]))
    refuse(path, r"has no column that holds a list of numbers .*: caption \(string\); write one of these")
    write(emb=pa.array([None, None], pa.list_(pa.float32())))
    refuse(path, r"emb has shape \(2, 0\): its rows hold no numbers")


def test_folders_without_one_kind_of_shard(tmp_path):
    refuse(tmp_path, "holds no embedding files; readable are .npy")
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "b.npz", X)
    refuse(tmp_path, "mixes .npy and .npz files; keep the shards of one kind in it")
    (tmp_path / "b.npz").unlink()
    np.save(tmp_path / "c.npy", X[:, :3])
    with pytest.raises(
        UnusableInput, match=r"c.npy has dimension 3, .*a.npy has 4; the shards of a folder need one"
    ):
        open_rows(tmp_path)


def test_unreadable_files(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    np.save(path, X)
    import builtins

    real = builtins.open

    def denied(file, *args, **kwargs):
        if str(file) == str(path):
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", denied)
    refuse(path, "may not be read: permission denied; change its mode or owner")


def test_rows_that_cannot_be_compared():
    with pytest.raises(
        UnusableInput, match="the target has dimension 4 and the source has 3; both sets must come"
    ):
        load_pair(X, X[:, :3])
    with pytest.raises(UnusableInput, match="the source has 1 row; at least 2 are needed"):
        load_pair(X, X[:1])
    with pytest.raises(
        UnusableInput, match="paired is yes, but the target has 12 rows and the source has 11"
    ):
        load_pair(X, X[:11], paired="yes")
    with pytest.raises(UnusableInput, match="paired is 'maybe'; choose one of auto, yes, no"):
        load_pair(X, X, paired="maybe")
    with pytest.raises(UnusableInput, match="max_rows is 1; it must be at least 2"):
        load_pair(X, X, max_rows=1)
    with pytest.raises(UnusableInput, match="the target has ragged rows"):
        load_pair([[1.0, 2.0], [1.0]], X)
    with pytest.raises(UnusableInput, match=r"the source has shape \(12,\)"):
        load_pair(X, X[:, 0])


def test_sets_without_usable_rows():
    bad = X.copy()
    bad[:6], bad[6:11], bad[11] = np.nan, 0, np.inf
    expected = r"the source has no usable rows of 12: 6 NaN, 1 infinite, 5 zero norm \(first: row 0\)"
    with pytest.raises(UnusableInput, match=expected):
        load_pair(X, bad, paired="no")
    bad[3] = 1
    with pytest.raises(UnusableInput, match="the source has one usable row of 12"):
        load_pair(X, bad)


def test_norms_out_of_range_depend_on_what_is_done_to_rows():
    for scale in (1e-120, 1e120):
        x = X.astype(np.float64) * scale
        assert load_pair(x, -x, paired="no").report.n_target == 12
        with pytest.raises(UnusableInput, match="the target has no usable rows of 12: 12 norm out of range"):
            load_pair(x, -x, paired="no", normalize=False)


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors", "pt"])
def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    if suffix == "pt":
        import torch

        torch.save(torch.from_numpy(X), path)
    else:
        write_rows(path, X, n=12, dim=4)
    rows = open_rows(path)
    os.truncate(path, 10)
    for read in (lambda: rows.read(0, 12), lambda: rows.take(np.array([3]))):
        with pytest.raises(UnusableInput, match=f"a.{suffix} became shorter while it was read; wait until"):
            read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    refuse(tmp_path / "a.npy", "is a pipe or a device; write what it holds to a file first")
