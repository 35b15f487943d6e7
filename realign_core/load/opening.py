"""From a path to rows: which reader a file needs, `path:key`, and files or folders that hold both sets."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeVar

from realign_core.load.arrays import ConcatRows
from realign_core.load.batches import RowSource
from realign_core.load.faults import check_signature, reading
from realign_core.load.filed import FileRows
from realign_core.load.folders import Layout, layout_of
from realign_core.load.members import Contents, Member, Sidecar, pick, pick_both
from realign_core.load.places import exists, is_folder, is_url, join, localised, remembering, shown, suffix_of
from realign_core.load.sidecars import join_sidecars
from realign_core.samples import sample_path
from realign_core.validation import UnusableInput

Result = TypeVar("Result")
Role = Literal["target", "source"] | None
Beside = tuple[Sidecar, dict[str, Any] | None]

READERS = {
    ".npy": "npy",
    ".npz": "npz",
    ".pt": "torch_file",
    ".pth": "torch_file",
    ".safetensors": "safetensors_file",
    ".parquet": "arrow",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "table",
    ".tsv": "table",
    ".pkl": "pickled",
    ".pickle": "pickled",
}


# Of these a file behind a URL is fetched in parts, as they are asked for; others are copied.
OPENED_AT_ONCE = 8
IN_PARTS = (".npy", ".safetensors", ".parquet")


@dataclass(frozen=True)
class Opened:
    """Rows with the name they go by in messages, what stands beside them and where they come from.

    `notes` are sentences for the report on how they were read.
    """

    rows: RowSource
    name: str
    sidecar: Sidecar = field(default_factory=Sidecar)
    provenance: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


def split_key(path: str | os.PathLike) -> tuple[str, str | None]:
    """`("file.npz", "key")` of `file.npz:key`; the longest part before a colon that exists is the file.

    `sample:NAME` is the file of a bundled sample, unless a file of that name exists. The file is a path or
    the URL of one that is no `file://`.
    """
    text = os.fspath(path)
    if "\0" in text or not text:
        raise UnusableInput(f"{text!r} is no path; name a file or folder")
    text = localised(text)
    if is_url(text):
        return _split_url(text)
    text = sample_path(text)
    head, key = text, None
    while not os.path.exists(head):
        head, colon, _ = head.rpartition(":")
        if not colon or not head:
            raise UnusableInput(f"{text} does not exist; check the path")
        key = text[len(head) + 1 :]
    return head, key


def _split_url(url: str) -> tuple[str, str | None]:
    """As `split_key`; since some stores deny access to what is not there, a failure counts last."""
    scheme, _, rest = url.partition("://")
    head, key, failure = rest, None, None
    while True:
        try:
            if exists(f"{scheme}://{head}"):
                return f"{scheme}://{head}", key
        except UnusableInput as error:
            failure = failure or error
        # A colon before the first slash parts the port from a host.
        host, slash, path = head.partition("/")
        path, colon, _ = (path if slash else host).rpartition(":")
        if not colon or not path:
            raise failure or UnusableInput(f"{shown(url)} does not exist; check the URL")
        head = f"{host}{slash}{path}" if slash else path
        key = rest[len(head) + 1 :]


def contents_of(path: str, *, trusted: bool = True) -> Contents:
    """What one file holds. Raises UnusableInput for a file that cannot be read as its suffix says."""
    suffix = suffix_of(path)
    if suffix not in READERS:
        known = ", ".join(READERS)
        name = shown(path)
        raise UnusableInput(f"{name} has the suffix {suffix or '(none)'!r}; readable are {known} and folders")
    if not trusted and READERS[suffix] == "pickled":
        raise UnusableInput(f"{path} is a pickle, which is not taken from an upload; save it as .npy or .npz")
    if not is_url(path) and not os.path.isfile(path):
        raise UnusableInput(f"{path} is a pipe or a device; write what it holds to a file first")
    why = _why_copied(path, suffix)
    if why is None:
        return _read_contents(path)
    from realign_core.load.copied import copied_contents

    return copied_contents(path, _read_contents, why)


def _why_copied(path: str, suffix: str) -> str | None:
    """Why a file has to be copied here before it is read; None where it is read in place."""
    if not is_url(path):
        return None
    if suffix not in IN_PARTS:
        return f"{suffix} files cannot be read in parts, as {', '.join(IN_PARTS)} can"
    from realign_core.load.remote import Remote

    return None if Remote(path).has_ranges() else "its server does not offer parts of it"


def _read_contents(path: str) -> Contents:
    suffix = suffix_of(path)
    with reading(path):
        check_signature(path, suffix)
        return importlib.import_module(f"realign_core.load.{READERS[suffix]}").contents(path)


def paths_of(path: str | os.PathLike) -> list[str]:
    """The files that rows at `path` are read from, in order; raises UnusableInput as reading them would."""
    file, _ = split_key(path)
    if not is_folder(file):
        return [file]
    layout = _layout(file)
    return [*layout.target, *layout.source, *layout.metadata]


def open_rows(path: str | os.PathLike, *, role: Role = None, trusted: bool = True) -> RowSource:
    """The rows of a file or folder, `(n, d)`, read on demand.

    `role` chooses the half of a file that holds both sets; `trusted=False` (browser uploads) refuses
    pickles. Raises UnusableInput when the file cannot be used or has no obvious array for the role.
    """
    return open_one(path, role=role, trusted=trusted).rows


@remembering()
def open_one(path: str | os.PathLike, *, role: Role, trusted: bool = True) -> Opened:
    """As `open_rows`, with the name and the columns beside the rows."""
    file, key = split_key(path)
    if not is_folder(file):
        found = contents_of(file, trusted=trusted)
        member, part = pick(found, role, key)
        return _opened(found, _rows(found, member, part), shown(path))
    layout = _layout(file)
    if layout.both and role is None:
        raise UnusableInput(f"{file} holds images and texts; name {file}/img_emb or {file}/text_emb")
    texts = layout.source and (role == "source" or not layout.target)
    shards = layout.source if texts else layout.target
    opened = _each(partial(open_one, role=role, trusted=trusted), shards, key)
    return _joined(opened, shown(path), _metadata(layout, opened))


@remembering()
def open_both(path: str | os.PathLike, *, trusted: bool = True) -> tuple[Opened, Opened] | None:
    """Target and source out of one file or folder that obviously holds both, else None."""
    file, key = split_key(path)
    name = shown(path)
    if not is_folder(file):
        found = contents_of(file, trusted=trusted)
        both = pick_both(found, key)
        if both is None:
            # A file that can serve as neither says why in its own words.
            pick(found, "target", key)
            return None
        first, second = (_rows(found, member, part) for member, part in both)
        target = _opened(found, first, name)
        return target, replace(target, rows=second)
    layout = _layout(file)
    if layout.both:
        images = _each(partial(open_one, role="target", trusted=trusted), layout.target, key)
        texts = _each(partial(open_one, role="source", trusted=trusted), layout.source, key)
        _check_partners(images, texts, file)
        beside = _metadata(layout, images)
        return (
            _joined(images, join(name, "img_emb"), beside),
            _joined(texts, join(name, "text_emb"), beside),
        )
    pairs = _each(partial(open_both, trusted=trusted), layout.target, key)
    halves = [pair for pair in pairs if pair is not None]
    if len(halves) < len(pairs):
        return None
    target = _joined([pair[0] for pair in halves], name, None)
    source = _joined([pair[1] for pair in halves], name, None)
    return target, replace(target, rows=source.rows)


def _opened(found: Contents, rows: RowSource, name: str) -> Opened:
    with reading(found.path):
        notes = () if found.note is None else (found.note,)
        return Opened(rows, name, found.sidecar(), found.provenance(), notes)


def _rows(found: Contents, member: Member, part: int | None) -> RowSource:
    return FileRows.of(contents_of, found.path, member.key, part, member.rows(part))


def _layout(folder: str) -> Layout:
    with reading(folder):
        return layout_of(folder, tuple(READERS))


def _each(call: Callable[[str], Result], shards: Sequence[str], key: str | None) -> list[Result]:
    """What opening each shard gives, in order; several behind URLs at once, since each waits for answers."""
    paths = [shard if key is None else f"{shard}:{key}" for shard in shards]
    if not is_url(paths[0]):
        return [call(path) for path in paths]
    with ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
        # Each thread gets the context, which remembers what the listing told.
        tasks = [pool.submit(copy_context().run, call, path) for path in paths]
        try:
            return [task.result() for task in tasks]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _metadata(layout: Layout, shards: list[Opened]) -> Beside | None:
    """What stands beside `shards`; where there is a file a shard, their rows must agree one by one."""
    if not layout.metadata:
        return None
    parts, origins = [], []
    for path in layout.metadata:
        with reading(path):
            found = contents_of(path)
            parts.append(found.sidecar())
            origins.append(found.provenance())
    if len(parts) == len(shards):
        for path, part, shard in zip(layout.metadata, parts, shards, strict=True):
            n = shard.rows.shape[0]
            odd = next((len(values) for values in vars(part).values() if values is not None), n)
            if odd != n:
                raise UnusableInput(
                    f"{path} has {odd} rows and {shard.name} has {n}; complete the metadata, or leave it out"
                )
    return join_sidecars(parts), _common(origins)


def _common(origins: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    """What all shards say of their origin; None where they differ."""
    return origins[0] if all(origin == origins[0] for origin in origins) else None


def _joined(opened: list[Opened], name: str, beside: Beside | None) -> Opened:
    first = opened[0]
    for other in opened[1:]:
        if other.rows.shape[1] != first.rows.shape[1]:
            raise UnusableInput(
                f"{other.name} has dimension {other.rows.shape[1]}, {first.name} has {first.rows.shape[1]}; "
                "the shards of a folder need one dimension"
            )
    if beside is None:
        beside = (
            join_sidecars([part.sidecar for part in opened]),
            _common([part.provenance for part in opened]),
        )
    rows = first.rows if len(opened) == 1 else ConcatRows([part.rows for part in opened])
    return Opened(rows, name, *beside, _first_of(opened, name))


def _first_of(shards: list[Opened], name: str) -> tuple[str, ...]:
    """The notes on the first shard that has any, and how many others have."""
    noted = [part.notes for part in shards if part.notes]
    if len(noted) < 2:
        return noted[0] if noted else ()
    return (*noted[0], f"The same holds for {len(noted) - 1} more files of {name}.")


def _check_partners(images: list[Opened], texts: list[Opened], folder: str) -> None:
    if len(images) != len(texts):
        raise UnusableInput(
            f"{folder} has {len(images)} shards in img_emb and {len(texts)} in text_emb; "
            "complete it, or give the two folders one by one with paired=no"
        )
    for image, text in zip(images, texts, strict=True):
        if image.rows.shape[0] != text.rows.shape[0]:
            raise UnusableInput(
                f"{image.name} has {image.rows.shape[0]} rows and {text.name} has {text.rows.shape[0]}; "
                "complete the folder, or give the two folders one by one with paired=no"
            )
