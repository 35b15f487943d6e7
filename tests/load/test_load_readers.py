"""Every format gives back the rows that were written into it, in every type that it can hold."""

import csv
import pickle

import numpy as np
import pytest
from saving import (
    TYPES,
    D,
    N,
    rows_of,
    save_arrow,
    save_arrow_stream,
    save_npz,
    save_npz_compressed,
    save_parquet,
    save_parquet_fixed,
    save_pickle,
    save_pickle_0,
    save_pickle_5,
    save_pt,
    save_pt_legacy,
    save_safetensors,
)

from realign_core.load import load_pair, open_rows, write_rows
from realign_core.load.arrays import ConcatRows, WindowRows, widen_bfloat16
from realign_core.load.batches import Batches
from realign_core.validation import UnusableInput

KEYED = [
    ("a.npz", save_npz),
    ("b.npz", save_npz_compressed),
    ("c.pt", save_pt),
    ("d.pth", save_pt_legacy),
    ("e.safetensors", save_safetensors),
    ("f.parquet", save_parquet),
    ("g.parquet", save_parquet_fixed),
    ("h.arrow", save_arrow),
    ("i.feather", save_arrow_stream),
    ("j.pkl", save_pickle),
    ("k.pkl", save_pickle_5),
    ("l.pkl", save_pickle_0),
]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("name", "save"), KEYED, ids=[f"{name}-{save.__name__}" for name, save in KEYED])
def test_a_file_with_two_keys_gives_both_sets(tmp_path, name, save, dtype):
    x, y = rows_of(dtype), rows_of(dtype, seed=1)
    save(tmp_path / name, image_embeds=x, text_embeds=y)
    pair = load_pair(tmp_path / name, paired="no")
    assert pair.target.dtype == pair.source.dtype == dtype
    np.testing.assert_array_equal(np.asarray(pair.target), x)
    np.testing.assert_array_equal(np.asarray(pair.source), y)
    named = open_rows(f"{tmp_path / name}:text_embeds")
    np.testing.assert_array_equal(named.take(np.array([9, 2, 2, 20])), y[[9, 2, 2, 20]])
    np.testing.assert_array_equal(named.read(3, 11), y[3:11])
    np.testing.assert_array_equal(open_rows(tmp_path / name, role="target").read(0, N), x)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_holds_one_set_or_two(tmp_path, dtype, order):
    x, y = rows_of(dtype), rows_of(dtype, seed=1)
    np.save(tmp_path / "one.npy", np.asarray(x, order=order))
    np.save(tmp_path / "two.npy", np.asarray(np.stack([x, y]), order=order))
    np.testing.assert_array_equal(open_rows(tmp_path / "one.npy").read(0, N), x)
    pair = load_pair(tmp_path / "two.npy", paired="no")
    np.testing.assert_array_equal(np.asarray(pair.target), x)
    np.testing.assert_array_equal(np.asarray(pair.source), y)


def test_npy_in_the_other_byte_order_reads_natively(tmp_path):
    x = rows_of("float32")
    np.save(tmp_path / "big.npy", x.astype(">f4"))
    read = open_rows(tmp_path / "big.npy").read(0, N)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, x)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_one_stack_serves_as_both(tmp_path, save, order):
    both = np.asarray(np.stack([rows_of(), rows_of(seed=1)]), order=order)
    save(tmp_path / "two.npz", features=both)
    pair = load_pair(tmp_path / "two.npz", paired="no")
    np.testing.assert_array_equal(np.asarray(pair.target), both[0])
    np.testing.assert_array_equal(np.asarray(pair.source), both[1])
    np.testing.assert_array_equal(pair.source.take(np.array([4, 1])), both[1][[4, 1]])


def test_npz_with_one_set_and_ids_needs_no_key(tmp_path):
    x = rows_of()
    np.savez(tmp_path / "a.npz", embeddings=x, ids=np.arange(N), names=np.array(["a"] * N))
    pair = load_pair(tmp_path / "a.npz", x, paired="no")
    np.testing.assert_array_equal(np.asarray(pair.target), x)
    np.testing.assert_array_equal(pair.ids, np.arange(N))


