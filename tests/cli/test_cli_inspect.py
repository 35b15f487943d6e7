"""`inspect` describes every format and kind of folder, and writes nothing."""

import os
import pickle

import numpy as np
import pytest

from realign_core.load import write_rows

X, Y = np.random.default_rng(1).standard_normal((2, 12, 5)).astype("f4")


def save_torch(path):
    import torch

    torch.save({"image": torch.from_numpy(X), "text": torch.from_numpy(Y)}, path)


def save_arrow(path):
    import pyarrow as pa

    values = pa.FixedSizeListArray.from_arrays(pa.array(X.reshape(-1)), 5)
    data = pa.table({"image": values, "caption": ["a"] * 12})
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, data.schema) as writer:
        writer.write_table(data)


WRITERS = {
    "a.npy": lambda path: np.save(path, X),
    "both.npy": lambda path: np.save(path, np.stack([X, Y])),
    "a.npz": lambda path: np.savez(path, image=X, text=Y),
    "a.pt": save_torch,
    "a.pth": save_torch,
    "a.safetensors": lambda path: write_rows(path, X, n=12, dim=5),
    "a.parquet": lambda path: write_rows(path, X, n=12, dim=5),
    "a.arrow": save_arrow,
    "a.csv": lambda path: np.savetxt(path, X, delimiter=","),
    "a.tsv": lambda path: np.savetxt(path, X, delimiter="\t"),
    "a.pkl": lambda path: write_rows(path, X, n=12, dim=5, ids=list("abcdefghijkl")),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format(cli, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    WRITERS[name](name)
    outcome = cli("inspect", name)
    assert outcome.status == 0, outcome.err
    assert outcome.err == ""
    assert outcome.out.startswith(f"{name}: ")
    assert "12 rows of dimension 5; norms " in outcome.out
    assert "no bad rows" in outcome.out
    assert os.listdir() == [name]


def test_what_is_wrong_with_the_rows(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = X.copy()
    rows[3] = np.nan
    rows[5] = 0
    rows[8] = rows[7]
    np.save("a.npy", rows)
    out = cli("inspect", "a.npy").out
    assert "bad rows: 1 NaN, 1 zero norm (first: row 3)" in out
    assert "1 exact duplicates" in out
    np.savez("b.npz", image=X, ids=np.arange(12), names=np.array(["x"] * 12))
    lines = cli("inspect", "b.npz").out.splitlines()
    assert lines[0].startswith("b.npz: npz, ")
    assert "image: 12 x 5, float32, by its name the target" in "\n".join(lines)
    assert any("ids: 12, int64" in line for line in lines)
    out = cli("inspect", "b.npz:image").out
    assert "ids" not in out
    np.save("n.npy", X * np.nan)
    assert "no usable rows" in cli("inspect", "n.npy").out


def test_folders(cli, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("shards")
    for number in (1, 2, 10):
        np.save(f"shards/part_{number}.npy", X)
    out = cli("inspect", "shards").out
    assert out.startswith("shards: folder, ")
    assert "36 rows of dimension 5" in out
    for part in ("img_emb", "text_emb"):
        os.makedirs(f"cc/{part}")
        np.save(f"cc/{part}/{part}_0.npy", X)
    out = cli("inspect", "cc").out
    assert out.count("12 rows of dimension 5") == 2
    assert "target" in out
    os.mkdir("empty")
    assert "holds no embedding files" in refused("inspect", "empty")


def test_a_folder_with_a_link_that_leads_nowhere(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("shards")
    np.save("shards/a.npy", X)
    os.symlink("nowhere", "shards/notes.txt")
    assert cli("inspect", "shards").status == 0


def test_numpy_and_pickled_rows_of_other_makers(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chunk = [{"id": str(i), "embed": row[None]} for i, row in enumerate(X)]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(chunk, protocol=5))
    np.save("f.npy", np.asfortranarray(X.astype(">f8")))
    for name in ("a.pkl", "f.npy"):
        assert "12 rows of dimension 5" in cli("inspect", name).out
