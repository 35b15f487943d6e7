"""The analysis as one HTML file that opens offline."""

from __future__ import annotations

from pathlib import Path

from realign_core.comparison import Comparison
from realign_core.report.page import report_html
from realign_core.report.reproduce import align_command_line, command_line


def write_report(comparison: Comparison, path: str | Path) -> None:
    """Write the report as UTF-8 to `path`. A caller that must not leave half a file writes `report_html`."""
    Path(path).write_text(report_html(comparison), encoding="utf-8")


__all__ = ["align_command_line", "command_line", "report_html", "write_report"]
