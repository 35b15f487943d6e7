"""Where images come from: files, folders and zip archives, listed first and read one by one.

A zip archive is read in place: nothing in it is ever written to the disk.
"""

from __future__ import annotations

import os
import stat
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from realign_core.encode.skipped import Skipped, readable
from realign_core.load.faults import first_line
from realign_core.load.folders import natural_key
from realign_core.validation import UnusableInput

SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
FREE_BYTES = 64 << 20


@dataclass(frozen=True)
class ImageLimits:
    """At most so many images, bytes of one of them, bytes of all of them unpacked; and, for archives of over
    64 MB unpacked, at most `ratio` times the size packed."""

    count: int = 2_000_000
    one: int = 256 << 20
    total: int = 64 << 30
    ratio: int = 100


@dataclass(frozen=True)
class ImageEntry:
    """`name` is relative to the folder or archive, with slashes; `shown` is how the metadata call it.

    `stamp` tells a changed file from an unchanged one.
    """

    name: str
    shown: str
    size: int
    stamp: str
    path: Path | None = None
    member: zipfile.ZipInfo | None = None
    archive: int = -1


@dataclass
class ImageSet:
    """Images in natural order; `others` are files that are no images by their suffix, and were left out.

    `skipped` are files with such a suffix that cannot be images: dangling links, pipes, devices.
    """

    entries: list[ImageEntry] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    limits: ImageLimits = field(default_factory=ImageLimits)
    _archives: list[zipfile.ZipFile] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, index: int) -> bytes:
        """The bytes of an image. Raises OSError, or what a damaged archive raises."""
        entry = self.entries[index]
        if entry.size > self.limits.one:
            raise OSError(f"it has {entry.size >> 20} MB, the limit is {self.limits.one >> 20} MB")
        if entry.path is not None:
            # It may have grown since it was listed.
            with entry.path.open("rb") as file:
                content = file.read(self.limits.one + 1)
            if len(content) > self.limits.one:
                raise OSError(f"it has grown beyond the limit of {self.limits.one >> 20} MB")
            return content
        assert entry.member is not None, "an entry lies in a file or in an archive"
        # One file position serves all members.
        with self._lock, self._archives[entry.archive].open(entry.member) as member:
            return member.read(entry.size + 1)

    def close(self) -> None:
        """Close the archives."""
        for archive in self._archives:
            archive.close()

    def add_file(self, path: Path, name: str, *, shown: str | None = None) -> None:
        """One image file; the metadata call it by its path, or as `shown` says.

        One that is not there, or is no ordinary file, is skipped: a pipe would wait for ever, a device never
        end.
        """
        name = readable(name)
        try:
            status = path.stat()
        except OSError as error:
            self.skipped.append(Skipped(name, f"cannot be read: {error.strerror or first_line(error)}"))
            return
        if not stat.S_ISREG(status.st_mode):
            self.skipped.append(Skipped(name, "no ordinary file"))
            return
        stamp = str(status.st_mtime_ns)
        self.entries.append(ImageEntry(name, readable(shown or str(path)), status.st_size, stamp, path))

    def add_folder(self, folder: Path) -> None:
        """The images below a folder in natural order; hidden files and folders are left out."""
        for path in _below(folder):
            name = path.relative_to(folder).as_posix()
            if path.suffix.lower() in SUFFIXES:
                self.add_file(path, name)
            else:
                self.others.append(readable(name))

    def add_zip(self, path: Path, shown: str) -> None:
        """The images in an archive. Raises UnusableInput for one that is damaged, unsafe or too large."""
        if not path.is_file():
            raise UnusableInput(f"{shown} is no ordinary file; name a zip archive, a folder or an image")
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnusableInput(
                f"{shown} is not a whole zip archive ({first_line(error)}); pack it again"
            ) from error
        self._archives.append(archive)
        members = [info for info in archive.infolist() if not info.is_dir()]
        self._check_archive(members, shown)
        for info in sorted(members, key=lambda info: natural_key(info.filename)):
            parts = PurePosixPath(info.filename).parts
            if any(part.startswith(".") or part == "__MACOSX" for part in parts):
                continue
            if PurePosixPath(info.filename).suffix.lower() not in SUFFIXES:
                self.others.append(info.filename)
                continue
            at = len(self._archives) - 1
            stamp = f"{info.CRC:08x}"
            self.entries.append(
                ImageEntry(info.filename, info.filename, info.file_size, stamp, None, info, at)
            )

    def check(self, given: str) -> None:
        """Raise UnusableInput for no image, or for more than the limits allow."""
        if not self.entries and self.skipped:
            first = self.skipped[0]
            raise UnusableInput(
                f"{given} holds no images that can be read; the first, {first.name}: {first.reason}"
            )
        if not self.entries:
            kinds = ", ".join(sorted({os.path.splitext(name)[1] or "no suffix" for name in self.others})[:6])
            there = f"; it holds {kinds}" if kinds else ""
            raise UnusableInput(f"{given} holds no images{there}; images are {', '.join(SUFFIXES)}")
        if len(self.entries) > self.limits.count:
            raise UnusableInput(
                f"{given} holds {len(self.entries)} images, the limit is {self.limits.count}; give fewer"
            )
        # Those over the limit of one are skipped unread.
        total = sum(entry.size for entry in self.entries if entry.size <= self.limits.one)
        if total > self.limits.total:
            raise UnusableInput(
                f"the images of {given} have {total >> 20} MB together, the limit is "
                f"{self.limits.total >> 20} MB; give fewer at once"
            )

    def _check_archive(self, members: Sequence[zipfile.ZipInfo], shown: str) -> None:
        if len(members) > self.limits.count:
            raise UnusableInput(
                f"{shown} holds {len(members)} files, the limit is {self.limits.count}; pack fewer at once"
            )
        for info in members:
            name = info.filename
            parts = name.replace("\\", "/").split("/")
            if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
                raise UnusableInput(
                    f"{shown} holds {name!r}, a path that leads out of the archive; pack it with plain names"
                )
            if info.flag_bits & 1:
                raise UnusableInput(f"{shown} holds {name}, which is encrypted; pack it without a password")
        unpacked = sum(info.file_size for info in members)
        packed = max(1, sum(info.compress_size for info in members))
        if unpacked > self.limits.total:
            raise UnusableInput(
                f"{shown} unpacks to {unpacked >> 20} MB, the limit is {self.limits.total >> 20} MB; "
                "pack fewer"
            )
        if unpacked > FREE_BYTES and unpacked > self.limits.ratio * packed:
            raise UnusableInput(
                f"{shown} unpacks to {unpacked // packed} times its size, the limit is {self.limits.ratio}: "
                "images shrink far less, so this is no archive of images"
            )


