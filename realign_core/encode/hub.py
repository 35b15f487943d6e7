"""Models that lie elsewhere: fetched where the machine has access, refused in seconds where it has not."""

from __future__ import annotations

import logging
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from realign_core.encode.choice import ModelChoice
from realign_core.validation import UnusableInput

WAIT_SECONDS = 4.0
REPOSITORY_FOLDER = "models--{}"


def check_hub(choice: ModelChoice) -> bool:
    """Whether the hub answers. Raises UnusableInput where it does not and nothing of the model is kept here.

    open_clip's own download tries for most of a minute before it gives up.
    """
    from huggingface_hub import constants

    reached = not constants.HF_HUB_OFFLINE and _answers(constants.ENDPOINT)
    if not reached and not _may_be_kept(choice, Path(constants.HF_HUB_CACHE)):
        raise no_access(choice)
    return reached


def no_access(choice: ModelChoice) -> UnusableInput:
    """The error for a model that can be neither fetched nor found here."""
    return UnusableInput(
        f"{choice.name} would be fetched from the Hugging Face hub, which this machine does not reach, and "
        "no copy is kept here; use --model local-dir:FOLDER or the bundled model"
    )


@contextmanager
def offline(active: bool = True) -> Iterator[None]:
    """Within this, the hub's library looks at the copies kept here alone, and fails at once without one."""
    from huggingface_hub import constants

    if not active:
        yield
        return
    before = constants.HF_HUB_OFFLINE
    # Read when the library is imported, so that the environment comes too late here.
    constants.HF_HUB_OFFLINE = True
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
        logging.disable(level)


def _may_be_kept(choice: ModelChoice, cache: Path) -> bool:
    if choice.kind == "hub" and choice.tag:
        return (cache / REPOSITORY_FOLDER.format(choice.tag.replace("/", "--"))).is_dir()
    others = Path(os.path.expanduser("~/.cache/clip"))
    return any(cache.glob(REPOSITORY_FOLDER.format("*"))) or (others.is_dir() and any(others.iterdir()))


def _answers(endpoint: str) -> bool:
    """Whether anything answers there; names that do not resolve may take longer than any timeout."""
    found = threading.Event()

    def ask() -> None:
        try:
            request = urllib.request.Request(endpoint, method="HEAD")
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS):
                found.set()
        except urllib.error.HTTPError:
            found.set()
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(WAIT_SECONDS)
    return found.is_set()
