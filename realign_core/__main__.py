"""`python -m realign_core`."""

import sys

if __name__ == "__main__":
    try:
        from realign_core.cli import main
    except KeyboardInterrupt:
        print("realign: interrupted before it began", file=sys.stderr)
        sys.exit(130)
    sys.exit(main())