@pytest.mark.parametrize("zipped", [True, False])
def test_pt_bfloat16_and_views(tmp_path, zipped):
    import torch

    x = torch.from_numpy(rows_of())
    held = {
        "image": x.bfloat16(),
        "text": torch.cat([x.T, x.T]).T[:, 2:7],
        "steps": torch.tensor(3),
        "note": "n",
    }
    torch.save(held, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    image, text = open_rows(f"{tmp_path}/a.pt:image"), open_rows(f"{tmp_path}/a.pt:text")
    assert image.dtype == "bfloat16"
    np.testing.assert_array_equal(image.read(0, N), held["image"].float().numpy())
    np.testing.assert_array_equal(text.read(0, N), held["text"].numpy())


def test_pt_holds_a_bare_tensor_a_stack_or_a_state_dict(tmp_path):
    import torch

    x = torch.from_numpy(rows_of())
    torch.save(x, tmp_path / "bare.pt")
    torch.save(torch.stack([x, 2 * x]), tmp_path / "stack.pt")
    torch.save(torch.nn.Linear(D, N, bias=False).state_dict(), tmp_path / "state.pt")
    np.testing.assert_array_equal(open_rows(tmp_path / "bare.pt").read(0, N), x.numpy())
    np.testing.assert_array_equal(np.asarray(load_pair(tmp_path / "stack.pt").source), 2 * x.numpy())
    assert open_rows(tmp_path / "state.pt").shape == (N, D)


def test_safetensors_bfloat16(tmp_path):
    import torch
    from safetensors.torch import save_file

    x = torch.from_numpy(rows_of()).bfloat16()
    save_file({"image": x, "text": -x}, tmp_path / "a.safetensors")
    pair = load_pair(tmp_path / "a.safetensors", paired="no")
    assert pair.report.dtype_target == "bfloat16"
    np.testing.assert_array_equal(np.asarray(pair.source), -x.float().numpy())
    bits = x.view(torch.int16).numpy().view(np.uint16)
    np.testing.assert_array_equal(widen_bfloat16(bits), x.float().numpy())


@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("csv", ";"), ("tsv", "\t")])
@pytest.mark.parametrize("header", [True, False])
def test_delimited_text(tmp_path, suffix, delimiter, header):
    x = rows_of("float64")
    path = tmp_path / f"a.{suffix}"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        if header:
            writer.writerow([f"d{i}" for i in range(D)])
        writer.writerows([[repr(float(value)) for value in row] for row in x])
    np.testing.assert_array_equal(open_rows(path).read(0, N), x)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_a_dimension_with_captions_beside(tmp_path, suffix):
    import pandas as pd

    x, y = rows_of("float64"), rows_of("float64", seed=1)
    frame = pd.DataFrame(np.hstack([x, y]), columns=[f"{s}_{i}" for s in ("image", "text") for i in range(D)])
    frame.insert(0, "id", range(N))
    frame["caption"] = [f'a "dog", {i}\nand a cat' for i in range(N)]
    frame["label"] = [f"l{i % 3}" for i in range(N)]
    path = tmp_path / f"a.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    pair = load_pair(path, paired="yes")
    np.testing.assert_array_equal(np.asarray(pair.target), x)
    np.testing.assert_array_equal(np.asarray(pair.source), y)
    assert list(pair.captions) == list(frame["caption"])
    assert list(pair.labels) == list(frame["label"])
    assert [int(value) for value in pair.ids] == list(range(N))


def test_large_text_is_parsed_in_blocks(tmp_path):
    x = rows_of("float64", n=5000, d=2)
    np.savetxt(tmp_path / "a.csv", x, delimiter=",", fmt="%.17g")
    rows = open_rows(tmp_path / "a.csv")
    np.testing.assert_array_equal(rows.read(4990, 5000), x[4990:])
    np.testing.assert_array_equal(rows.read(0, 5000), x)


