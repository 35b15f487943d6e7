"""Whatever bytes a file holds, it is read or refused with UnusableInput: no other error, and nothing runs."""

import io
import os
import pickle
import sys
import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realign_core.load import inspect_path, load_pair, open_rows
from realign_core.load.opening import READERS
from realign_core.load.pickles import NUMPY_NAMES, SafeUnpickler
from realign_core.validation import UnusableInput

X = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
EVENTS = []


def watch(event, arguments):
    # What a pickle that got its way would raise; reading files raises none of these.
    if event in ("os.system", "subprocess.Popen", "exec.fuzz", "os.exec", "os.remove", "shutil.rmtree"):
        EVENTS.append(event)


sys.addaudithook(watch)


def try_everything(suffix, data):
    """Open, read, inspect and load `data` as a file of this suffix."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"a{suffix}")
        with open(path, "wb") as file:
            file.write(data)
        outcomes = []
        for attempt in (lambda: whole(path), lambda: inspect_path(path), lambda: load_pair(path)):
            before = len(EVENTS)
            try:
                attempt()
                outcomes.append("read")
            except UnusableInput as error:
                outcomes.append("several lines" if "\n" in str(error) else "refused")
            assert len(EVENTS) == before
        return outcomes


def whole(path):
    rows = open_rows(path, role="target")
    read = rows.read(0, rows.shape[0])
    assert read.shape == rows.shape


def valid_bytes():
    """One valid file of each kind, by suffix and name."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.feather as feather
    import torch
    from safetensors.numpy import save

    def written(write):
        buffer = io.BytesIO()
        write(buffer)
        return buffer.getvalue()

    tensor = torch.from_numpy(X)
    frame = pd.DataFrame({"image": list(X), "text": list(X), "caption": list("abcdef")})
    records = [{"id": i, "embed": row} for i, row in enumerate(X)]
    arrow = pa.table({"image": pa.array(list(X)), "text": pa.array(list(X))})
    return [
        (".npy", written(lambda file: np.save(file, np.stack([X, X])))),
        (".npz", written(lambda file: np.savez(file, image=X, text=X, ids=np.arange(6)))),
        (".npz", written(lambda file: np.savez_compressed(file, image=X, text=X))),
        (".pt", written(lambda file: torch.save({"image": tensor, "text": tensor}, file))),
        (".pth", written(lambda file: torch.save(tensor, file, _use_new_zipfile_serialization=False))),
        (".safetensors", save({"image": X, "text": X})),
        (".parquet", written(lambda file: frame.to_parquet(file))),
        (".feather", written(lambda file: feather.write_feather(arrow, file, compression="uncompressed"))),
        (".arrow", written(lambda file: feather.write_feather(arrow, file))),
        (".csv", written(lambda file: np.savetxt(file, X, delimiter=","))),
        (".pkl", pickle.dumps(records)),
        (".pkl", pickle.dumps({"image": X, "text": X}, protocol=5)),
        (".pkl", pickle.dumps(X, protocol=0)),
    ]


VALID = valid_bytes()
each_kind = pytest.mark.parametrize(
    "index", range(len(VALID)), ids=[f"{i}{suffix}" for i, (suffix, _) in enumerate(VALID)]
)
# Bytes that steer a reader somewhere: signatures, pickle opcodes, extreme lengths.
PIECES = [
    b"PK\x03\x04",
    b"PAR1",
    b"ARROW1\x00\x00",
    b"\x93NUMPY\x01\x00",
    b"\x80\x04",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x00\x00\x00\x00\x80",
    b"cos\nsystem\n(S'true'\ntR.",
    b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x96\xff\xff\xff\xff\x00\x00\x00\x00",
    b"r\xff\xff\xff\xff",
    b'{"x":{"dtype":"F32","shape":[9,9],"data_offsets":[0,324]}}',
    b"nan,inf,-1e999\n",
    b'"',
]


@each_kind
def test_the_valid_files_are_read(index):
    suffix, data = VALID[index]
    assert try_everything(suffix, data)[:2] == ["read", "read"]


@pytest.mark.parametrize("suffix", sorted(READERS))
@QUICK
@given(data=st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(PIECES)), max_size=8))
def test_random_bytes(suffix, data):
    assert set(try_everything(suffix, b"".join(data))) <= {"read", "refused"}


@each_kind
@QUICK
@given(data=st.data())
def test_mutated_valid_files(index, data):
    suffix, valid = VALID[index]
    mutated = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated)))
        kind = data.draw(st.sampled_from(["set", "insert", "delete", "cut", "splice"]))
        if kind == "set" and at < len(mutated):
            mutated[at] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            mutated[at:at] = data.draw(st.binary(min_size=1, max_size=9))
        elif kind == "delete":
            del mutated[at : at + data.draw(st.integers(1, 9))]
        elif kind == "cut":
            del mutated[at:]
        else:
            piece = data.draw(st.sampled_from(PIECES))
            mutated[at : at + len(piece)] = piece
    assert set(try_everything(suffix, bytes(mutated))) <= {"read", "refused"}


@each_kind
def test_every_single_flipped_byte_of_the_header(index):
    suffix, valid = VALID[index]
    for at in range(0, min(len(valid), 400), 7):
        mutated = bytearray(valid)
        mutated[at] ^= 0xFF
        assert set(try_everything(suffix, bytes(mutated))) <= {"read", "refused"}


OPCODES = [bytes([code]) for code in SafeUnpickler.dispatch]
NAMES = [f"c{module}\n{name}\n".encode() for module, name in NUMPY_NAMES]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.lists(st.one_of(st.sampled_from(OPCODES), st.sampled_from(NAMES), st.binary(max_size=4)), max_size=30)
)
def test_programs_of_pickle_opcodes(parts):
    seen = len(EVENTS)
    before = {name: vars(value) for name, value in NUMPY_NAMES.items() if isinstance(value, type)}
    before = {name: dict(value) for name, value in before.items()}
    program = b"".join(parts) + b"."
    try:
        SafeUnpickler(io.BytesIO(program), "a.pkl", NUMPY_NAMES).load()
    except Exception:
        # The readers turn all of these into UnusableInput; an exit or an interrupt would pass them by.
        EVENTS.append("refused")
    after = {name: dict(vars(value)) for name, value in NUMPY_NAMES.items() if isinstance(value, type)}
    assert before == after
    assert set(EVENTS[seen:]) <= {"refused"}
