"""The command line that repeats an analysis."""

from __future__ import annotations

import shlex

from realign_core.comparison import Comparison, Settings

_FLAGS = {
    "energy": "--energy",
    "k": "--k",
    "split": "--split",
    "seed": "--seed",
    "c3_sigma": "--c3-sigma",
    "bootstrap": "--bootstrap",
}


def command_line(comparison: Comparison) -> str | None:
    """`python -m realign_core analyze …` with every option that is not at its default; None for arrays that
    came from memory, which have no path.
    """
    dataset, settings, default = comparison.dataset, comparison.settings, Settings()
    if {dataset.path_target, dataset.path_source} & {"the target", "the source"}:
        return None
    paths = list(dict.fromkeys((dataset.path_target, dataset.path_source)))
    words = ["python", "-m", "realign_core", "analyze", *paths]
    words += ["--paired", "yes" if dataset.paired else "no", "--methods", ",".join(comparison.methods)]
    for name, flag in _FLAGS.items():
        value = getattr(settings, name)
        if value != getattr(default, name):
            words += [flag, str(value)]
    if settings.device != default.device:
        words += ["--device", settings.device]
    if not comparison.normalize:
        words.append("--no-normalize")
    return shlex.join([*words, "--html", "report.html"])
