"""Mapped rows written shard by shard on the cluster: a Ray Data set of shards, each mapped by a worker."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
import ray.data

from realign_core.alignment.output import depends_on_order, is_written, shards_of, write_mapped
from realign_core.alignment.output import write_shards as write_in_order
from realign_core.checkpoint import tell
from realign_core.engine.ray_engine import fetched
from realign_core.engine.work import RETRIES, answered, insistent
from realign_core.load.atomic import clear_partial
from realign_core.load.batches import Batches
from realign_core.load.filed import cut, files_of
from realign_core.validation import UnusableInput

SUFFIX = ".npy"


@dataclass(frozen=True)
class Shard:
    """A file to be written and the source rows, as a recipe, that are mapped into it."""

    path: str
    rows: Batches


def write_shards(method: Any, rows: Batches, folder: str, *, shard_rows: int | None = None) -> int:
    """Map the rows of files with a fitted method into `.npy` shards in `folder`; returns how many there are.

    Each shard appears whole or not at all, and one that is there already, with as many rows of the type, is
    left as it is: an interrupted run goes on. Workers need `folder` under the same path. Methods that draw
    a number a row, and a user's own, map in order on one worker, as their draws depend on what came before.
    Raises `UnusableInput` for rows in memory and for what cannot be mapped or written.
    """
    if files_of(rows.source) is None:
        raise UnusableInput("rows in memory cannot be mapped on a cluster; save them as .npy first")
    where = os.path.abspath(folder)
    shards = [
        Shard(os.path.join(where, name + SUFFIX), cut(rows, start, stop))
        for name, start, stop in shards_of(rows, shard_rows)
    ]
    names = [os.path.basename(shard.path) for shard in shards]
    clear_partial(where, names)
    shared = ray.put(method)
    try:
        if depends_on_order(method):
            sentences = [fetched("write", _write_in_order.remote(shared, rows, where, shard_rows))]
        else:
            sentences = _spread(shared, shards)
    finally:
        # A worker that was killed has left what it was writing, under a name that no reader takes.
        clear_partial(where, names)
    for sentence in sentences:
        if sentence is not None:
            raise UnusableInput(sentence)
    return len(shards)


def _spread(method: Any, shards: Sequence[Shard]) -> list[str | None]:
    """The sentences of the shards in order, None for one that is written."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    context.print_on_execution_start = False
    items = [{"number": number, "shard": ray.cloudpickle.dumps(shard)} for number, shard in enumerate(shards)]

    def write(item: dict[str, Any]) -> dict[str, Any]:
        shard: Shard = ray.cloudpickle.loads(item["shard"])
        _, sentence = insistent(lambda: write_one(ray.get(method), shard))
        return {"number": item["number"], "sentence": sentence or ""}

    # A task a shard, so that a worker's death costs what it was writing and no more.
    data = ray.data.from_items(items, override_num_blocks=len(items))
    found: dict[int, str | None] = {}
    # Ray repeats the task of a worker that died.
    for row in data.map(write).iter_rows():
        found[row["number"]] = row["sentence"] or None
        tell(f"write: {len(found)} of {len(shards)} shards")
    return [found[number] for number in range(len(shards))]


@ray.remote(max_retries=RETRIES, retry_exceptions=[OSError])
def _write_in_order(method: Any, rows: Batches, folder: str, shard_rows: int | None) -> str | None:
    """Write all shards one after another, and say what is unusable."""
    return answered(lambda: write_in_order(folder, method, rows, shard_rows=shard_rows))[1]


def write_one(method: Any, shard: Shard) -> None:
    """Write one shard unless it is there."""
    if is_written(shard.path, shard.rows):
        return
    try:
        write_mapped(shard.path, method, shard.rows)
    except UnusableInput as error:
        raise UnusableInput(f"{os.path.basename(shard.path)}: {error}") from error.__cause__
