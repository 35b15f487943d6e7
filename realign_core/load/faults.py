"""Turning whatever a damaged file raises into one line that names the file and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from realign_core.load.places import open_binary
from realign_core.validation import UnusableInput

# First bytes of a file, and what they say it is.
SIGNATURES = (
    (b"\x93NUMPY", "a .npy array"),
    (b"PK\x03\x04", "a zip archive (.npz or .pt)"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PAR1", "a .parquet file"),
    (b"ARROW1", "an .arrow file"),
    (b"FEA1", "an old Feather version 1 file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x80", "a pickle"),
    (b"version https://git-lfs", "a Git LFS pointer (fetch the real file with git lfs pull)"),
    (b"<", "a web page or XML"),
)
LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
EXPECTED = {
    ".npy": (b"\x93NUMPY",),
    ".npz": (b"PK\x03\x04",),
    ".pt": (b"PK\x03\x04", LEGACY_TORCH),
    ".pth": (b"PK\x03\x04", LEGACY_TORCH),
    ".parquet": (b"PAR1",),
}


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Raise UnusableInput for any failure to read `name` inside the block.

    The readers meet bytes from anywhere, and the libraries below them raise errors of many kinds.
    """
    try:
        yield
    except UnusableInput:
        raise
    except PermissionError as error:
        raise UnusableInput(f"{name} may not be read: permission denied; change its mode or owner") from error
    except OSError as error:
        raise UnusableInput(f"{name} cannot be read: {error.strerror or first_line(error)}") from error
    except Exception as error:
        raise UnusableInput(f"{name} is damaged ({first_line(error)}); write it again") from error


def first_line(error: Exception) -> str:
    """An error's message cut to one short line."""
    return short_line(str(error)) or type(error).__name__


def short_line(text: str) -> str:
    """A text cut to one short line."""
    text = " ".join(text.split())
    return text if len(text) <= 120 else text[:117] + "..."


def check_signature(path: str, suffix: str) -> None:
    """Raise UnusableInput for an empty file or one whose first bytes do not fit its suffix."""
    with open_binary(path) as file:
        head = file.read(64)
    if not head:
        raise UnusableInput(f"{path} is empty; write it again")
    if suffix in EXPECTED and not head.startswith(EXPECTED[suffix]):
        looks = next((text for start, text in SIGNATURES if head.startswith(start)), None)
        if looks is None and head.startswith(b"\x00" * 16):
            looks = "zeros: a file that was reserved but never written"
        remedy = f"it looks like {looks}" if looks else "its first bytes fit no known format"
        raise UnusableInput(f"{path} is not a {suffix} file: {remedy}; rename it or write it again")
