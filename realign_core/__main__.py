"""`python -m realign_core`."""

import sys

from realign_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
