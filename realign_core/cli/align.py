"""`align`: fit a method on TARGET and SOURCE, or load one, and write the mapped SOURCE."""

from __future__ import annotations

import argparse
import json
import os
import warnings
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from realign_core.checkpoint import told_to
from realign_core.cli.engines import check_engine, read_by, write_folder
from realign_core.cli.methods import blockwise_shrinkage, check_methods, load_plugins
from realign_core.cli.outputs import check_outputs
from realign_core.cli.progress import Progress, say
from realign_core.cli.resuming import UNFINISHED, alone_in, check_shards, finished, is_folder, keeper_for
from realign_core.load import Batches, EmbeddingSet, atomic_text, load_pair, load_set, load_sets
from realign_core.load.keeper import Keeper, kept_by
from realign_core.load.places import refuse_url
from realign_core.validation import UnusableInput, check_count, check_fraction, check_non_negative

DEFAULT_METHOD = "realign"
FITTED = "fitted"
ALIGNER_FILES = frozenset(("aligner.json", "arrays.safetensors"))
OWNERS = {"c3_sigma": "c3", "energy": "blockwise", "blockwise_shrinkage": "blockwise"}


def run(options: argparse.Namespace) -> None:
    """Check, fit or load, map, write."""
    _check(options)
    notes: list[str] = []
    in_shards = is_folder(options.out)
    keeper = _keeper(options, in_shards)
    alone = nullcontext() if keeper is None else alone_in(keeper.folder)
    with alone, closing(Progress()) as progress, read_by(options), kept_by(keeper):
        progress("load")
        method = _fitted_before(options, keeper, notes)
        source, target = _load(options, fitted=method is not None)
        if method is None:
            method = _fit(options, source, target, progress, notes)
            _keep(method, keeper, notes)
        rows = source.rows
        progress(f"map {len(rows)} rows")
        where = options.out
        if in_shards:
            with told_to(progress.within):
                where = f"{where} ({write_folder(options, method, rows, source.ids)} shards)"
        else:
            from realign_core.alignment.output import write_mapped

            write_mapped(options.out, method, rows, source.ids)
        if options.save_aligner:
            from realign_core.alignment import save_aligner

            save_aligner(method, options.save_aligner)
        if in_shards:
            finished(options.out)
    for note in [*source.notes, *notes, *_dropped(source, options)]:
        say(f"note: {note}")
    name = getattr(method, "name", options.method)
    print(f"{where}: {rows.shape[0]} rows of dimension {rows.shape[1]}, mapped by {name}")


def _keeper(options: argparse.Namespace, in_shards: bool) -> Keeper | None:
    """Who keeps this run's passes: always where shards are written, else where it is asked for."""
    if in_shards:
        os.makedirs(options.out, exist_ok=True)
        return keeper_for(options, "align", os.path.join(options.out, UNFINISHED))
    return keeper_for(options, "align", options.checkpoint) if options.checkpoint else None


def _fitted_before(options: argparse.Namespace, keeper: Keeper | None, notes: list[str]) -> Any:
    """The method of `--load-aligner`, or that which an interrupted run left, with its notes; None to fit."""
    kept = _place_of_method(keeper)
    interrupted = kept is not None and os.path.isfile(f"{kept}.json")
    if not options.load_aligner and not interrupted:
        return None
    from realign_core.alignment import load_aligner

    if options.load_aligner:
        return load_aligner(options.load_aligner)
    notes += json.loads(Path(f"{kept}.json").read_text())
    return load_aligner(str(kept))


def _keep(method: Any, keeper: Keeper | None, notes: list[str]) -> None:
    """Leave the fitted method and its notes to a later run, where something is kept and it can be saved."""
    from realign_core.alignment import save_aligner

    kept = _place_of_method(keeper)
    if kept is not None and callable(getattr(method, "save", None)):
        save_aligner(method, kept)
        atomic_text(f"{kept}.json", json.dumps(notes))


def _place_of_method(keeper: Keeper | None) -> str | None:
    return None if keeper is None else os.path.join(keeper.folder, FITTED)


def _check(options: argparse.Namespace) -> None:
    check_count("--seed", options.seed, least=0)
    if options.energy is not None:
        check_fraction("--energy", options.energy)
    if options.max_rows is not None:
        check_count("--max-rows", options.max_rows, least=2)
    if options.c3_sigma is not None:
        check_non_negative("--c3-sigma", options.c3_sigma)
    blockwise_shrinkage(options.blockwise_shrinkage)
    check_engine(options)
    if is_folder(options.out):
        check_shards(options)
    elif options.shard_rows is not None:
        raise UnusableInput("--shard-rows is for an --out that is a folder; name one, or leave it out")
    else:
        check_outputs({"--out": options.out}, (options.target, options.source), {})
    if options.load_aligner is not None:
        _check_loading(options)
        load_plugins(options.plugin)
        return
    options.method = DEFAULT_METHOD if options.method is None else options.method
    for name, owner in OWNERS.items():
        if getattr(options, name) is not None and options.method != owner:
            raise UnusableInput(
                f"--{name.replace('_', '-')} is a setting of {owner}, and the method is {options.method}; "
                "leave it out"
            )
    if options.save_aligner is not None:
        _check_folder(options.save_aligner, options.out)
    check_methods([options.method], options.plugin)


