"""Work side by side, a thread each, which leaves the number of threads as it was."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from realign_core import single_thread
from realign_core.linalg import SIDE_BY_SIDE_UP_TO, eigenvalues_descending, spectra_descending
from realign_core.single_thread import each_alone


def threads(_=None):
    """How many threads each BLAS library would use now."""
    numbers = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    assert numbers
    return np.array(numbers)


@pytest.fixture
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


@pytest.mark.usefixtures("two_threads")
def test_work_has_one_thread_and_what_follows_has_its_own_again():
    inside = list(each_alone(threads, [np.zeros(1)] * 5))
    assert all((numbers == 1).all() for numbers in inside)
    assert (threads() == 2).all()


def test_callers_side_by_side_leave_the_number_of_threads_as_it_was():
    before, seen = threads(), []

    def call():
        for numbers in each_alone(threads, [np.zeros(1)] * 40):
            seen.append(int(numbers.max()))

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert seen == [1] * 80
    assert (threads() == before).all()


def test_inputs_are_taken_as_they_are_needed_and_kept_in_order():
    taken = []

    def inputs():
        for value in range(3 * single_thread.WORKERS):
            taken.append(value)
            yield np.array(value)

    found = each_alone(lambda value: value + 1, inputs())
    assert int(next(found)) == 1
    assert len(taken) == single_thread.WORKERS
    assert [int(value) for value in found] == list(range(2, 3 * single_thread.WORKERS + 1))


@pytest.mark.usefixtures("two_threads")
def test_an_error_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(each_alone(lambda _: 1 // 0, [np.array(1)]))
    assert (threads() == 2).all()


def test_spectra_side_by_side_are_those_of_each_matrix():
    generator = torch.Generator().manual_seed(0)
    for dims in ([5, 7, 3, 6, 2], [4], [], [SIDE_BY_SIDE_UP_TO + 1]):
        rows = [torch.randn(2 * dim, dim, dtype=torch.float64, generator=generator) for dim in dims]
        matrices = [part.mT @ part for part in rows]
        found = list(spectra_descending(iter(matrices)))
        assert [len(values) for values in found] == dims
        for matrix, values in zip(matrices, found, strict=True):
            torch.testing.assert_close(values, torch.linalg.eigvalsh(matrix).flip(0))
            torch.testing.assert_close(values, eigenvalues_descending(matrix))
