"""The encoding itself: a plan and an encoder in, shards of unit rows out."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from realign_core.checkpoint import checkpoint
from realign_core.encode.decoding import BrokenImage, decode
from realign_core.encode.images import ImageSet
from realign_core.encode.models import Encoder
from realign_core.encode.plan import Plan, Row
from realign_core.encode.shards import IMAGES, TEXTS, Shard, ShardFolder
from realign_core.encode.skipped import Skipped
from realign_core.load.faults import first_line
from realign_core.validation import UnusableInput, check_count

PROGRESS_SECONDS = 0.5
READERS = 8

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Encoding:
    """What a run wrote: rows of dimension `dim` in `shards`, what was `skipped`, and `cut` captions."""

    shards: ShardFolder
    rows: int
    dim: int
    skipped: tuple[Skipped, ...]
    cut: int


def encode_folder(
    plan: Plan,
    encoder: Encoder,
    folder: str | os.PathLike,
    *,
    batch: int = 64,
    shard_rows: int = 10_000,
    fp16: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> Encoding:
    """Encode into `folder` in clip-retrieval's layout, `shard_rows` planned rows to a shard.

    Rows are unit length, float32 or float16. Images that cannot be decoded are skipped with their captions
    and reported. An interruption leaves the finished shards, and `resume` goes on behind them. Raises
    UnusableInput for a folder that is in use or was begun otherwise, and where no row could be encoded.
    """
    check_count("batch", batch)
    check_count("shard rows", shard_rows)
    dtype = "float16" if fp16 else "float32"
    provenance = {**encoder.provenance, "stored": dtype, "unit_rows": True}
    settings = {"inputs": plan.digest(), "model": encoder.provenance, "type": dtype, "shard rows": shard_rows}
    shards = ShardFolder(folder, settings, provenance)
    parts = [plan.rows[start : start + shard_rows] for start in range(0, len(plan.rows), shard_rows)]
    has = [folder for kind, folder in (("images", IMAGES), ("captions", TEXTS)) if kind in plan.has]
    shards.start([len(rows) for rows in parts], has, resume=resume)
    done = {shard.number for shard in shards.shards}
    say = _Throttled(progress, len(plan.rows))
    try:
        for number, rows in enumerate(parts):
            if number in done:
                say.skip(len(rows))
            else:
                _encode_shard(number, rows, plan, encoder, shards, batch, dtype, say)
        found = _result(plan, shards)
        shards.save(complete=True)
    except BaseException:
        # What holds no rows must not stand in the way of a second try.
        shards.discard()
        raise
    return found


def _encode_shard(
    number: int,
    rows: Sequence[Row],
    plan: Plan,
    encoder: Encoder,
    shards: ShardFolder,
    batch: int,
    dtype: str,
    say: _Throttled,
) -> None:
    skipped: list[Skipped] = []
    images = texts = None
    if plan.images is not None:
        wanted = list(dict.fromkeys(row.image for row in rows if row.image is not None))
        encoded, broken = _encode_images(wanted, plan.images, encoder, batch, say)
        counts = Counter(row.image for row in rows)
        skipped += [Skipped(plan.images.entries[i].name, why, counts[i]) for i, why in broken.items()]
        rows = [row for row in rows if row.image not in broken]
        place = {image: index for index, image in enumerate(image for image in wanted if image not in broken)}
        if rows:
            images = encoded[[place[row.image] for row in rows if row.image is not None]]
    cut = 0
    if "captions" in plan.has and rows:
        texts, cut = _encode_texts([row.caption or "" for row in rows], encoder, batch, say)
    columns: dict[str, Sequence[Any]] = {}
    for name, key, value in COLUMNS:
        if key in plan.has:
            columns[name] = [value(row) for row in rows]
    checkpoint()
    shards.add(Shard(number, len(rows), tuple(skipped), cut), images, texts, columns, dtype)


COLUMNS: tuple[tuple[str, str, Callable[[Row], Any]], ...] = (
    ("image_path", "paths", lambda row: row.path),
    ("caption", "captions", lambda row: row.caption),
    ("label", "labels", lambda row: row.label),
)
"""Each column of the metadata, what of the plan it needs, and its value in a row."""


def _encode_images(
    wanted: Sequence[int], images: ImageSet, encoder: Encoder, batch: int, say: _Throttled
) -> tuple[np.ndarray, dict[int, str]]:
    """Rows of the images that can be decoded, in order, and the reasons of the others."""
    broken: dict[int, str] = {}
    blocks: list[np.ndarray] = []
    held: list[Any] = []

    def prepare(index: int) -> Any:
        try:
            image = decode(_read(images, index))
        except BrokenImage as error:
            return error
        try:
            return encoder.preprocess(image)
        except MemoryError:
            raise
        except Exception as error:
            # One picture that the model's preprocessing cannot take must not end a run over a million.
            return BrokenImage(f"the model's preprocessing cannot take it: {first_line(error)}")

    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as pool:
        for start in range(0, len(wanted), batch):
            checkpoint()
            part = wanted[start : start + batch]
            for index, found in zip(part, pool.map(prepare, part), strict=True):
                if isinstance(found, BrokenImage):
                    broken[index] = str(found)
                else:
                    held.append(found)
            while len(held) >= batch:
                blocks.append(encoder.encode_images(held[:batch]))
                del held[:batch]
            say("images", len(part))
    if held:
        blocks.append(encoder.encode_images(held))
    return (np.concatenate(blocks) if blocks else np.empty((0, 0), np.float32)), broken


def _read(images: ImageSet, index: int) -> bytes:
    try:
        return images.read(index)
    except Exception as error:
        # A damaged archive raises errors of zipfile, zlib, lzma and struct.
        text = error.strerror if isinstance(error, OSError) and error.strerror else first_line(error)
        raise BrokenImage(f"cannot be read: {text}") from error


def _encode_texts(
    texts: Sequence[str], encoder: Encoder, batch: int, say: _Throttled
) -> tuple[np.ndarray, int]:
    blocks, cut = [], 0
    for start in range(0, len(texts), batch):
        checkpoint()
        part = texts[start : start + batch]
        tokens, longer = encoder.tokens(part)
        cut += longer
        blocks.append(encoder.encode_tokens(tokens))
        say("captions", len(part))
    return np.concatenate(blocks), cut


def _result(plan: Plan, shards: ShardFolder) -> Encoding:
    rows = sum(shard.rows for shard in shards.shards)
    skipped = plan.skipped + tuple(entry for shard in shards.shards for entry in shard.skipped)
    if not rows:
        first = skipped[0]
        raise UnusableInput(
            f"none of the {len(plan.rows)} rows could be encoded; the first, {first.name}: {first.reason}"
        )
    some = shards.files(IMAGES if "images" in plan.has else TEXTS)[0]
    dim = np.load(some, mmap_mode="r").shape[1]
    return Encoding(shards, rows, dim, skipped, sum(shard.cut for shard in shards.shards))


class _Throttled:
    """Progress that speaks at most twice a second."""

    def __init__(self, progress: Progress | None, total: int):
        self.progress = progress
        self.total = total
        self.before = 0
        self.counts = {"images": 0, "captions": 0}
        self.last = -PROGRESS_SECONDS

    def skip(self, rows: int) -> None:
        """Rows that an earlier run finished."""
        for name in self.counts:
            self.counts[name] += rows

    def __call__(self, what: str, count: int) -> None:
        self.counts[what] += count
        now = time.monotonic()
        if self.progress is not None and now - self.last >= PROGRESS_SECONDS:
            self.last = now
            self.progress(f"{what}: {self.counts[what]} of {self.total}")
