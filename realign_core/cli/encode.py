"""`encode`: images and captions in, embeddings out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext

from realign_core.cli.progress import Progress
from realign_core.encode import (
    Encoding,
    check_out,
    choose_model,
    encode_folder,
    find_images,
    make_plan,
    read_captions,
    write_encoding,
)
from realign_core.encode.output import shards_beside
from realign_core.encode.skipped import sentences
from realign_core.validation import UnusableInput, check_count


def run(options: argparse.Namespace) -> None:
    """Check the arguments and list the inputs, then load the model, encode and write."""
    check_count("--batch", options.batch)
    check_count("--shard-rows", options.shard_rows)
    if not options.images and options.captions is None:
        raise UnusableInput("there is nothing to encode; give --images, --captions or both")
    to_folder = check_out(options.out, resume=options.resume)
    inputs = [*(options.images or ()), options.captions]
    _check_apart(options.out, [given for given in inputs if given is not None])
    choice = choose_model(options.model, options.weights)
    captions = read_captions(options.captions) if options.captions is not None else None
    with (
        _ended_as_interrupted(),
        closing(Progress()) as progress,
        closing(find_images(options.images)) if options.images else nullcontext() as images,
        nullcontext(options.out) if to_folder else shards_beside(options.out) as folder,
        warnings.catch_warnings(),
    ):
        # Libraries warn of single images; what was skipped is said at the end.
        warnings.simplefilter("ignore")
        plan = make_plan(images, captions)
        progress("load the model")
        from realign_core.encode.models import load_encoder

        encoder = load_encoder(choice, device=options.device, texts=captions is not None)
        encoding = encode_folder(
            plan,
            encoder,
            folder,
            batch=options.batch,
            shard_rows=options.shard_rows,
            fp16=options.fp16,
            resume=options.resume,
            progress=progress,
        )
        left_out = () if to_folder else write_encoding(options.out, encoding)
    others = images.others if images is not None else []
    for note in [*encoder.notes, *_notes(encoding, others, left_out, options.out)]:
        print(f"note: {note}", file=sys.stderr)
    sets = " and ".join(name for name in ("images", "captions") if name in plan.has)
    pairs = "pairs" if {"images", "captions"} <= plan.has else "rows"
    print(f"{options.out}: {encoding.rows} {pairs} of dimension {encoding.dim}, {sets} by {choice.name}")


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """A request to end is taken as Ctrl-C is, so that the shards beside a file do not stay."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_apart(out: str, inputs: Sequence[str]) -> None:
    """Raise where the output is an input, or would lie among the images of a later run."""
    final = os.path.realpath(out)
    for given in inputs:
        # One with a zero byte has no path; who reads it says so.
        if "\0" not in given and os.path.realpath(given) == final:
            raise UnusableInput(f"--out {out} is an input; name another place")


def _notes(encoding: Encoding, others: Sequence[str], left_out: Sequence[str], out: str) -> list[str]:
    notes = list(sentences(encoding.skipped))
    if others:
        notes.append(f"files without an image suffix were left out: {len(others)} (first: {others[0]})")
    if encoding.cut:
        notes.append(f"captions longer than the model reads were cut at its length: {encoding.cut}")
    if left_out:
        notes.append(
            f"{out} has no room for {', '.join(left_out)}; write .parquet, .npz or a folder to keep them"
        )
    return notes
