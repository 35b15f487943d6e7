"""Unusable input raises UnusableInput in one line that names the file and the remedy."""

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from realign_core.load import inspect_path, load_pair, open_rows
from realign_core.validation import UnusableInput

X = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
PLAIN = X.tobytes()


def read_all(path, **options):
    rows = open_rows(path, **options)
    return rows.read(0, rows.shape[0])


def refuse(path, match, **options):
    """Opening and reading all of `path` is refused in one line that names it."""
    with pytest.raises(UnusableInput, match=match) as caught:
        read_all(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert os.path.basename(str(path)).split(":")[0] in message
    return message


def npy_bytes(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_header(shape, descr="<f4"):
    buffer = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


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


def test_npy_headers_that_lie(tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(npy_header((10**9, 10**6)) + X.tobytes())
    refuse(path, r"is cut short: its header declares 4000000000000000 bytes of float32 .*, 192 are there")
    path.write_bytes(npy_header((4, 4)) + X.tobytes())
    refuse(path, "has bytes left over: its header declares 64 bytes")
    path.write_bytes(npy_header((-3, 4)) + X.tobytes())
    refuse(path, r"declares the shape \(-3, 4\)")
    path.write_bytes(npy_bytes(X).replace(b"shape", b"shaqe"))
    refuse(path, "has a damaged .npy header")


def test_npz_entries_that_lie_or_explode(tmp_path):
    path = tmp_path / "a.npz"
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("image.npy", npy_header((10**7, 10**6)) + X.tobytes())
        refuse(path, "is cut short: its header declares 40000000000000 bytes")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(npy_header((10**5, 256)))
        for _ in range(10):
            member.write(bytes(10**4 * 256 * 4))
    refuse(path, r"would unpack \d+ bytes to 102400128, as no embeddings do")


def test_a_stored_size_that_lies_about_a_packed_entry(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", npy_header((24, 4)) + X.tobytes())
    data = path.read_bytes()
    real = struct.pack("<I", len(npy_header((24, 4))) + X.nbytes)
    claimed = struct.pack("<I", len(npy_header((24, 4))) + 2 * X.nbytes)
    assert data.count(real) == 2
    path.write_bytes(data.replace(real, claimed))
    refuse(path, "image ends after 12 of 24 rows|damaged")


def test_safetensors_headers_that_lie(tmp_path):
    path = tmp_path / "a.safetensors"

    def write(entries, data=PLAIN, length=None):
        header = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
        path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + data)

    good = {"dtype": "F32", "shape": [12, 4], "data_offsets": [0, 192]}
    write({"x": good}, length=2**60)
    refuse(path, "its header does not fit in it")
    write(b"{not json")
    refuse(path, "its header is no JSON")
    write(b"[1, 2]")
    refuse(path, "its header lists no tensors")
    write({"x": {**good, "shape": [10**9, 10**6]}})
    refuse(path, "x declares 4000000000000000 bytes of float32")
    write({"x": {**good, "data_offsets": [0, 10**12], "shape": [10**12 // 16, 4]}})
    refuse(path, "x declares 1000000000000 bytes of float32 .*, 192 are there")
    write({"x": {**good, "data_offsets": [-192, 0]}})
    refuse(path, "x has a damaged header entry")
    write({"x": {**good, "shape": [12, True]}})
    refuse(path, "x has a damaged header entry")
    write({"x": [1]})
    refuse(path, "x has a damaged header entry")
    write({"x": good}, data=X.tobytes() + b"more")
    refuse(path, "has 196 bytes of tensors, its header declares 192")
    write({"x": {**good, "dtype": "F8_E4M3", "shape": [48, 4]}})
    refuse(path, "holds F8_E4M3: a floating type that is not supported")


def test_pt_views_that_reach_outside(tmp_path):
    import torch

    path = tmp_path / "a.pt"
    torch.save(torch.zeros(1, 4).expand(10**9, 4), path)
    refuse(path, r"declares 4000000000 numbers, shape \(1000000000, 4\), over 4 stored ones")
    torch.save(torch.from_numpy(X), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    pkl = next(name for name in parts if name.endswith("data.pkl"))
    # The storage's length and the tensor's rows, both as pickled numbers.
    parts[pkl] = parts[pkl].replace(b"K0t", b"K\xf0t").replace(b"K\x0cK\x04\x86", b"K\x3cK\x04\x86")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    refuse(path, "is cut short: a tensor declares 960 bytes of float32, 192 are there")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    refuse(path, "was packed again after saving; save it with torch.save")


def test_pt_with_anything_but_tensors(tmp_path):
    import torch

    path = tmp_path / "a.pt"
    torch.save({"epoch": 3}, path)
    refuse(path, "holds no tensor")
    torch.save(torch.nn.Linear(2, 2), path)
    refuse(path, r"refers to torch.nn.modules.linear.Linear, which is neither an array nor a plain container")
    torch.save(torch.eye(4).to_sparse(), path)
    refuse(path, "which is neither an array nor a plain container")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy_bytes(X))
    refuse(path, "is a zip archive but no torch file")


class Hostile:
    """Pickles to a call that would leave a trace."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def touch(path):
    open(path, "w").close()


HOSTILE = [
    (os.system, ("touch {}",)),
    (eval, ("open('{}', 'w').close()",)),
    (exec, ("open('{}', 'w').close()",)),
    (touch, ("{}",)),
    (getattr, ("{}", "upper")),
]


@pytest.mark.parametrize(("function", "arguments"), HOSTILE, ids=[f.__name__ for f, _ in HOSTILE])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_hostile_pickles_are_refused_and_run_nothing(tmp_path, function, arguments, protocol):
    trace = tmp_path / "trace"
    attack = Hostile(function, *(text.format(trace) for text in arguments))
    pickled = tmp_path / "a.pkl"
    for value in (attack, [attack], {"image": X, "text": attack}, [{"id": attack, "embed": X[0]}]):
        pickled.write_bytes(pickle.dumps(value, protocol=protocol))
        refuse(pickled, "neither an array nor a plain container; nothing was run")
        with pytest.raises(UnusableInput):
            inspect_path(pickled)
    torched = tmp_path / "b.pt"
    with zipfile.ZipFile(torched, "w") as archive:
        archive.writestr("b/data.pkl", pickle.dumps(attack, protocol=protocol))
    refuse(torched, "neither an array nor a plain container; nothing was run")
    objects = tmp_path / "c.npy"
    np.save(objects, np.array([[attack, attack]], dtype=object), allow_pickle=True)
    refuse(objects, "holds Python objects; save a plain float array")
    np.savez(tmp_path / "d.npz", image=np.array([[attack]], dtype=object), allow_pickle=True)
    refuse(tmp_path / "d.npz", "holds Python objects")
    assert not trace.exists()


def test_pickles_cannot_touch_the_admitted_names(tmp_path):
    path = tmp_path / "a.pkl"
    changes_a_class = b"cnumpy\nndarray\n(N}S'array'\nI1\nstb."
    path.write_bytes(changes_a_class)
    refuse(path, "sets the state of something that is no array; nothing was run")
    path.write_bytes(b"cnumpy\nndarray\n}S'array'\nI1\nsb.")
    refuse(path, "sets the state of something that is no array")
    path.write_bytes(b"(S'x'\nS'y'\n\x85R.")
    refuse(path, "calls something that is no array; nothing was run")
    path.write_bytes(b"\x80\x02]r\xff\xff\xff\xff.")
    refuse(path, "a.pkl")
    path.write_bytes(pickle.dumps(X))
    np.testing.assert_array_equal(open_rows(path).read(0, 12), X)


def test_pickles_are_not_taken_from_an_upload(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(X))
    for call in (open_rows, load_pair, inspect_path):
        with pytest.raises(
            UnusableInput, match=r"is a pickle, which is not taken from an upload; save it as \.npy"
        ):
            call(path, trusted=False)
    with pytest.raises(UnusableInput, match="not taken from an upload"):
        open_rows(tmp_path, trusted=False)


def test_pickled_rows_that_are_no_rows(tmp_path):
    path = tmp_path / "a.pkl"

    def write(value):
        path.write_bytes(pickle.dumps(value))

    write([{"id": 0, "embed": X[0]}, {"id": 1, "embed": X[1][:3]}])
    refuse(path, "row 1 has dimension 3, row 0 has 4; every row needs the same dimension")
    write([{"id": 0, "embed": X[0]}, {"id": 1, "embed": None}])
    refuse(path, "row 1 is no plain array; save float arrays")
    write([{"id": 0, "embed": X[0]}, {"id": 1}])
    refuse(path, "row 1 is no plain array")
    write([{"id": 0, "note": "x"}])
    refuse(path, "is a list of records without an array; give each an 'embed' array")
    write([X[0], np.array(["a", "b", "c", "d"])])
    refuse(path, "row 1 is <U1 of shape")
    write(np.array([[1, "a"], [2, None]], dtype=object))
    refuse(path, "holds object: Python objects; save a plain float array")
    write("just text")
    refuse(path, "holds a str, not an array")
    write([1.0, 2.0])
    refuse(path, "holds a list, not an array")
    big = [0.5] * 4000
    write([big] * 20000)
    refuse(path, "repeats its rows to 610 MB")


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
    refuse(tmp_path / "a.npy", "there are no rows to use")
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
    refuse(path, r"has no floating-point array of shape \(n, d\); it holds no arrays")


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
