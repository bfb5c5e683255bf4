"""Find room for labels beside what they name: none covers another, and each covers as little else as may be. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WAYS = [math.radians(angle) for angle in (90, 270, 0, 180, 45, 135, 225, 315)]  # below first
_STEPS = (3.0, 14.0, 32.0, 60.0, 100.0)
_COVERING = 25.0  # what a covered circle costs, in steps away

Circle = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A label's room."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        """Give its middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def covers(self, other: Box) -> bool:
        """Say whether two of them have any room in common."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)

    def touches(self, x: float, y: float, radius: float) -> bool:
        """Say whether any of it lies inside a circle."""
        across = max(self.left - x, 0.0, x - self.right)
        down = max(self.top - y, 0.0, y - self.bottom)
        return across * across + down * down < radius * radius


def placed(
    anchors: Sequence[Circle], sizes: Sequence[tuple[float, float]], circles: Sequence[Circle], side: float
) -> list[Box | None]:
    """Give a box for each label, in a square from 0 to `side`; None where nothing is free near what it names.

    `anchors` are the circles that are named, `sizes` width and height of their labels; the first ones choose first.
    """
    taken: list[Box] = []
    found: list[Box | None] = []
    for anchor, size in zip(anchors, sizes, strict=True):
        best: tuple[float, int, Box] | None = None
        for turn, (far, box) in enumerate(_around(anchor, size)):
            if min(box.left, box.top) < 0 or max(box.right, box.bottom) > side or (best and far >= best[0]):
                continue
            if any(box.covers(other) for other in taken):
                continue
            cost = far + _COVERING * sum(box.touches(*circle) for circle in circles)
            if best is None or cost < best[0]:
                best = (cost, turn, box)
        found.append(best[2] if best else None)
        taken += [best[2]] if best else []
    return found


def _around(anchor: Circle, size: tuple[float, float]) -> list[tuple[float, Box]]:
    """Give places around a circle with how far off they are, the nearest first."""
    (x, y, radius), (wide, high) = anchor, size
    boxes = []
    for step in _STEPS:
        for way in _WAYS:
            across = x + math.cos(way) * (radius + step + wide / 2)
            down = y + math.sin(way) * (radius + step + high / 2)
            boxes.append((step, Box(across - wide / 2, down - high / 2, across + wide / 2, down + high / 2)))
    return boxes
