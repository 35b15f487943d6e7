"""Pickles run nothing, and those without plain rows are refused."""

import os
import pickle
import zipfile

import numpy as np
import pytest
from refusing import X, refuse

from realign_core.load import inspect_path, load_pair, open_rows
from realign_core.validation import UnusableInput


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
