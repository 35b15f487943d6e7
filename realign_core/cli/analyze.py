"""`analyze`: one pair of sets in, figures, report and table out."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any

from realign_core.checkpoint import told_to
from realign_core.cli.engines import check_engine, read_by
from realign_core.cli.methods import blockwise_shrinkage, check_device, check_methods
from realign_core.cli.outputs import check_outputs
from realign_core.cli.progress import Progress, say
from realign_core.cli.resuming import alone_in, keeper_for
from realign_core.load import atomic_text, load_pair
from realign_core.load.keeper import kept_by
from realign_core.method_names import DEFAULT_METHODS
from realign_core.validation import UnusableInput, check_count, check_fraction, check_non_negative

if TYPE_CHECKING:
    from realign_core.comparison import Comparison

SUFFIXES = {"--json": (".json",), "--html": (".html", ".htm"), "--csv": (".csv",)}
STAGES_BESIDE_METHODS = 6


def run(options: argparse.Namespace) -> None:
    """Check everything that is cheap to check, then load, compare and write."""
    _check(options)
    stages = STAGES_BESIDE_METHODS + len(options.methods or DEFAULT_METHODS)
    keeper = keeper_for(options, "analyze", options.checkpoint) if options.checkpoint else None
    progress = Progress(stages)
    alone = nullcontext() if keeper is None else alone_in(keeper.folder)
    with alone, closing(progress), told_to(progress.within), read_by(options), kept_by(keeper):
        progress("load")
        data = load_pair(
            options.target,
            options.source,
            paired=options.paired,
            normalize=not options.no_normalize,
            max_rows=options.max_rows,
            seed=options.seed,
        )
        from realign_core.comparison import compare
        from realign_core.memory import keep_blocks

        keep_blocks()
        comparison = compare(
            data,
            options.methods,
            energy=options.energy,
            k=options.k,
            split=options.split,
            seed=options.seed,
            device=options.device,
            c3_sigma=options.c3_sigma,
            bootstrap=options.bootstrap,
            score_rows=options.score_rows,
            queries=options.queries,
            method_options=_method_options(options),
            progress=progress,
        )
    _write(comparison, options)


def _check(options: argparse.Namespace) -> None:
    check_fraction("--energy", options.energy)
    check_fraction("--split", options.split, high_open=True)
    check_count("--k", options.k)
    check_count("--seed", options.seed, least=0)
    check_count("--bootstrap", options.bootstrap, least=2)
    check_count("--score-rows", options.score_rows, least=2)
    check_count("--queries", options.queries, least=0)
    if options.max_rows is not None:
        check_count("--max-rows", options.max_rows, least=2)
    if options.c3_sigma is not None:
        check_non_negative("--c3-sigma", options.c3_sigma)
    blockwise_shrinkage(options.blockwise_shrinkage)
    if options.json == "-" and sys.stdout is None:
        raise UnusableInput("--json is -, but standard output is closed; name a file")
    check_outputs(
        {
            "--json": None if options.json == "-" else options.json,
            "--html": options.html,
            "--csv": options.csv,
        },
        (options.target, options.source),
        SUFFIXES,
    )
    check_methods(options.methods, options.plugin)
    check_device(options.device)
    check_engine(options)


def _method_options(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Settings of single methods that are not at their defaults."""
    shrinkage = blockwise_shrinkage(options.blockwise_shrinkage)
    return {} if shrinkage == "oas" else {"blockwise": {"shrinkage": shrinkage}}


def _write(comparison: Comparison, options: argparse.Namespace) -> None:
    from realign_core.comparison.texts import csv_text, json_text

    if options.json:
        text = json_text(comparison)
        if options.json == "-":
            print(text, end="")
        else:
            atomic_text(options.json, text)
    if options.csv:
        atomic_text(options.csv, csv_text(comparison))
    if options.html:
        from realign_core.report import report_html

        atomic_text(options.html, report_html(comparison))
    if options.json != "-":
        from realign_core.cli.summary import summary

        print(summary(comparison))
    else:
        for warning in comparison.warnings:
            say(f"note: {warning}")
