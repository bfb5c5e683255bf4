"""Draw as SVG: bars of shares, curves, the tracks around a seed. Pure.

Titles and descriptions stand in the templates. Colours are CSS variables by class, so that the theme decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harvest.report.curves import LogAxis, axis_down_to, axis_up_to, steps
from harvest.report.layout import Box, Point, frame, place
from harvest.report.svg import Element, el
from harvest.report.texts import fitted, share, width


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a picture shows, without title and description: a view box, a class for the style, shapes.

    `stretched` ones take whatever width there is, their height stays.
    """

    box: str
    kind: str
    shapes: list[Element]
    stretched: bool = False


def stacked(parts: Sequence[tuple[int, str]]) -> Drawing:
    """Draw shares of a whole side by side; each part is its number and its colour's class."""
    whole = sum(n for n, _ in parts)
    left, bars = 0.0, []
    for n, colour in parts:
        wide = 1000 * n / whole
        bars.append(el("rect", x=left, y=0, width=max(wide - 2, min(wide, 1.5)), height=14, class_=f"fill-{colour}"))
        left += wide
    return Drawing("0 0 1000 14", "stacked", bars, stretched=True)


def two_shares(here: float, there: float | None, most: float) -> Drawing:
    """Draw a share here and the share on SoundCloud as two dots on one line; the numbers stand beside it."""
    x = 6 + 148 * here / most
    marks = [el("line", x1=6, y1=8, x2=154, y2=8, class_="thin")]
    if there is not None:
        other = 6 + 148 * there / most
        marks.append(el("line", x1=min(x, other), y1=8, x2=max(x, other), y2=8, class_="thick"))
        marks.append(el("rect", x=other - 4, y=4, width=8, height=8, class_="fill-there"))
    marks.append(el("circle", cx=x, cy=8, r=5, class_="fill-here"))
    return Drawing("0 0 160 16", "pair", marks)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of (value, share that has so much or more); its colour and whether it is dashed."""

    points: list[tuple[int, float]]
    colour: str
    dashed: bool = False


_TOO_NEAR = 0.2  # of a decade: the names of two lines would cover each other
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def curves(lines: Sequence[Curve], across: str, up: str) -> Drawing:
    """Draw curves on two logarithmic axes; `across` and `up` name them. Each has at least one point."""
    x = axis_up_to(max(line.points[-1][0] for line in lines), 52, 466)
    y = axis_down_to(min(line.points[-1][1] for line in lines), 282, 18)
    shapes = [
        *_grid(x, y),
        el("text", across, x=466, y=322, class_="axis end"),
        el("text", up, x=0, y=8, class_="axis"),
    ]
    for line in lines:
        dashes = "6 4" if line.dashed else None
        shapes.append(
            el("path", d=steps(line.points, x, y), class_=f"curve stroke-{line.colour}", stroke_dasharray=dashes)
        )
    return Drawing("0 -6 492 336", "curves", shapes)


def _grid(x: LogAxis, y: LogAxis) -> list[Element]:
    made = []
    for decade in x.decades:
        at = x.place(10**decade)
        name = f"{10**decade:,}" if decade < 5 else f"10{str(decade).translate(_SUPERSCRIPT)}"
        made.append(el("line", x1=at, y1=y.end, x2=at, y2=y.start, class_="thin"))
        made.append(el("text", name, x=at, y=y.start + 18, class_="tick middle"))
    for exponent in [y.low, *(decade for decade in y.decades if decade - y.low > _TOO_NEAR)]:
        at = y.place(10.0**exponent)
        made.append(el("line", x1=x.start, y1=at, x2=x.end, y2=at, class_="thin"))
        made.append(el("text", share(10.0**exponent, 1.0), x=x.start - 6, y=at + 4, class_="tick end"))
    return made


@dataclass(frozen=True, slots=True)
class Node:
    """A track in the picture: its number in the table, its texts, how many people, and its artist's colour."""

    number: int
    title: str
    artist: str
    common: int
    colour: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A seed, the tracks around it (most people in common first), and how strongly two of them belong together.

    Links go by place in `nodes`, the smaller first; strength is from 0 to 1.
    """

    seed_title: str
    nodes: list[Node]
    links: dict[tuple[int, int], float]


_TITLE, _ARTIST = 13.0, 11.5


def labelled_graph(graph: Graph) -> Drawing:
    """Draw it with names, for wide screens and for paper."""
    radii = [15.0, *(_radius(node, graph, 5, 17) for node in graph.nodes)]
    names = [
        (fitted(graph.seed_title, 15, 210), ""),
        *((_short(n.title, _TITLE), _short(n.artist, _ARTIST)) for n in graph.nodes),
    ]
    boxes = [
        Box(max(width(name, _TITLE + 2 * (not i)), width(artist, _ARTIST), 2 * radius) / 2 + 5, radius + 5, radius + 37)
        for i, (radius, (name, artist)) in enumerate(zip(radii, names, strict=True))
    ]
    points = place(_closeness(graph), _shifted(graph.links), boxes, stretch=1.45, size=310)
    left, top, wide, high = frame(points, boxes, 8)
    shapes = [*_lines(graph, points), *_circles(graph, points, radii)]
    for (x, y), radius, (name, artist), i in zip(points, radii, names, range(len(points)), strict=True):
        shapes.append(el("text", name, x=x, y=y + radius + 16, class_="name" if i else "name seed"))
        if artist:
            shapes.append(el("text", artist, x=x, y=y + radius + 31, class_="artist"))
    box = f"{left:.0f} {top:.0f} {math.ceil(wide)} {math.ceil(high)}"
    return Drawing(box, "graph wide", shapes)


def numbered_graph(graph: Graph) -> Drawing:
    """Draw it with the numbers of the table, for narrow screens."""
    radii = [16.0, *(_radius(node, graph, 11, 19) for node in graph.nodes)]
    boxes = [Box(radius + 2, radius + 2, radius + 2) for radius in radii]
    points = place(_closeness(graph), _shifted(graph.links), boxes, stretch=0.95, size=160)
    left, top, wide, high = frame(points, boxes, 3)
    shapes = [*_lines(graph, points), *_circles(graph, points, radii)]
    shapes += [
        el("text", str(node.number), x=x, y=y + 4, class_="number")
        for node, (x, y) in zip(graph.nodes, points[1:], strict=True)
    ]
    box = f"{left:.0f} {top:.0f} {math.ceil(wide)} {math.ceil(high)}"
    return Drawing(box, "graph narrow", shapes)


def _short(text: str, size: float) -> str:
    return fitted(text, size, 150)


def _radius(node: Node, graph: Graph, least: float, most: float) -> float:
    """Let areas, not widths, stand for numbers."""
    largest = max(other.common for other in graph.nodes)
    return max(least, most * math.sqrt(node.common / largest))


def _closeness(graph: Graph) -> list[float]:
    most, least = graph.nodes[0].common, graph.nodes[-1].common
    spread = max(most - least, 1)
    return [1.0, *((node.common - least) / spread for node in graph.nodes)]


def _shifted(links: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    return {(one + 1, other + 1): strength for (one, other), strength in links.items()}


def _lines(graph: Graph, points: Sequence[Point]) -> list[Element]:
    made = [_line(points[0], point, 0.8, "spoke") for point in points[1:]]
    for (one, other), strength in sorted(graph.links.items(), key=lambda link: (link[1], link[0])):
        made.append(_line(points[one + 1], points[other + 1], 0.8 + 2.6 * strength, "link"))
    return made


def _line(one: Point, other: Point, thick: float, kind: str) -> Element:
    return el("line", x1=one[0], y1=one[1], x2=other[0], y2=other[1], stroke_width=thick, class_=kind)


def _circles(graph: Graph, points: Sequence[Point], radii: Sequence[float]) -> list[Element]:
    made = [el("circle", cx=points[0][0], cy=points[0][1], r=radii[0], class_="seed")]
    for node, (x, y), radius in zip(graph.nodes, points[1:], radii[1:], strict=True):
        made.append(el("circle", cx=x, cy=y, r=radius, class_=f"node fill-{node.colour}"))
    return made
