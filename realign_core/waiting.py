"""How long threads spin for more work before they sleep. Nothing here imports what starts threads."""

from __future__ import annotations

import os

BRIEF = {"GOMP_SPINCOUNT": "5000", "OPENBLAS_THREAD_TIMEOUT": "14"}
"""Torch's threads and those of NumPy's BLAS, which by default spin on in each other's and everybody's way:
without the first a busy machine is up to ten times slower, without the second `compare` takes 1.15 times as
long on an idle one. The libraries read these when they are imported."""


def wait_briefly() -> None:
    """Set what the user has not set; call it before torch and NumPy are imported."""
    for name, value in BRIEF.items():
        os.environ.setdefault(name, value)
