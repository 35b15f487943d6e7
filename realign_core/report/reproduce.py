"""The command line that repeats an analysis."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from realign_core.comparison import Comparison, Settings

_FLAGS = {
    "energy": "--energy",
    "k": "--k",
    "split": "--split",
    "seed": "--seed",
    "c3_sigma": "--c3-sigma",
    "bootstrap": "--bootstrap",
    "score_rows": "--score-rows",
    "device": "--device",
}
_OWN_FLAGS = {"sigma": "--c3-sigma", "energy": "--energy", "shrinkage": "--blockwise-shrinkage"}


def command_line(
    comparison: Comparison,
    *,
    paths: Sequence[str] | None = None,
    outputs: Sequence[str] = ("--html", "report.html"),
) -> str | None:
    """`python -m realign_core analyze …` with every option that is not at its default.

    `paths` stand in for those of the load report, where a caller knows better ones. None for arrays that
    came from memory, which have no path.
    """
    dataset = comparison.dataset
    if paths is None:
        if {dataset.path_target, dataset.path_source} & {"the target", "the source"}:
            return None
        paths = list(dict.fromkeys((dataset.path_target, dataset.path_source)))
    words = ["python", "-m", "realign_core", "analyze", *paths]
    if dataset.asked_paired != "auto":
        words += ["--paired", dataset.asked_paired]
    if dataset.max_rows is not None:
        words += ["--max-rows", str(dataset.max_rows)]
    words += ["--methods", ",".join(comparison.methods), *_options(comparison.settings)]
    if not comparison.normalize:
        words.append("--no-normalize")
    return shlex.join([*words, *outputs])


def _options(settings: Settings) -> list[str]:
    default = Settings()
    words = []
    for name, flag in _FLAGS.items():
        value = getattr(settings, name)
        if value != getattr(default, name):
            words += [flag, str(value)]
    blockwise = settings.method_options.get("blockwise", {})
    if blockwise.keys() == {"shrinkage"}:
        value = blockwise["shrinkage"]
        words += ["--blockwise-shrinkage", "none" if value is None else str(value)]
    return words


def align_command_line(
    paths: Sequence[str],
    method: str,
    options: Mapping[str, Any],
    *,
    seed: int,
    paired: str,
    normalize: bool,
    out: str,
) -> str:
    """`python -m realign_core align …`; `options` are those of `Settings.options_of(method)`."""
    words = ["python", "-m", "realign_core", "align", *paths, "--method", method]
    for name, value in options.items():
        if (name, value) != ("energy", Settings().energy):
            words += [_OWN_FLAGS[name], "none" if value is None else str(value)]
    if seed:
        words += ["--seed", str(seed)]
    if paired != "auto":
        words += ["--paired", paired]
    if not normalize:
        words.append("--no-normalize")
    return shlex.join([*words, "--out", out])


def left_out(settings: Settings) -> tuple[str, ...]:
    """Methods with settings of their own that no option of the command line carries."""
    return tuple(
        name
        for name, options in settings.method_options.items()
        if options and (name, set(options)) != ("blockwise", {"shrinkage"})
    )
