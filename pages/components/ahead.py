"""The next stops of a slider, prepared while the reader looks at this one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from logging import getLogger

from pages.components import session

# By then the browser has drawn the page; until then it needs the processor itself.
PAUSE_SECONDS = 0.3


def prepare(work: Callable[[], object]) -> None:
    """Do `work()` in a moment, unless this session asks for other work first; nobody waits for it."""
    held = session.held()
    if held.ahead is not None:
        held.ahead.cancel()
    # Not a daemon: the end of the process would cut it off in the middle of native code.
    held.ahead = threading.Timer(PAUSE_SECONDS, _quietly, (work,))
    held.ahead.start()


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        # Whoever comes to this stop tries again and says in its place what went wrong.
        getLogger(__name__).exception("the next stops of a slider could not be prepared")
