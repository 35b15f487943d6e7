"""Frees what closed tabs left, and keeps collecting garbage cheap.

Streamlit drops an expired session only when another one comes or goes, and collects garbage after every run
of a script. That walks through every imported module, for a quarter of a second in which no other thread
computes; a page that shows progress three times a second would leave its own job next to nothing.
"""

from __future__ import annotations

import gc
import threading
from logging import getLogger
from typing import Any

import streamlit as st
from streamlit import runtime

from realign_core.memory import give_back

SECONDS = 15.0
_freed = threading.Event()


@st.cache_resource(show_spinner=False)
def start() -> threading.Thread:
    """Start the one sweeper of this server, once the first page has imported what pages need."""
    _set_aside()
    thread = threading.Thread(target=_run, name="sweeper", daemon=True)
    thread.start()
    return thread


def _run() -> None:
    pause = threading.Event()
    while not pause.wait(SECONDS):
        tidy()
        if not runtime.exists():
            continue
        try:
            # Sessions belong to the server's event loop; Streamlit offers no call that expires them.
            server = runtime.get_instance()
            storage = server._session_mgr._session_storage._cache  # type: ignore[attr-defined]  # private
            server._get_async_objs().eventloop.call_soon_threadsafe(sweep, storage)
        except Exception:
            getLogger(__name__).exception("closed sessions cannot be swept")
            return


def soon() -> None:
    """Note that much was let go of; the sweeper's next round gives it back."""
    _freed.set()


def tidy() -> bool:
    """Collect and give back what was let go of since the last round; whether there was anything.

    Prepared rows and what judges them refer to each other, and may have been set aside while they were used.
    """
    if not _freed.is_set():
        return False
    _freed.clear()
    gc.unfreeze()
    _set_aside()
    give_back()
    return True


def sweep(storage: Any) -> int:
    """Let go of the sessions in this TTL cache whose time is over; how many."""
    gone = [info.session for _, info in storage.expire()]
    many = len(gone)
    # Not in a loop, whose name would hold the last of them while garbage is collected.
    while gone:
        gone.pop().shutdown()
    if many:
        # A session and its script runner refer to each other, and may have been set aside.
        soon()
        tidy()
    return many


def _set_aside() -> None:
    """Collect once, then leave what is alive out of later collections, until the next sweep."""
    gc.collect()
    gc.freeze()
