"""Find a Chromium for the browser tests, or install one; run by `make test` before the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"


def find_browser() -> str | None:
    """The browser that CHROMIUM names, or the first on the path."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if os.access(named, os.X_OK) else None
    return next(filter(None, map(shutil.which, NAMES)), None)


def required() -> bool:
    """Whether a missing browser is an error and no reason to skip."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def main() -> int:
    """Install what is missing and may be installed; says what will be skipped."""
    missing = []
    if find_browser() is None and not _install_browser():
        missing.append("no Chromium: install the package chromium, or name one with CHROMIUM=/path/to/it")
    if not AXE.is_file() and not _install_axe():
        missing.append("no axe-core: install npm and run npm ci --prefix tests/browser")
    for reason in missing:
        print(f"browser tests: {reason}" + ("" if required() else "; they are skipped"), file=sys.stderr)
    return int(bool(missing) and required())


def _install_browser() -> bool:
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("browser tests: installing Chromium through apt-get", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        command = ["apt-get", "-qq", *words]
        if subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=False).returncode:
            return False
    return find_browser() is not None


def _install_axe() -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    command = [npm, "ci", "--prefix", str(HERE), "--no-audit", "--no-fund", "--silent"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0 and AXE.is_file()


if __name__ == "__main__":
    sys.exit(main())
