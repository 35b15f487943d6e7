"""What is let go of while methods are judged goes, and what can be shared is there once."""

from __future__ import annotations

import platform
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from useful_sets import rows

import realign_core as rc
from realign_core import memory
from realign_core.comparison.side import Side
from realign_core.diagnostics.angular import RowPairs

ROOT = Path(__file__).resolve().parents[2]


def test_pairs_of_rows_are_shared_while_anyone_holds_them():
    # A seed of this test's own: what others have judged may still hold pairs of theirs.
    seed = 918_273
    for n in (40, 5_001):
        pairs = RowPairs.of(n, seed)
        assert RowPairs.of(n, seed) is pairs
        assert RowPairs.of(n, seed + 1) is not pairs
        assert RowPairs.of(n - 1, seed) is not pairs
        known, i = weakref.ref(pairs), pairs.i.clone()
        del pairs
        assert known() is None
        assert (RowPairs.of(n, seed).i == i).all()


def test_threads_share_pairs_of_rows_too():
    start = Barrier(4)

    def of(_):
        start.wait()
        return RowPairs.of(5_002, 918_274)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(of, range(4)))
    assert all(pairs is found[0] for pairs in found)


def test_mapped_rows_go_before_others_are_made(monkeypatch):
    made, alive, mapped = [], [], Side.mapped

    def watched(side, method):
        alive.append(sum(known() is not None for known in made))
        found = mapped(side, method)
        made.append(weakref.ref(found))
        return found

    monkeypatch.setattr(Side, "mapped", watched)
    x, y, _ = rows("harmed")
    result = rc.compare(rc.EmbeddingPair.from_arrays(x, y, paired="yes"), methods=["mean_shift", "realign"])
    assert set(result.methods["realign"].view.after) == {"in-sample", "held-out"}
    assert alive == [0, 0, 0, 0]


def test_memory_is_given_back_before_each_side_is_judged(monkeypatch):
    given = []
    monkeypatch.setattr("realign_core.comparison.bench.give_back", lambda: given.append(True))
    x, y, _ = rows("harmed")
    rc.compare(rc.EmbeddingPair.from_arrays(x, y, paired="yes"), methods=["mean_shift", "realign"])
    assert len(given) == 4


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="give_back acts on glibc alone")
def test_freed_memory_is_back_with_the_system():
    # Too small for mappings of their own; the last, which is kept, holds the end of the heap.
    blocks = [bytearray(100_000) for _ in range(2_000)]
    full = resident_bytes()
    del blocks[:-1]
    memory.give_back()
    assert full - resident_bytes() > 150e6


FAULTS = """
import resource, sys
from realign_core import memory
if sys.argv[1] == "kept":
    memory.keep_blocks()
def faults():
    blocks = [bytearray(20_000_000) for _ in range(3)]
    del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
first = faults()
for _ in range(20):
    last = faults()
print(last - first)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="keep_blocks acts on glibc alone")
def test_freed_blocks_serve_again_where_they_are_kept():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)

    # 20 times 60 MB in pages of 4 kB, or of 2 MB where the system has such.
    assert faults("kept") < 20 < faults("mapped")


def test_another_c_library_is_left_alone(monkeypatch):
    class Other:
        def mallopt(self, *_):
            raise AssertionError("its options are not those of glibc")

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: Other())
    assert memory.give_back() is None
    assert memory.keep_blocks() is None
