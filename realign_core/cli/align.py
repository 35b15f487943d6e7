"""`align`: fit a method on TARGET and SOURCE, or load one, and write the mapped SOURCE."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from contextlib import closing
from typing import Any

from realign_core.cli.parser import check_methods, load_plugins
from realign_core.cli.progress import Progress
from realign_core.load import EmbeddingSet, check_writable, load_pair, load_set, write_rows
from realign_core.validation import UnusableInput, check_count, check_fraction, check_non_negative

DEFAULT_METHOD = "realign"
WITH_IDS = (".npz", ".parquet", ".pkl")


def run(options: argparse.Namespace) -> None:
    """Check, fit or load, map, write."""
    _check(options)
    with closing(Progress()) as progress:
        progress("load")
        source = _load(options, "source")
        load_plugins(options.plugin)
        if options.load_aligner:
            from realign_core.alignment import load_aligner

            method = load_aligner(options.load_aligner)
        else:
            method = _fit(options, source, progress)
        _say_dropped(source, options)
        rows = source.rows
        progress(f"map {len(rows)} rows")
        streamed = hasattr(method, "transform_batches")
        write_rows(
            options.out,
            method.transform_batches(rows) if streamed else method.transform(rows[:]),
            n=rows.shape[0],
            dim=rows.shape[1],
            dtype=_output_type(rows.dtype, options.out),
            ids=source.ids if options.out.endswith(WITH_IDS) else None,
        )
        if options.save_aligner:
            from realign_core.alignment import save_aligner

            save_aligner(method, options.save_aligner)
    name = getattr(method, "name", options.method)
    print(f"{options.out}: {rows.shape[0]} rows of dimension {rows.shape[1]}, mapped by {name}")


def _check(options: argparse.Namespace) -> None:
    check_fraction("--energy", options.energy)
    check_count("--seed", options.seed, least=0)
    if options.max_rows is not None:
        check_count("--max-rows", options.max_rows, least=2)
    if options.c3_sigma is not None:
        check_non_negative("--c3-sigma", options.c3_sigma)
    if options.load_aligner:
        if options.method or options.save_aligner:
            raise UnusableInput("--load-aligner brings its own method; leave out --method and --save-aligner")
        if not os.path.isdir(options.load_aligner):
            raise UnusableInput(f"{options.load_aligner} is no folder; name one that --save-aligner wrote")
    else:
        options.method = options.method or DEFAULT_METHOD
        check_methods([options.method], options.plugin)
    check_writable(options.out)
    if options.save_aligner:
        _check_folder(options.save_aligner)
    for path in (options.target, options.source):
        if path and os.path.exists(path) and os.path.realpath(path) == os.path.realpath(options.out):
            raise UnusableInput(f"--out {options.out} is an input; name another file")


def _check_folder(folder: str) -> None:
    parent = os.path.dirname(os.path.abspath(folder))
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK):
        raise UnusableInput(f"--save-aligner {folder} cannot be written: {parent} is no writable folder")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UnusableInput(f"--save-aligner {folder} is a file; name a folder")


def _load(options: argparse.Namespace, role: str) -> EmbeddingSet:
    """The set of one role; a single file must hold both, unless a fitted method needs no target."""
    path = options.source if role == "source" and options.source else options.target
    alone = bool(options.source or options.load_aligner)
    return load_set(path, role=role, alone=alone, max_rows=options.max_rows, seed=options.seed)


def _fit(options: argparse.Namespace, source: EmbeddingSet, progress: Progress) -> Any:
    from realign_core import alignment

    settings: dict[str, Any] = {"normalize": not options.no_normalize, "seed": options.seed}
    if options.method == "c3" and options.c3_sigma is not None:
        settings["sigma"] = options.c3_sigma
    if options.method == "blockwise":
        settings["energy"] = options.energy
    method = alignment.create(options.method, **settings)
    fit_source, fit_target = source.rows, None
    if alignment.traits(method).uses_pairs:
        data = load_pair(
            options.target,
            options.source,
            paired=options.paired,
            normalize=not options.no_normalize,
            max_rows=options.max_rows,
            seed=options.seed,
        )
        if not data.paired:
            raise UnusableInput(
                f"{options.method} learns from pairs and these sets are not paired; choose another method"
            )
        fit_source, fit_target = data.source, data.target
    else:
        target = _load(options, "target")
        fit_target = target.rows
        if fit_target.shape[1] != fit_source.shape[1]:
            raise UnusableInput(
                f"{target.name} has dimension {fit_target.shape[1]} and {source.name} has "
                f"{fit_source.shape[1]}; both sets must come from one embedding space"
            )
    progress(f"fit {options.method}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", alignment.AlignmentWarning)
        method.fit(source=fit_source, target=fit_target)
    for warning in caught:
        print(f"note: {warning.message}", file=sys.stderr)
    return method


def _say_dropped(source: EmbeddingSet, options: argparse.Namespace) -> None:
    if source.dropped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in source.dropped.items())
        print(
            f"note: unusable rows of {source.name} are left out of {options.out}: {reasons} "
            f"(first: row {source.first_dropped})",
            file=sys.stderr,
        )


def _output_type(stored: str, path: str) -> str:
    return "float32" if stored == "bfloat16" and not path.endswith(".safetensors") else stored
