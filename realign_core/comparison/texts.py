"""A comparison as the texts that the command line and the dashboard both write."""

from __future__ import annotations

import json

from realign_core.comparison.result import Comparison


def json_text(comparison: Comparison) -> str:
    """The JSON of `analyze`, indented, with a final newline."""
    return json.dumps(comparison.to_dict(), allow_nan=False, indent=1) + "\n"


def csv_text(comparison: Comparison) -> str:
    """The table of methods."""
    return comparison.table().to_csv()
