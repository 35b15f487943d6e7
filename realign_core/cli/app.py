"""`app`: start the dashboard."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from realign_core.validation import UnusableInput, check_count

DATA_ROOT = "GAPSCOPE_DATA_ROOT"
ARENAS = "MALLOC_ARENA_MAX"
"""glibc makes an arena for each thread, up to eight a core, and keeps what is free at the top of each: after
a dozen sessions, of which nothing else was held, that came to a tenth of the server's memory."""


def run(options: argparse.Namespace) -> None:
    """Run Streamlit on the dashboard until it is stopped; `--data` names the folder of server paths."""
    check_count("--port", options.port)
    if options.port > 65535:
        raise UnusableInput(f"--port is {options.port}; ports end at 65535")
    environment = {ARENAS: "2", **os.environ}
    if options.data is not None:
        if not os.path.isdir(options.data):
            raise UnusableInput(f"--data {options.data} is no folder; name one that holds embeddings")
        environment[DATA_ROOT] = os.path.abspath(options.data)
    home = dashboard_folder()
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(options.port)]
    if options.no_browser:
        command += ["--server.headless", "true"]
    status = subprocess.run(command, cwd=home, env=environment, check=False).returncode
    if status not in (0, -2, 130):
        raise UnusableInput(
            f"the dashboard could not start (Streamlit ended with {status}); is port {options.port} free?"
        )


def dashboard_folder() -> Path:
    """Where `app.py` lies: beside the package in a checkout, under share/ where installed."""
    for folder in (Path(__file__).parents[2], Path(sys.prefix) / "share" / "gapscope"):
        if (folder / "app.py").is_file():
            return folder
    raise UnusableInput(
        "app.py is not installed beside realign_core; install the project again, or use a checkout"
    )
