"""Which image belongs to which caption: by file name where the captions say so, else by order."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from realign_core.encode.captions import Captions
from realign_core.encode.images import SUFFIXES, ImageSet
from realign_core.encode.skipped import Skipped, sentences
from realign_core.validation import UnusableInput

EMPTY = "the caption is empty"


@dataclass(frozen=True)
class Row:
    """One pair on its way: an image by number, a caption, a label; `path` stands in the metadata."""

    image: int | None
    caption: str | None
    label: str | None
    path: str | None


@dataclass(frozen=True, eq=False)
class Plan:
    """The rows in order, and what was left out before anything was read.

    `has` says which of images, captions, labels and paths there are.
    """

    rows: tuple[Row, ...]
    images: ImageSet | None
    skipped: tuple[Skipped, ...]
    has: frozenset[str]

    def digest(self) -> str:
        """Digest of the inputs: names, sizes and stamps of the images, every caption and label."""
        found = hashlib.blake2b(digest_size=16)
        for entry in self.images.entries if self.images else ():
            found.update(json.dumps([entry.name, entry.size, entry.stamp]).encode())
        for row in self.rows:
            found.update(json.dumps([row.image, row.caption, row.label, row.path]).encode())
        return found.hexdigest()


def make_plan(images: ImageSet | None, captions: Captions | None) -> Plan:
    """Pair images with captions, or take one of the two alone.

    Captions that name their images are joined to them, several to one image where they say so; otherwise the
    i-th caption belongs to the i-th image. Raises UnusableInput where counts differ or nothing matches.
    """
    skipped = list(images.skipped) if images is not None else []
    if images is not None and captions is not None:
        pairs = _joined(images, captions, skipped) if captions.images else _by_order(images, captions)
    elif images is not None:
        pairs = [(index, None) for index in range(len(images))]
    elif captions is not None:
        pairs = [(None, index) for index in range(len(captions))]
    else:
        raise UnusableInput("there is nothing to encode; give images, captions or both")
    rows = []
    for image, caption in pairs:
        if captions is not None and caption is not None and not captions.texts[caption]:
            name = images.entries[image].name if images and image is not None else f"caption {caption}"
            skipped.append(Skipped(name, EMPTY))
        else:
            rows.append(_row(images, captions, image, caption))
    if not rows:
        raise UnusableInput(f"nothing is left to encode: {EMPTY} in every row")
    has = {"images"} if images is not None else set()
    has |= {"captions"} if captions is not None else set()
    has |= {"labels"} if captions is not None and captions.labels else set()
    has |= {"paths"} if images is not None or (captions is not None and captions.images) else set()
    return Plan(tuple(rows), images, tuple(skipped), frozenset(has))


def _row(images: ImageSet | None, captions: Captions | None, image: int | None, caption: int | None) -> Row:
    path = images.entries[image].shown if images is not None and image is not None else None
    if captions is None or caption is None:
        return Row(image, None, None, path)
    if path is None and captions.images:
        path = captions.images[caption]
    return Row(image, captions.texts[caption], captions.labels[caption] if captions.labels else None, path)


def _by_order(images: ImageSet, captions: Captions) -> list[tuple[int | None, int | None]]:
    if len(images) != len(captions):
        without = f" ({'; '.join(sentences(images.skipped))})" if images.skipped else ""
        raise UnusableInput(
            f"there are {len(images)} images{without} and {len(captions)} captions in {captions.name}; "
            "give as many of each, or name each caption's image in a column image_path"
        )
    return [(index, index) for index in range(len(images))]


def _joined(
    images: ImageSet, captions: Captions, skipped: list[Skipped]
) -> list[tuple[int | None, int | None]]:
    """Pairs in the order of the images, and of the captions of one image."""
    assert captions.images is not None, "only captions that name images are joined"
    find = _Names(images)
    of_image: dict[int, list[int]] = {}
    for index, name in enumerate(captions.images):
        image = find(name)
        if image is None:
            skipped.append(
                Skipped(name or f"caption {index}", "no image has the name that its caption gives")
            )
        else:
            of_image.setdefault(image, []).append(index)
    if not of_image:
        example, there = captions.images[0], images.entries[0].name
        raise UnusableInput(
            f"no caption in {captions.name} names one of the {len(images)} images: the first says "
            f"{example!r}, the first image is {there!r}; give paths as the images have them, or leave that "
            "column out"
        )
    for image, entry in enumerate(images.entries):
        if image not in of_image:
            skipped.append(Skipped(entry.name, "no caption names this image"))
    return [(image, caption) for image in sorted(of_image) for caption in of_image[image]]


class _Names:
    """An image's number by what a caption calls it: path, path without suffix, file name, its stem."""

    def __init__(self, images: ImageSet):
        self.images = images
        self.tables: list[dict[str, list[int]]] = [{} for _ in range(4)]
        for index, entry in enumerate(images.entries):
            for key in {entry.name, entry.shown.replace("\\", "/")}:
                self.tables[0].setdefault(key, []).append(index)
            path = PurePosixPath(entry.name)
            for table, key in zip(self.tables[1:], (str(path.with_suffix("")), path.name, path.stem)):
                table.setdefault(key, []).append(index)

    def __call__(self, name: str) -> int | None:
        name = name.strip().replace("\\", "/").removeprefix("./")
        if not name:
            return None
        path = PurePosixPath(name)
        bare = path.with_suffix("") if path.suffix.lower() in SUFFIXES else path
        for table, key in zip(self.tables, (name, str(bare), path.name, bare.name)):
            found = table.get(key, [])
            if len(found) > 1:
                same = " and ".join(self.images.entries[index].name for index in found[:2])
                raise UnusableInput(
                    f"the caption's image {name!r} may be {same}; give its path in the folder, with suffix"
                )
            if found:
                return found[0]
        return None
