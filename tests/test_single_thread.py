"""Work side by side, a thread each, which leaves everybody else's number of threads alone."""

from __future__ import annotations

import threading

import pytest
import torch

from realign_core import single_thread
from realign_core.linalg import SINGLE_THREAD_UP_TO, eigenvalues_descending, spectra_descending
from realign_core.single_thread import each_alone


def threads(_=None):
    return torch.tensor(torch.get_num_threads())


def test_workers_have_one_thread_and_everybody_else_keeps_theirs():
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(3)
    try:
        single_thread._pool.cache_clear()
        assert [int(n) for n in each_alone(threads, [torch.zeros(1)] * 5)] == [1] * 5
        assert torch.get_num_threads() == 3
        later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        later.start()
        later.join()
        assert seen == [3]
    finally:
        torch.set_num_threads(before)


def test_inputs_are_taken_as_they_are_needed_and_kept_in_order():
    taken = []

    def inputs():
        for value in range(3 * single_thread.WORKERS):
            taken.append(value)
            yield torch.tensor(value)

    found = each_alone(lambda value: value + 1, inputs())
    assert int(next(found)) == 1
    assert len(taken) == single_thread.WORKERS
    assert [int(value) for value in found] == list(range(2, 3 * single_thread.WORKERS + 1))


def test_an_error_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(each_alone(lambda _: 1 // 0, [torch.tensor(1)]))
    assert [int(n) for n in each_alone(threads, [torch.zeros(1)])] == [1]


def test_spectra_side_by_side_are_those_of_each_matrix():
    generator = torch.Generator().manual_seed(0)
    for dims in ([5, 7, 3, 6, 2], [4], [], [SINGLE_THREAD_UP_TO + 1]):
        rows = [torch.randn(2 * dim, dim, dtype=torch.float64, generator=generator) for dim in dims]
        matrices = [part.mT @ part for part in rows]
        found = list(spectra_descending(iter(matrices)))
        assert [len(values) for values in found] == dims
        for matrix, values in zip(matrices, found, strict=True):
            torch.testing.assert_close(values, torch.linalg.eigvalsh(matrix).flip(0))
            torch.testing.assert_close(values, eigenvalues_descending(matrix))