def _check_loading(options: argparse.Namespace) -> None:
    """A saved method was fitted with its own settings, which nothing here can change."""
    given = {
        "--method": options.method,
        "--save-aligner": options.save_aligner,
        "--no-normalize": options.no_normalize or None,
        "--c3-sigma": options.c3_sigma,
        "--energy": options.energy,
        "--blockwise-shrinkage": options.blockwise_shrinkage,
        "--max-rows": options.max_rows,
    }
    extra = [option for option, value in given.items() if value is not None]
    if extra:
        raise UnusableInput(f"--load-aligner brings a method as it was fitted; leave out {', '.join(extra)}")
    if not os.path.isdir(options.load_aligner):
        raise UnusableInput(
            f"--load-aligner {options.load_aligner!r} is no folder; name one that --save-aligner wrote"
        )


def _check_folder(folder: str, out: str) -> None:
    if not folder:
        raise UnusableInput("--save-aligner is empty; name a folder")
    refuse_url(folder, "a fitted method is")
    if os.path.realpath(folder) == os.path.realpath(out):
        raise UnusableInput(f"--out and --save-aligner both name {out}; give the aligner a folder of its own")
    parent = os.path.dirname(os.path.realpath(folder))
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK):
        raise UnusableInput(f"--save-aligner {folder} cannot be written: {parent} is no writable folder")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UnusableInput(f"--save-aligner {folder} is a file; name a folder")
    if os.path.isdir(folder) and set(os.listdir(folder)) - ALIGNER_FILES:
        raise UnusableInput(f"--save-aligner {folder} holds other files; name a new or empty folder")


def _load(options: argparse.Namespace, *, fitted: bool) -> tuple[EmbeddingSet, EmbeddingSet | None]:
    """The source, and the target where it is still to be learnt from by itself.

    A single file must hold both, unless a fitted method needs no target.
    """
    path, normalize = options.source or options.target, not options.no_normalize
    alone = bool(options.source or options.load_aligner)
    if fitted or _learns_from_pairs(options.method):
        return load_set(path, role="source", alone=alone, normalize=normalize), None
    target, source = load_sets(
        options.target,
        path,
        alone=alone,
        normalize=normalize,
        max_rows=options.max_rows,
        seed=options.seed,
    )
    if target.rows.shape[1] != source.rows.shape[1]:
        raise UnusableInput(
            f"{target.name} has dimension {target.rows.shape[1]} and {source.name} has "
            f"{source.rows.shape[1]}; both sets must come from one embedding space"
        )
    return source, target


def _learns_from_pairs(name: str) -> bool:
    from realign_core import alignment

    return alignment.traits(alignment.create(name)).uses_pairs


def _fit(
    options: argparse.Namespace,
    source: EmbeddingSet,
    target: EmbeddingSet | None,
    progress: Progress,
    notes: list[str],
) -> Any:
    from realign_core import alignment

    settings: dict[str, Any] = {"normalize": not options.no_normalize, "seed": options.seed}
    if options.c3_sigma is not None:
        settings["sigma"] = options.c3_sigma
    if options.energy is not None:
        settings["energy"] = options.energy
    if options.blockwise_shrinkage is not None:
        settings["shrinkage"] = blockwise_shrinkage(options.blockwise_shrinkage)
    method = alignment.create(options.method, **settings)
    if options.save_aligner and not callable(getattr(method, "save", None)):
        raise UnusableInput(f"{options.method} cannot be saved: it has no save; leave out --save-aligner")
    fit_source, fit_target = _rows_to_fit(options, source, target)
    progress(f"fit {options.method}")
    with warnings.catch_warnings(record=True) as caught, told_to(progress.within):
        warnings.simplefilter("always", alignment.AlignmentWarning)
        method.fit(source=fit_source, target=fit_target)
    notes += [str(warning.message) for warning in caught]
    return method


def _rows_to_fit(
    options: argparse.Namespace, source: EmbeddingSet, target: EmbeddingSet | None
) -> tuple[Batches, Batches]:
    """Source and target rows, of pairs without a target: all, or a seeded sample of at most `--max-rows`."""
    if target is None:
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
                f"{options.method} learns from pairs and these sets are not paired; choose another method, "
                "or say --paired yes if row i belongs to row i"
            )
        return data.source, data.target
    rows = source.rows
    if options.max_rows is not None and len(rows) > options.max_rows:
        chosen = np.random.default_rng(options.seed).choice(len(rows), options.max_rows, replace=False)
        rows = rows.subset(np.sort(chosen))
    return rows, target.rows


def _dropped(source: EmbeddingSet, options: argparse.Namespace) -> list[str]:
    if not source.dropped:
        return []
    reasons = ", ".join(f"{count} {reason}" for reason, count in source.dropped.items())
    return [
        f"unusable rows of {source.name} are left out of {options.out}: {reasons} "
        f"(first: row {source.first_dropped})"
    ]
