"""Draw tracks as a map: a dot for each, lines between those liked by the same people, names that cover no other. Pure.

Wide screens show names, narrow ones the numbers of communities; both stand in the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harvest.report.labels import Box, placed
from harvest.report.pictures import Drawing
from harvest.report.svg import Element, el
from harvest.report.texts import fitted, width

_SIDE = 832.0  # of the picture: it is shown about as large
_WHOLE = 10_000  # of the places that come in, and of radii
_MARGIN = 8.0
_TITLE, _ARTIST, _NUMBER = 13.0, 11.5, 32.0
_LONGEST = 150.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A track: where it stands and how large it is, of 10,000; its colour, and what is said of it."""

    point: tuple[int, int]
    radius: int
    colour: str
    told: str


@dataclass(frozen=True, slots=True)
class Map:
    """Dots; lines between two of them, with a strength from 0 to 1; which dots are named and how (title, artist), the
    more important first; numbers that each stand among some dots.
    """

    dots: list[Dot]
    lines: dict[tuple[int, int], float]
    named: list[tuple[int, str, str]]
    numbers: list[tuple[list[int], str]]


def map_of_tracks(drawn: Map) -> Drawing:
    """Draw it."""
    scale = _SIDE / _WHOLE
    circles = [(scale * dot.point[0], scale * dot.point[1], scale * dot.radius) for dot in drawn.dots]
    shapes = [
        _line(circles[one][:2], circles[other][:2], "link", 0.5 + 1.5 * strength)
        for (one, other), strength in sorted(drawn.lines.items())
    ]
    for dot, (x, y, radius) in zip(drawn.dots, circles, strict=True):
        circle = el("circle", cx=x, cy=y, r=max(radius, 2.5), class_=f"node fill-{dot.colour}")
        circle.append(el("title", dot.told))
        shapes.append(circle)
    shapes += [*_names(drawn, circles), *_numbers(drawn, circles)]
    whole = _SIDE + 2 * _MARGIN
    return Drawing(f"{-_MARGIN:.0f} {-_MARGIN:.0f} {whole:.0f} {whole:.0f}", "graph", shapes)


def _names(drawn: Map, circles: Sequence[tuple[float, float, float]]) -> list[Element]:
    texts = [(fitted(title, _TITLE, _LONGEST), fitted(artist, _ARTIST, _LONGEST)) for _, title, artist in drawn.named]
    boxes = [(max(width(title, _TITLE), width(artist, _ARTIST)) + 6, 32.0) for title, artist in texts]
    anchors = [circles[place] for place, *_ in drawn.named]
    made = []
    for (title, artist), anchor, box in zip(texts, anchors, placed(anchors, boxes, circles, _SIDE), strict=True):
        if box is None:
            continue
        x, y = box.middle
        if not box.touches(*anchor[:2], anchor[2] + 12):
            made.append(_line(anchor[:2], (x, y), "lead-line", 1.0))
        made.append(el("text", title, x=x, y=y - 3, class_="name"))
        made.append(el("text", artist, x=x, y=y + 11, class_="artist"))
    return made


def _numbers(drawn: Map, circles: Sequence[tuple[float, float, float]]) -> list[Element]:
    """Write each number in the middle of its dots, or near it where another one stands there."""
    anchors = [
        (sum(circles[i][0] for i in among) / len(among), sum(circles[i][1] for i in among) / len(among), -20.0)
        for among, _ in drawn.numbers
    ]
    boxes = [(width(text, _NUMBER) + 10, _NUMBER) for _, text in drawn.numbers]
    found: list[Box | None] = placed(anchors, boxes, [], _SIDE)
    return [
        el("text", text, x=box.middle[0], y=box.middle[1] + 11, class_="badge")
        for (_, text), box in zip(drawn.numbers, found, strict=True)
        if box is not None
    ]


def _line(one: Sequence[float], other: Sequence[float], kind: str, thick: float) -> Element:
    return el("line", x1=one[0], y1=one[1], x2=other[0], y2=other[1], stroke_width=thick, class_=kind)
