"""What a long run has gathered so far, kept in a folder so that an interrupted run goes on from there."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from realign_core.load.atomic import atomic_bytes, atomic_text
from realign_core.validation import UnusableInput

KEEP_SECONDS = 10.0
"""So often at most is a pass written down while it runs; its end always is."""

RUN_FILE = "run.json"
FORM = 2
"""Of what passes keep: one more whenever a state has other arrays, so that nothing older is read."""
_keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


@dataclass(frozen=True)
class Kept:
    """The state of a pass after its first `rows` rows; `done` where those are all."""

    rows: int
    arrays: dict[str, np.ndarray]
    done: bool


class Keeper:
    """States of passes by name in `folder`, which belongs to one run: the same inputs and settings.

    `run` describes that run in JSON's terms. Raises `UnusableInput` where the folder cannot be used or
    holds what another run, or something else, has left.
    """

    def __init__(self, folder: str | os.PathLike, run: Mapping[str, Any]):
        self.folder = os.fspath(folder)
        self._numbers: Counter[str] = Counter()
        self._written = time.monotonic()
        described = json.loads(json.dumps({**run, "form": FORM}))
        file = os.path.join(self.folder, RUN_FILE)
        try:
            os.makedirs(self.folder, exist_ok=True)
            inside = os.listdir(self.folder)
        except OSError as error:
            raise UnusableInput(
                f"{self.folder} cannot be used: {error.strerror}; name another folder"
            ) from error
        if RUN_FILE not in inside:
            if [name for name in inside if not name.startswith(".")]:
                raise UnusableInput(f"{self.folder} holds other files; name a new or empty folder")
            atomic_text(file, json.dumps(described, indent=2) + "\n")
            return
        try:
            with open(file, encoding="utf-8") as opened:
                before = json.load(opened)
        except (OSError, ValueError) as error:
            raise UnusableInput(f"{file} is damaged; delete {self.folder} and run again") from error
        for key in sorted({*described, *before}):
            if described.get(key) != before.get(key):
                raise UnusableInput(
                    f"{self.folder} was left by another run: its {key} was {_short(before.get(key))}, now it "
                    f"is {_short(described.get(key))}; delete that folder or name another"
                )

    def numbered(self, name: str) -> str:
        """`name` with how often it was asked for: passes of one name come in the same order in every run."""
        self._numbers[name] += 1
        return f"{name} {self._numbers[name]}"

    def known(self, name: str) -> Kept | None:
        """The state kept under `name`; None where there is none that can be read."""
        try:
            with safetensors.safe_open(self._file(name), framework="numpy") as opened:
                told = opened.metadata()
                arrays = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            return Kept(int(told["rows"]), arrays, told["done"] == "yes")
        except (OSError, KeyError, ValueError, safetensors.SafetensorError):
            return None

    def due(self) -> bool:
        """Whether a running pass should be written down again."""
        return time.monotonic() - self._written >= KEEP_SECONDS

    def keep(self, name: str, rows: int, arrays: Mapping[str, np.ndarray], *, done: bool) -> None:
        """Write the state of a pass down, whole or not at all."""
        told = {"rows": str(rows), "done": "yes" if done else "no"}
        whole = {key: np.asarray(value, order="C") for key, value in arrays.items()}
        atomic_bytes(self._file(name), safetensors.numpy.save(whole, told))
        self._written = time.monotonic()

    def _file(self, name: str) -> str:
        return os.path.join(self.folder, re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") + ".safetensors")


@contextmanager
def kept_by(keeper: Keeper | None) -> Iterator[None]:
    """Within this context passes are written down by `keeper` and go on from what it knows."""
    token = _keeper.set(keeper)
    try:
        yield
    finally:
        _keeper.reset(token)


def current_keeper() -> Keeper | None:
    """Who writes passes down here, if anyone does."""
    return _keeper.get()


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}…"
