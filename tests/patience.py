"""How long a test waits before it takes what it waits for to hang: no measure of speed, so that a machine
that is slow or busy fails nothing."""

HANGING = 300.0
"""Seconds."""
