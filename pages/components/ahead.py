"""What a reader may ask for next, prepared while they look at what they have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from logging import getLogger

from pages.components import session

# By then the browser has drawn the page; until then it needs the processor itself.
PAUSE_SECONDS = 0.3


class Ahead:
    """Steps that a thread works through after a pause; it holds none that is done or no longer wanted."""

    def __init__(self, steps: Iterable[Callable[[], object]]):
        self._steps = list(steps)
        self._stop = threading.Event()
        # Not a daemon: the end of the process would cut it off in the middle of native code.
        self._thread = threading.Thread(target=self._run, name="ahead")
        self._thread.start()

    def cancel(self) -> None:
        """Leave out what has not begun."""
        self._stop.set()
        self._steps.clear()

    def join(self, seconds: float) -> None:
        """Wait for the end, which a cancelled one reaches after the step that it is at."""
        self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether its thread still runs."""
        return self._thread.is_alive()

    def _next(self) -> Callable[[], object] | None:
        with suppress(IndexError):
            return self._steps.pop(0)
        return None

    def _run(self) -> None:
        self._stop.wait(PAUSE_SECONDS)
        try:
            while not self._stop.is_set() and (step := self._next()):
                step()
        except Exception:
            # Whoever comes to this step tries again and says in its place what went wrong.
            getLogger(__name__).exception("what may be asked for next could not be prepared")
        finally:
            self._steps.clear()


def prepare(steps: Iterable[Callable[[], object]]) -> None:
    """Take these steps in a moment, unless this session asks for others first; nobody waits for them."""
    held = session.held()
    held.stop_preparing()
    held.ahead = Ahead(steps)
