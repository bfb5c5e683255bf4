"""Pictures beside the answers of named queries, where people would rather look than read. Pure.

In: the columns and rows of an answer. Out: what stands in the picture, its title, what it shows in words, and its key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvest.report.pictures import Drawing, stacked
from harvest.report.svg import Element, el
from harvest.report.texts import shown

_WIDE, _HIGH = 1000.0, 180.0
_LABELS = 6  # of days below the bars


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its title, its description, and what its colours stand for (class, words)."""

    title: str
    told: str
    drawing: Drawing
    key: list[tuple[str, str]]


def drawn(query: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Picture | None:
    """Draw the answer of a query that is better looked at; None for any other, and for an empty one."""
    draw = _DRAWN.get(query)
    return draw([dict(zip(columns, row, strict=True)) for row in rows]) if draw and rows else None


def _overlap(rows: Sequence[Mapping[str, Any]]) -> Picture | None:
    """Draw what one person likes, what both like, and what the other likes, in one bar."""
    row = rows[0]
    both = row["in_common"]
    one, other = row["likes"] - both, row["other_likes"] - both
    if not one + both + other:
        return None
    names = shown(row["username"], 40), shown(row["other"], 40)
    parts = [(one, "group2", f"only {names[0]}"), (both, "here", "both"), (other, "group3", f"only {names[1]}")]
    return Picture(
        "Tracks that one, both or the other likes",
        ", ".join(f"{words}: {n:,}" for n, _, words in parts),
        stacked([(n, colour) for n, colour, _ in parts if n]),
        [(colour, f"{words}: {n:,}") for n, colour, words in parts],
    )


def _growth(rows: Sequence[Mapping[str, Any]]) -> Picture | None:
    """Draw what each day brought as a bar, and what had come by then as a line."""
    most, whole = max(row["kept"] for row in rows), rows[-1]["kept_so_far"]
    if not most:
        return None
    wide = min(_WIDE / len(rows), 80.0)
    shapes: list[Element] = [el("line", x1=0, y1=_HIGH, x2=_WIDE, y2=_HIGH, class_="thin")]
    points = []
    every = -(-len(rows) // _LABELS)
    for place, row in enumerate(rows):
        left, high = place * wide, _HIGH * row["kept"] / most
        shapes.append(el("rect", x=left, y=_HIGH - high, width=max(wide - 2, 1.0), height=high, class_="fill-here"))
        points.append(f"{left + wide / 2:.1f},{_HIGH - _HIGH * row['kept_so_far'] / whole:.1f}")
        if place % every == 0:
            shapes.append(el("text", str(row["day"]), x=left, y=_HIGH + 20, class_="tick"))
    if len(points) > 1:
        shapes.append(el("polyline", points=" ".join(points), class_="curve stroke-there"))
    return Picture(
        "What each day brought",
        f"{len(rows):,} days from {rows[0]['day']} to {rows[-1]['day']}; at most {most:,} entries on one day,"
        f" {whole:,} in all.",
        Drawing(f"0 -4 {_WIDE:.0f} {_HIGH + 30:.0f}", "growth", shapes),
        [("here square", f"new entries of a day, up to {most:,}"), ("there line", f"all so far, up to {whole:,}")][
            : 1 + (len(rows) > 1)
        ],
    )


_DRAWN = {"taste-overlap": _overlap, "growth-by-day": _growth}
