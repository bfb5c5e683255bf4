"""Place the tracks around a seed: related ones near each other, labels clear of each other. Pure.

The same input gives the same picture: nothing here is left to chance. The seed stays in the middle; the further out a
track, the fewer people it shares with the seed. Where labels would cover each other they are pushed apart, and if
pushing does not help, the picture grows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_ROUNDS = 100
_PUSHES = 200
_GROWTH = 1.06


@dataclass(frozen=True, slots=True)
class Box:
    """What a thing covers, from its middle: `half` to either side, `up` and `down`."""

    half: float
    up: float
    down: float


Point = tuple[float, float]


def place(
    closeness: Sequence[float],
    links: dict[tuple[int, int], float],
    boxes: Sequence[Box],
    *,
    stretch: float,
    size: float,
) -> list[Point]:
    """Give a point for each thing; the first is the middle at (0, 0).

    `closeness` (0 to 1, one per thing, the first one's unused) says how near the middle a thing belongs; `links` pull
    two things together, by a strength from 0 to 1. `stretch` is width over height, `size` the largest distance up or
    down.
    """
    angles = _angles(closeness, links)
    points = [(0.0, 0.0)]
    for near, angle in zip(closeness[1:], angles, strict=True):
        far = size * (0.34 + 0.66 * (1 - near))
        points.append((far * stretch * math.cos(angle), far * math.sin(angle)))
    return _apart(points, boxes)


def _angles(closeness: Sequence[float], links: dict[tuple[int, int], float]) -> list[float]:
    """Seat things around the middle at equal angles, linked ones as near each other as may be.

    Two things change seats as long as that shortens the links; with a few dozen things that ends soon.
    """
    n = len(closeness) - 1
    pull = [[0.0] * n for _ in range(n)]
    for (one, other), strength in links.items():
        if one and other:
            pull[one - 1][other - 1] = pull[other - 1][one - 1] = strength
    seats = _in_a_row(pull)
    for _ in range(_ROUNDS):
        if not _change_seats(seats, pull):
            break
    angles = [0.0] * n
    for seat, thing in enumerate(seats):
        angles[thing] = 2 * math.pi * (seat + 0.5) / n
    return angles


def _in_a_row(pull: list[list[float]]) -> list[int]:
    """Give a first order: each time the thing that belongs most to the last few."""
    left = list(range(len(pull)))
    row: list[int] = []
    while left:
        chosen = max(
            left, key=lambda thing: (sum(pull[thing][other] / (k + 1) for k, other in enumerate(row[::-1][:3])), -thing)
        )
        row.append(chosen)
        left.remove(chosen)
    return row


def _change_seats(seats: list[int], pull: list[list[float]]) -> bool:
    changed = False
    for one in range(len(seats)):
        for other in range(one + 1, len(seats)):
            before = _length(seats, one, pull) + _length(seats, other, pull)
            seats[one], seats[other] = seats[other], seats[one]
            if _length(seats, one, pull) + _length(seats, other, pull) < before - 1e-9:
                changed = True
            else:
                seats[one], seats[other] = seats[other], seats[one]
    return changed


def _length(seats: list[int], seat: int, pull: list[list[float]]) -> float:
    """Add up the links of whoever sits there, squared, so that long ones count most."""
    n, own = len(seats), pull[seats[seat]]
    return sum(own[thing] * min(abs(seat - k), n - abs(seat - k)) ** 2 for k, thing in enumerate(seats))


def _apart(points: list[Point], boxes: Sequence[Box]) -> list[Point]:
    """Push things apart until no two cover each other; the first stays where it is."""
    while True:
        for _ in range(_PUSHES):
            if not _push_once(points, boxes):
                return points
        points = [(x * _GROWTH, y * _GROWTH) for x, y in points]


def _push_once(points: list[Point], boxes: Sequence[Box]) -> bool:
    pushed = False
    for i in range(len(points)):
        for j in range(i + 1, len(points)):
            across, down = overlap(points[i], boxes[i], points[j], boxes[j])
            if across <= 0 or down <= 0:
                continue
            pushed = True
            if across < down:
                way = math.copysign(across / 2 + 0.1, points[j][0] - points[i][0] or 1.0)
                step = (way, 0.0)
            else:
                step = (0.0, math.copysign(down / 2 + 0.1, _centre(points[j], boxes[j]) - _centre(points[i], boxes[i])))
            _move(points, i, -step[0], -step[1], alone=False)
            _move(points, j, step[0], step[1], alone=i == 0)
    return pushed


def _move(points: list[Point], i: int, across: float, down: float, *, alone: bool) -> None:
    """Move a thing; one that is pushed by the middle, which does not move, goes the whole way."""
    if i:
        factor = 2.0 if alone else 1.0
        points[i] = (points[i][0] + factor * across, points[i][1] + factor * down)


def _centre(point: Point, box: Box) -> float:
    return point[1] + (box.down - box.up) / 2


def overlap(one: Point, one_box: Box, other: Point, other_box: Box) -> tuple[float, float]:
    """Say by how much two things cover each other across and down; they do when both are above 0."""
    across = one_box.half + other_box.half - abs(one[0] - other[0])
    down = min(one[1] + one_box.down, other[1] + other_box.down) - max(one[1] - one_box.up, other[1] - other_box.up)
    return across, down


def frame(points: Sequence[Point], boxes: Sequence[Box], margin: float) -> tuple[float, float, float, float]:
    """Give left, top, width and height of what holds all of it."""
    left = min(x - box.half for (x, _), box in zip(points, boxes, strict=True)) - margin
    right = max(x + box.half for (x, _), box in zip(points, boxes, strict=True)) + margin
    top = min(y - box.up for (_, y), box in zip(points, boxes, strict=True)) - margin
    bottom = max(y + box.down for (_, y), box in zip(points, boxes, strict=True)) + margin
    return left, top, right - left, bottom - top
