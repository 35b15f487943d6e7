"""Reading one block ahead and writing one behind; two sets scanned at once are what each is by itself."""

from __future__ import annotations

import io
import os
import threading
from itertools import pairwise

import numpy as np
import pytest

from realign_core.checkpoint import checked_by, counted_by
from realign_core.load import load_set, load_sets, write_rows
from realign_core.load.arrays import ArrayRows, ConcatRows, WindowRows, is_remote
from realign_core.load.batches import Batches
from realign_core.load.writing import write_behind

ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)
SECONDS = 10


class Distant:
    """Rows that come from afar: each block is noted when it is asked for."""

    remote = True
    dtype = "float32"
    shape = ROWS.shape

    def __init__(self, fails_at: int | None = None):
        self.asked: list[int] = []
        self.fails_at = fails_at
        self.changed = threading.Condition()

    def read(self, start: int, stop: int) -> np.ndarray:
        with self.changed:
            self.asked.append(start)
            self.changed.notify_all()
        if start == self.fails_at:
            raise OSError(f"no answer at {start}")
        return ROWS[start:stop]

    def take(self, indices: np.ndarray) -> np.ndarray:
        return ROWS[indices]

    def wait_for(self, start: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: start in self.asked, timeout=SECONDS)


def test_the_next_block_is_asked_for_while_one_is_worked_on():
    source, counted = Distant(), []
    blocks = iter(Batches(source, block_rows=8))
    with counted_by(lambda done, of: counted.append((done, of))):
        first = next(blocks)
        assert source.wait_for(8)
        assert source.asked == [0, 8]
        np.testing.assert_array_equal(np.concatenate([first, *blocks]), ROWS)
    assert source.asked == [0, 8, 16]
    assert counted == [(8, 20), (16, 20), (20, 20)]


def test_a_block_that_cannot_be_read_fails_in_its_turn():
    seen = []
    with pytest.raises(OSError, match="no answer at 16"):
        seen.extend(Batches(Distant(fails_at=16), block_rows=8))
    np.testing.assert_array_equal(np.concatenate(seen), ROWS[:16])


def test_a_pass_that_is_stopped_asks_for_no_more():
    def stop() -> None:
        if source.asked:
            raise InterruptedError

    source = Distant()
    blocks = iter(Batches(source, block_rows=4))
    next(blocks)
    with checked_by(stop), pytest.raises(InterruptedError):
        next(blocks)
    assert source.asked == [0, 4]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read ahead")]


def test_rows_of_parts_are_remote_where_a_part_is():
    assert is_remote(WindowRows(Distant(), 2, 9))
    assert is_remote(ConcatRows([Distant(), Distant()]))
    assert not is_remote(ConcatRows([ArrayRows(ROWS), WindowRows(ArrayRows(ROWS), 0, 5)]))


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
