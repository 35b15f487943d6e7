"""`inspect`: what a file or folder holds."""

from __future__ import annotations

import argparse

from realign_core.load import inspect_path


def run(options: argparse.Namespace) -> None:
    """Print the inspection; nothing is written."""
    print(inspect_path(options.file))
