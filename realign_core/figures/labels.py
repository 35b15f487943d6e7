"""Places for labels beside markers, so that they meet neither each other nor a marker."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

PLOT_PIXELS = (460, 330)
"""Size of the plot that places are chosen for; a wider one only gives them more room."""
LETTER, LINE = 7.4, 18
MARKER = 9
RINGS = (0, 18, 38, 60, 84)
DIRECTIONS = 16

Box = tuple[float, float, float, float]


def label_places(
    labels: Sequence[str],
    xs: Sequence[float],
    ys: Sequence[float],
    lines: Sequence[float],
    *,
    others: Sequence[tuple[float, float]] = (),
) -> list[tuple[float, float]]:
    """Shift in pixels, right and up, of each label's centre from its marker.

    `xs` and `ys` are the markers' places in the plot, 0 to 1, `lines` the heights of horizontal lines,
    `others` the places of markers without a label. Each label takes the nearest free place on rings around
    its marker, the least crowded one where none is free.
    """
    width, height = PLOT_PIXELS
    at = [(x * width, y * height) for x, y in zip(xs, ys, strict=True)]
    spots = [*at, *((x * width, y * height) for x, y in others)]
    markers: list[Box] = [(x - MARKER, y - MARKER, x + MARKER, y + MARKER) for x, y in spots]
    rules: list[Box] = [(0, y * height - 2, width, y * height + 2) for y in lines]
    placed: list[Box] = []
    shifts = []
    for label, (x, y) in zip(labels, at):
        half = LETTER * len(label) / 2 + 2

        def box(shift: tuple[float, float], x: float = x, y: float = y, half: float = half) -> Box:
            across, up = x + shift[0], y + shift[1]
            return across - half, up - LINE / 2, across + half, up + LINE / 2

        def cost(shift: tuple[float, float], box: Callable[..., Box] = box) -> float:
            here = box(shift)
            crowd = sum(_overlap(here, other) for other in (*markers, *placed, *rules))
            return crowd + _outside(here) + 0.15 * math.hypot(*shift)

        best = min(_candidates(half), key=cost)
        placed.append(box(best))
        shifts.append(best)
    return shifts


def _candidates(half: float) -> list[tuple[float, float]]:
    """Centres of the label on rings around the marker that clear it, right first."""
    found = []
    for ring in RINGS:
        for step in range(DIRECTIONS):
            angle = 2 * math.pi * step / DIRECTIONS
            across = math.cos(angle) * (half + MARKER + 4 + ring)
            up = math.sin(angle) * (LINE / 2 + MARKER + 4 + ring)
            found.append((across, up))
    return found


def _overlap(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _outside(box: Box) -> float:
    width, height = PLOT_PIXELS
    over = max(0.0, -box[0]) + max(0.0, box[2] - width) + max(0.0, -box[1]) + max(0.0, box[3] - height)
    return 20 * over
