"""Outputs are checked before the work: they can be written, and none takes the place of an input."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from realign_core.load import check_writable
from realign_core.load.opening import READERS, split_key
from realign_core.load.places import is_url
from realign_core.validation import UnusableInput

CLIP_RETRIEVAL = ("img_emb", "text_emb", "metadata")


def check_outputs(
    outputs: Mapping[str, str | None], inputs: Sequence[str | None], suffixes: Mapping[str, Sequence[str]]
) -> None:
    """Raise `UnusableInput` for an output that cannot or must not be written.

    `outputs` are paths by option (None: not asked for), `inputs` the sets as given, `suffixes` those that
    an option takes, where they are not those of rows.
    """
    wanted = {option: path for option, path in outputs.items() if path is not None}
    for option, path in wanted.items():
        if path == "-":
            raise UnusableInput(f"{option} is -, but only --json goes to standard output; name a file")
        if not path:
            raise UnusableInput(f"{option} is empty; name a file")
    named: dict[str, str] = {}
    for option, path in wanted.items():
        final = os.path.realpath(path)
        if final in named:
            raise UnusableInput(f"{named[final]} and {option} both name {path}; give each its own file")
        named[final] = option
    for option, path in wanted.items():
        check_writable(path, suffixes=suffixes.get(option))
        for given in inputs:
            if given is not None:
                _check_apart(option, path, given)


def _check_apart(option: str, path: str, given: str) -> None:
    """Raise where an output is an input, or would be read as one more shard of it."""
    file, _ = split_key(given)
    if is_url(file):
        return
    if os.path.isdir(file):
        inside = [os.path.join(file, name) for name in CLIP_RETRIEVAL]
        folders = inside if any(map(os.path.isdir, inside)) else [file]
        is_shard = os.path.splitext(path)[1].lower() in READERS
        if is_shard and os.path.dirname(os.path.realpath(path)) in map(os.path.realpath, folders):
            raise UnusableInput(
                f"{option} {path} would become one of the shards of {given}; name a file outside that folder"
            )
    elif os.path.realpath(path) == os.path.realpath(file) or (
        os.path.exists(path) and os.path.samefile(path, file)
    ):
        raise UnusableInput(f"{option} {path} is an input; name another file")
