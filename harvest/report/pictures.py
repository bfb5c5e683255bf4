"""Draw as SVG: bars of shares, and curves. Pure.

Titles and descriptions stand in the templates. Colours are CSS variables by class, so that the theme decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harvest.report.curves import LogAxis, axis_down_to, axis_up_to, steps
from harvest.report.svg import Element, el
from harvest.report.texts import share


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
    x = axis_up_to(max(line.points[-1][0] for line in lines), 64, 466)
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
        made.append(
            el("text", share(10.0**exponent, 1.0).replace(".0%", "%"), x=x.start - 6, y=at + 4, class_="tick end")
        )
    return made
