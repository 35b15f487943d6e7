"""Methods that meet a fault in the worker which maps with them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

from faulty_parts import once

from realign_core.alignment import MeanShift
from realign_core.validation import UnusableInput


class KilledOnce(MeanShift):
    """Kills its process after some blocks, the first time."""

    name = "killed_once"

    def __init__(self, marker: str, *, normalize: bool = True):
        super().__init__(normalize=normalize)
        self.marker = marker

    def transform_batches(self, rows: Any) -> Iterator[Any]:
        for number, block in enumerate(super().transform_batches(rows)):
            if number == 2 and once(self.marker):
                os.kill(os.getpid(), signal.SIGKILL)
            yield block


class Refusing(MeanShift):
    """Refuses after the first block."""

    name = "refusing"

    def transform_batches(self, rows: Any) -> Iterator[Any]:
        yield next(super().transform_batches(rows))
        raise UnusableInput("these rows are refused")
