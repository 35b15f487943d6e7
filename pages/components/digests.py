"""Full digests of rows: streamed, and for files on the server counted once for each state of the files."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable

import numpy as np

from realign_core.checkpoint import tell
from realign_core.comparison.zero_shot import label_text
from realign_core.load import EmbeddingPair
from realign_core.load.filestates import FileStates

KEPT = 256
_known: OrderedDict[Hashable, str] = OrderedDict()
_lock = threading.Lock()


def digest_of(pair: EmbeddingPair) -> str:
    """Full digest of both sets, of what is known about their pairing and of their labels; no sampling."""
    digest = hashlib.blake2b(digest_size=16)
    for role, rows in (("target", pair.target), ("source", pair.source)):
        tell(f"digest of the {role} rows")
        digest.update(repr((rows.shape, rows.dtype)).encode())
        for block in rows:
            digest.update(np.ascontiguousarray(block).data)
    digest.update(repr((pair.paired, pair.normalize)).encode())
    if pair.labels is not None:
        # Zero-shot scores rest on them.
        digest.update("\0".join(map(label_text, pair.labels)).encode())
    return digest.hexdigest()


def digest_of_files(pair: EmbeddingPair, paths: tuple[str, ...], files: FileStates) -> str:
    """The digest of what was read from `paths`; known from an earlier opening where no file has changed.

    Raises `UnusableInput` where one changed since its state was taken.
    """
    key = (paths, files)
    with _lock:
        known = _known.get(key)
        if known is not None:
            _known.move_to_end(key)
    digest = known or digest_of(pair)
    files.check()
    with _lock:
        _known[key] = digest
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return digest