def test_missing_lists_and_cells_are_bad_rows_not_errors(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = [[1.0, 2.0], None, [3.0, None], [4.0, 5.0], [5.0, 7.0]]
    pq.write_table(pa.table({"emb": pa.array(lists)}), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("x,y\n1.0,2.0\n,3.0\nNA,1.0\n4.0,5.0\n\n5.0,7.0\n")
    for name in ("a.parquet", "b.csv"):
        report = load_pair(tmp_path / name, rows_of(d=2), paired="no").report
        assert (report.n_target, dict(report.rows_dropped.reasons)) == (3, {"NaN": 2})


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_pickled_chunks_of_records(tmp_path, protocol):
    x = rows_of()
    for chunk in range(3):
        part = x[chunk * 7 : (chunk + 1) * 7]
        records = [{"id": f"r{chunk}-{i}", "embed": row} for i, row in enumerate(part)]
        (tmp_path / f"chunk_{chunk}.pkl").write_bytes(pickle.dumps(records, protocol=protocol))
    pair = load_pair(tmp_path, x[:21], paired="yes")
    np.testing.assert_array_equal(np.asarray(pair.target), x[:21])
    assert list(pair.ids[:8]) == [f"r0-{i}" for i in range(7)] + ["r1-0"]


def test_pickles_of_lists_and_of_rows_by_id(tmp_path):
    x = rows_of("float64")
    shapes = {
        "lists": x.tolist(),
        "arrays": list(x),
        "by_id": {f"r{i}": row for i, row in enumerate(x)},
        "records": [{"id": np.int64(i), "embed": row[None]} for i, row in enumerate(x)],
        "bare": x,
    }
    for name, value in shapes.items():
        path = tmp_path / f"{name}.pkl"
        path.write_bytes(pickle.dumps(value))
        np.testing.assert_array_equal(open_rows(path).read(0, N), x, err_msg=name)
    assert list(load_pair(tmp_path / "by_id.pkl", x, paired="yes").ids[:2]) == ["r0", "r1"]
    assert list(load_pair(tmp_path / "records.pkl", x, paired="yes").ids[:2]) == [0, 1]


def test_windows_and_joined_sources():
    x = rows_of()
    source = Batches(
        ConcatRows([WindowRows(open_array(x), 3, 9), open_array(x.astype(np.float64))]), block_rows=4
    )
    whole = np.concatenate([x[3:9].astype(np.float64), x])
    assert source.dtype == "float64"
    np.testing.assert_array_equal(np.concatenate(list(source)), whole)
    np.testing.assert_array_equal(source.take(np.array([28, 0, 5, 6])), whole[[28, 0, 5, 6]])


def open_array(array):
    from realign_core.load.arrays import ArrayRows

    return ArrayRows(array)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_decoding_spills_to_disk_when_it_is_large(tmp_path, monkeypatch, suffix):
    from realign_core.load import spool

    x = rows_of(n=300)
    if suffix == ".npz":
        np.savez_compressed(tmp_path / "a.npz", x)
    else:
        write_rows(tmp_path / "a.parquet", x, n=300, dim=D)
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 100)
    rows = open_rows(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(rows.read(0, 10), x[:10])
    np.testing.assert_array_equal(rows.take(np.array([299, 3])), x[[299, 3]])
    assert isinstance(rows._open()._store, np.memmap)


def test_decoding_that_does_not_fit_on_the_disk_is_refused(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from realign_core.load import spool

    np.savez_compressed(tmp_path / "a.npz", rows_of(n=300))
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 100)
    monkeypatch.setattr(spool.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    with pytest.raises(UnusableInput, match="set TMPDIR to a larger disk"):
        open_rows(tmp_path / "a.npz").read(0, 10)


def test_tensors_in_memory_come_as_tensors():
    import torch

    x = torch.from_numpy(rows_of()).bfloat16()
    pair = load_pair(x, 2 * x, paired="yes")
    blocks = list(pair.source)
    assert blocks[0].dtype == torch.bfloat16
    assert torch.equal(torch.cat(blocks), 2 * x)
    assert torch.equal(pair.target.take(np.array([3, 1])), x[[3, 1]])
    assert np.asarray(pair.target).dtype == np.float32
