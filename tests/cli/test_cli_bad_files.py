"""Unusable files and folders: exit 2 and one plain line that names the culprit and the remedy."""

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

X = np.random.default_rng(0).standard_normal((60, 6)).astype("f4")


class Canary:
    """Leaves a trace if it is ever unpickled."""

    def __reduce__(self):
        return os.system, ("touch canary",)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_header(shape):
    buffer = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def torch_zip(value):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(value))
    return buffer.getvalue()


def safetensors(shape, offsets):
    entry = {"x": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}
    header = json.dumps(entry).encode()
    return struct.pack("<Q", len(header)) + header + X.tobytes()


def table(rows):
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


def with_row(value):
    rows = X.copy()
    rows[:] = value
    return rows


BAD = {
    "empty.npy": (b"", "empty"),
    "empty.csv": (b"", "empty"),
    "cut.npy": (npy(X)[:-9], "cut short"),
    "cut.npz": (npz(image=X)[:-40], "cut.npz"),
    "cut.pt": (torch_zip({})[:30], "cut.pt"),
    "cut.pkl": (pickle.dumps(X)[:-5], "damaged"),
    "text.npy": (b"hello there", "is not a .npy file"),
    "page.parquet": (b"<!DOCTYPE html><html></html>", "web page"),
    "pickle.npy": (pickle.dumps(X), "looks like a pickle"),
    "zip.pt": (npz(image=X), "no torch file"),
    "objects.npy": (npy(np.array([[X, None]], dtype=object)), "holds Python objects"),
    "objects.npz": (npz(image=np.array([[1, "a"]], dtype=object)), "holds Python objects"),
    "canary.pkl": (pickle.dumps(Canary()), "nothing was run"),
    "canary2.pkl": (pickle.dumps([{"id": 1, "embed": Canary()}]), "nothing was run"),
    "canary.pt": (torch_zip(Canary()), "nothing was run"),
    "canary.npy": (npy(np.array([[Canary()]], dtype=object)), "holds Python objects"),
    "flat.npy": (npy(X[0]), "(n, d)"),
    "cube.npy": (npy(X.reshape(3, 20, 6)), "(n, d)"),
    "ragged.csv": (table([[1.5, 2.5, 3.5], [1.5, 2.5, 3.5], [1.5, 2.5]]), "row 2 has 2 columns"),
    "ragged.pkl": (pickle.dumps([{"id": i, "embed": X[i][: 6 - i % 2]} for i in range(4)]), "row 1"),
    "lying.npy": (npy_header((10**9, 10**6)) + X.tobytes(), "cut short"),
    "lying.safetensors": (safetensors([10**9, 10**6], [0, X.nbytes]), "declares"),
    "none.npy": (npy(X[:0]), "no rows"),
    "nan.npy": (npy(with_row(np.nan)), "no usable rows"),
    "infinite.npy": (npy(with_row(np.inf)), "no usable rows"),
    "zero.npy": (npy(with_row(0)), "no usable rows"),
    "one.npy": (npy(X[:1]), "at least 2"),
    "words.npy": (npy(np.full((60, 6), "a")), "strings"),
    "words.csv": (table([["a", "b"], ["c", "d"], ["e", "f"]]), "numeric columns"),
    "word.csv": (table([[f"{x:.4f}" for x in row] for row in X[:59]] + [[1, 2, "x", 4, 5, 6]]), "row 59"),
    "complex.npy": (npy(X + 1j), "complex numbers"),
    "dates.npy": (npy(np.zeros((60, 6), "M8[s]")), "dates"),
    "integers.npy": (npy(np.ones((60, 6), int)), "whole numbers"),
    "two.npz": (npz(alpha=X, beta=X), "alpha"),
    "bare": (b"x", "suffix"),
    "wrong.txt": (b"x", "suffix"),
}
# What holds no embeddings can still be described; `inspect` refuses only what cannot be read.
REFUSED_BY_INSPECT = (
    "empty",
    "cut",
    "text",
    "page",
    "pickle",
    "zip",
    "canary",
    "lying",
    "ragged",
    "bare",
    "wrong",
)


@pytest.mark.parametrize("name", BAD)
def test_bad_files(cli, refused, folder, name):
    data, match = BAD[name]
    (folder / name).write_bytes(data)
    before = set(os.listdir())
    commands = [
        ("analyze", name, "s.npy"),
        ("analyze", "t.npy", name),
        ("analyze", name, "s.npy", "--paired", "yes"),
        ("align", name, "s.npy", "--out", "z.npy"),
        ("align", "t.npy", name, "--out", "z.npy"),
    ]
    for command in commands:
        message = refused(*command)
        assert name in message
        assert match in message
    if name.startswith(REFUSED_BY_INSPECT):
        assert name in refused("inspect", name)
    else:
        assert cli("inspect", name).status in (0, 2)
    assert set(os.listdir()) == before


def test_missing_files_and_folders(refused, folder):
    (folder / "hollow").mkdir()
    (folder / "dangling.npy").symlink_to("nowhere")
    for path in ("none.npy", "none.npz:key", "no/such/folder", "dangling.npy", "t.npy:key:more"):
        assert (
            "t.npy" in refused("analyze", path, "s.npy") if path.startswith("t") else refused("inspect", path)
        )
        assert refused("align", "t.npy", path, "--out", "z.npy")
    assert "holds no embedding files" in refused("inspect", "hollow")
    assert "is no path" in refused("inspect", "")
    assert "mixes .csv and .npy" in mixed(refused, folder)


def mixed(refused, folder):
    (folder / "mixed").mkdir()
    np.save("mixed/a.npy", X)
    (folder / "mixed" / "b.csv").write_text("1,2\n")
    return refused("analyze", "mixed", "s.npy")


def test_dimensions_and_counts_that_do_not_fit(refused, folder):
    np.save("narrow.npy", X[:, :5])
    np.save("short.npy", X[:40])
    for command in (("analyze",), ("align", "--out", "z.npy")):
        message = refused(command[0], "t.npy", "narrow.npy", *command[1:])
        assert "t.npy has dimension 6 and narrow.npy has 5" in message
    assert "60 rows and short.npy has 40" in refused("analyze", "t.npy", "short.npy", "--paired", "yes")
    message = refused("align", "t.npy", "short.npy", "--method", "procrustes", "--out", "z.npy")
    assert "learns from pairs" in message
    message = refused("analyze", "t.npy", "short.npy", "--methods", "procrustes")
    assert "learns from pairs" in message
    for command in (("analyze", "t.npy"), ("align", "t.npy", "--out", "z.npy")):
        assert "name the source file as well" in refused(*command)


def test_a_clip_retrieval_folder_that_is_incomplete(refused, folder):
    for part, counts in (("img_emb", (30, 30)), ("text_emb", (30, 20))):
        os.makedirs(f"cc/{part}")
        for number, count in enumerate(counts):
            np.save(f"cc/{part}/{part}_{number}.npy", X[:count])
    assert "has 30 rows and" in refused("analyze", "cc")
    os.remove("cc/text_emb/text_emb_1.npy")
    assert "2 shards in img_emb and 1 in text_emb" in refused("align", "cc", "--out", "z.npy")
