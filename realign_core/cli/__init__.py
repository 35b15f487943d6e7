"""The command line: `analyze`, `align`, `inspect`, `app`.

Nothing imported here needs torch; each command imports what it runs once its arguments and files hold.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from realign_core.cli.parser import build_parser
from realign_core.validation import UnusableInput

DONE, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
TRACEBACK = "GAPSCOPE_TRACEBACK"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 done, 1 failed, 2 unusable input, 130 interrupted)."""
    # Threads that spin while they wait cost a busy machine a factor of ten; torch reads this when imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        options = build_parser().parse_args(arguments)
        options.run(options)
        sys.stdout.flush()
    except UnusableInput as error:
        return _say(UNUSABLE, str(error))
    except KeyboardInterrupt:
        return _say(INTERRUPTED, "interrupted; no output was left half-written")
    except BrokenPipeError:
        # The reader of standard output has gone; what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MemoryError:
        return _say(UNUSABLE, "the data does not fit in memory; use --max-rows to read a sample of it")
    except Exception as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        return _say(
            FAILED,
            f"unexpected failure: {type(error).__name__}: {error} (set {TRACEBACK}=1 to see where)",
        )
    return DONE


def _say(status: int, message: str) -> int:
    print("realign: " + " ".join(message.split()), file=sys.stderr)
    return status
