"""Rows for tests, and saving them in each format."""

import pickle

import numpy as np

N, D = 23, 5
TYPES = ["float16", "float32", "float64"]


def rows_of(dtype="float32", seed=0, n=N, d=D):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def save_npz(path, **arrays):
    np.savez(path, **arrays)


def save_npz_compressed(path, **arrays):
    np.savez_compressed(path, **arrays)


def save_pt(path, **arrays):
    import torch

    torch.save({key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}, path)


def save_pt_legacy(path, **arrays):
    import torch

    tensors = {key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def save_safetensors(path, **arrays):
    from safetensors.numpy import save_file

    save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, path)


def table(arrays, *, fixed):
    import pyarrow as pa

    columns = {}
    for key, value in arrays.items():
        flat = pa.array(np.ascontiguousarray(value).reshape(-1))
        ends = pa.array(np.arange(0, value.size + 1, value.shape[1]), pa.int32())
        fixed_rows = pa.FixedSizeListArray.from_arrays
        columns[key] = fixed_rows(flat, value.shape[1]) if fixed else pa.ListArray.from_arrays(ends, flat)
    return pa.table(columns)


def save_parquet(path, **arrays):
    import pyarrow.parquet as pq

    pq.write_table(table(arrays, fixed=False), path, row_group_size=7)


def save_parquet_fixed(path, **arrays):
    import pyarrow.parquet as pq

    pq.write_table(table(arrays, fixed=True), path, row_group_size=7)


def save_arrow(path, **arrays):
    import pyarrow as pa

    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table(arrays, fixed=False).schema) as writer,
    ):
        writer.write_table(table(arrays, fixed=False), max_chunksize=7)


def save_arrow_stream(path, **arrays):
    import pyarrow as pa

    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_stream(sink, table(arrays, fixed=True).schema) as writer,
    ):
        writer.write_table(table(arrays, fixed=True), max_chunksize=7)


def save_pickle(path, **arrays):
    path.write_bytes(pickle.dumps(arrays))


def save_pickle_5(path, **arrays):
    path.write_bytes(pickle.dumps(arrays, protocol=5))


def save_pickle_0(path, **arrays):
    path.write_bytes(pickle.dumps(arrays, protocol=0))
