"""The default sample, opened and diagnosed in the background as soon as the server has its first reader."""

from __future__ import annotations

import threading
from logging import getLogger

from pages.components import settings, sources
from realign_core.samples import PREFIX

_started = threading.Lock()


def start() -> None:
    """Begin, once a process."""
    if _started.acquire(blocking=False):
        threading.Thread(target=_work, name="warming", daemon=True).start()


def _work() -> None:
    # Whoever opens the sample meanwhile waits for this thread instead of computing the same.
    try:
        study = sources.sample(sources.DEFAULT_SAMPLE.removeprefix(PREFIX))
        study.diagnosis(settings.SETTINGS["energy"].default, settings.SETTINGS["seed"].default)
    except Exception:
        # A page that needs them tries again and says in its place what went wrong.
        getLogger(__name__).exception("the default sample could not be prepared")
