"""Threads that compute alone: torch forks no further threads inside them.

Threads of one small eigenproblem meet at hundreds of barriers. On an idle machine two of them save nothing
(d = 768: 0.05 s with one or two); where other work holds a core they wait for each other (0.45 s with two).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice

import torch
from torch import Tensor

WORKERS = min(os.cpu_count() or 1, 16)

_starting = threading.Lock()


def each_alone(work: Callable[[Tensor], Tensor], inputs: Iterable[Tensor]) -> Iterator[Tensor]:
    """`work` of each input in order, side by side, a thread each; no more inputs than threads are held."""
    with _starting:
        pool = _pool()
    inputs = iter(inputs)
    while some := list(islice(inputs, WORKERS)):
        yield from pool.map(work, some)


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(WORKERS, "alone", initializer=_compute_alone)
    everyone = threading.Barrier(WORKERS)
    list(pool.map(lambda _: everyone.wait(), range(WORKERS)))
    # The number holds for the thread that sets it and for threads that start later.
    torch.set_num_threads(threads)
    return pool


def _compute_alone() -> None:
    # A thread takes the process's number when it first asks, which must not come after it is set.
    torch.get_num_threads()
    torch.set_num_threads(1)


# A forked process has the pool but not its threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