def find_images(paths: Sequence[str | os.PathLike], *, limits: ImageLimits | None = None) -> ImageSet:
    """List the images of files, folders and zip archives, in the order given, each in natural order.

    Raises UnusableInput for a path that does not exist, an archive that is refused, or no image at all.
    """
    found = ImageSet(limits=limits or ImageLimits())
    try:
        for given in paths:
            if not os.fspath(given):
                # It would stand for the working folder.
                raise UnusableInput("an image has an empty name; name an image, a folder or a zip archive")
            path = Path(given)
            try:
                if os.path.isdir(path):
                    found.add_folder(path)
                elif not os.path.exists(path):
                    raise UnusableInput(f"{given} does not exist; name an image, a folder or a zip archive")
                elif path.suffix.lower() == ".zip":
                    found.add_zip(path, str(given))
                else:
                    found.add_file(path, path.name)
            except OSError as error:
                raise UnusableInput(
                    f"{given} cannot be read: {error.strerror or first_line(error)}"
                ) from error
        found.check(", ".join(str(path) for path in list(paths)[:3]))
    except BaseException:
        found.close()
        raise
    return found


def _below(folder: Path) -> Iterator[Path]:
    """Files below a folder: its own first, then folder by folder; links to folders are not followed."""
    for at, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural_key)
        for name in sorted((name for name in names if not name.startswith(".")), key=natural_key):
            yield Path(at) / name


def _raise(error: OSError) -> None:
    raise error
