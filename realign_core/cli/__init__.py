"""The command line: `analyze`, `align`, `inspect`, `encode`, `train`, `app`.

Nothing imported here needs torch; each command imports what it runs once its arguments and files hold.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence

from realign_core.cli.parser import build_parser
from realign_core.cli.progress import say
from realign_core.validation import UnusableInput
from realign_core.waiting import wait_briefly

DONE, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
TRACEBACK = "GAPSCOPE_TRACEBACK"
OUT_OF_MEMORY = "memory ran out; use --max-rows to read a sample of the rows, or lower --bootstrap"
OUT_OF_MEMORY_IN_BATCHES = "memory ran out; lower --batch"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 done, 1 failed, 2 unusable input, 130 interrupted)."""
    wait_briefly()
    if sys.stderr is None:
        # It is closed; `print` would send what is meant for it to standard output, among the results.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A file name that the terminal cannot show must not lose the result.
            stream.reconfigure(errors="backslashreplace")
    options = None
    try:
        options = build_parser().parse_args(arguments)
        options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except UnusableInput as error:
        return _end(UNUSABLE, str(error))
    except KeyboardInterrupt:
        return _end(INTERRUPTED, "interrupted; no output was left half-written")
    except BrokenPipeError:
        _discard_output()
        return DONE
    except Exception as error:
        if _is_memory(error):
            return _end(UNUSABLE, OUT_OF_MEMORY_IN_BATCHES if hasattr(options, "batch") else OUT_OF_MEMORY)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            _discard_output()
            return _end(UNUSABLE, "standard output cannot be written: no space left; write to another place")
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        return _end(
            FAILED,
            f"unexpected failure: {type(error).__name__}: {error} (set {TRACEBACK}=1 to see where)",
        )
    return DONE


def _discard_output() -> None:
    """Nobody takes what is left in the buffer of standard output, so Python must not try at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_memory(error: Exception) -> bool:
    """Whether memory ran out: torch says so in words, may not even load, and has its own class on a GPU."""
    words = ("not enough memory", "can't allocate memory", "failed to map segment")
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, (RuntimeError, ImportError)) and any(text in str(error) for text in words))
    )


def _end(status: int, message: str) -> int:
    say("realign: " + " ".join(message.split()))
    return status
