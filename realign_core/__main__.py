"""`python -m realign_core`, and the installed command `realign`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns the exit status."""
    try:
        from realign_core.cli import main as run
    except KeyboardInterrupt:
        print("realign: interrupted before it began", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
