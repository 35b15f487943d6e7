"""Writing one block behind; two sets scanned at once are what each is by itself."""

from __future__ import annotations

import io
import os
import threading
from itertools import pairwise

import numpy as np
import pytest

from realign_core.load import load_set, load_sets, write_rows
from realign_core.load.writing import write_behind

ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)
SECONDS = 10


class Slow(io.RawIOBase):
    """A file whose first write waits until the second block is being made."""

    def __init__(self, under):
        self.under = under
        self.going_on = threading.Event()

    def write(self, data) -> int:
        assert self.going_on.wait(SECONDS), "nothing was made while this was written"
        return self.under.write(data)

    def flush(self) -> None:
        self.under.flush()

    def fileno(self) -> int:
        return self.under.fileno()


def test_a_block_is_written_while_the_next_is_made_in_the_same_memory(tmp_path):
    memory = np.empty((4, 3), np.float32)

    def blocks(file):
        for first in range(0, 20, 4):
            if first:
                file.going_on.set()
            memory[:] = ROWS[first : first + 4]
            yield memory

    with open(tmp_path / "out.bin", "wb") as under:
        file = Slow(under)
        write_behind(file, blocks(file))
    assert (tmp_path / "out.bin").read_bytes() == ROWS.tobytes()


@pytest.mark.parametrize("sizes", [(), (5,), (1, 7, 2, 7, 3)])
def test_blocks_of_any_lengths(sizes, tmp_path):
    ends = np.cumsum((0, *sizes))
    with open(tmp_path / "out.bin", "wb") as file:
        write_behind(file, (ROWS[low:high] for low, high in pairwise(ends)))
    assert (tmp_path / "out.bin").read_bytes() == ROWS[: sum(sizes)].tobytes()


def test_what_cannot_be_written_is_said_at_the_end_too():
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    for count in (1, 3):
        with pytest.raises(OSError, match="No space left"):
            write_behind(Full(), (ROWS[:4] for _ in range(count)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_rows_go_into_a_pipe(tmp_path):
    pipe, found = tmp_path / "pipe.npy", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_rows(pipe, ROWS, n=20, dim=3)
    reader.join(SECONDS)
    np.testing.assert_array_equal(np.load(io.BytesIO(found[0])), ROWS)


@pytest.mark.parametrize("max_rows", [None, 40])
@pytest.mark.parametrize("normalize", [True, False])
def test_two_sets_at_once_are_what_each_is_by_itself(tmp_path, monkeypatch, max_rows, normalize):
    monkeypatch.chdir(tmp_path)
    for seed, (name, n) in enumerate((("t.npy", 90), ("s.npy", 70))):
        rows = np.random.default_rng(seed).standard_normal((n, 6)).astype(np.float16)
        rows[7], rows[11, 2] = 0, np.nan
        np.save(name, rows)
    both = load_sets("t.npy", "s.npy", normalize=normalize, max_rows=max_rows)
    alone = (
        load_set("t.npy", role="target", normalize=normalize, max_rows=max_rows),
        load_set("s.npy", role="source", normalize=normalize),
    )
    for found, expected in zip(both, alone):
        np.testing.assert_array_equal(found.rows[:], expected.rows[:])
        assert (found.name, found.dropped, found.first_dropped, found.notes) == (
            expected.name,
            expected.dropped,
            expected.first_dropped,
            expected.notes,
        )
