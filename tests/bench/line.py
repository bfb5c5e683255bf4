"""One line of the table: a figure, its goal, how far it scatters, and whether it misses."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """A measured ratio. `goal` None: shown, not judged. `noise` is the part of the goal by which it may be off."""

    letter: str
    what: str
    value: float
    goal: float | None = None
    at_least: bool = False
    unit: str = "x"
    spread: tuple[float, float] | None = None
    noise: float = 0.0
    stretch: float | None = None
    figure: str = ""

    @property
    def missed(self) -> bool:
        """Whether the goal is missed by more than the noise."""
        if self.goal is None:
            return False
        allowed = self.goal * self.noise
        return self.value < self.goal - allowed if self.at_least else self.value > self.goal + allowed

    @property
    def verdict(self) -> str:
        """One word."""
        if self.goal is None:
            return ""
        if self.missed:
            return "MISSED"
        short = self.value < self.goal if self.at_least else self.value > self.goal
        if short:
            return "in noise"
        return "stretch" if self.stretch is not None and self.value <= self.stretch else "ok"

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {
            "line": self.letter,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "goal": self.goal,
            "better": "more" if self.at_least else "less",
            "spread": list(self.spread) if self.spread else None,
            "noise": self.noise,
            "stretch": self.stretch,
            "missed": self.missed,
            "figure": self.figure,
        }


def line_of(letter: str, what: str, values: Sequence[float], goal: float | None, **options: Any) -> Line:
    """Make a line of repeated measurements: their median, and their spread when there are several."""
    spread = (min(values), max(values)) if len(values) > 1 else None
    return Line(letter, what, statistics.median(values), goal, spread=spread, **options)


def told(line: Line) -> str:
    """Write one line as it comes in."""
    return " ".join(part for part in (f"{line.what}: {_number(line.value, line.unit)}", line.verdict) if part)


_HEAD = ("", "what", "value", "goal", "spread", "noise", "", "behind it")


def table(lines: Sequence[Line]) -> str:
    """Write the lines as one table in Markdown."""
    rows = [_HEAD, *(_cells(line) for line in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD) - 1)]
    written = []
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        written.append(f"| {' | '.join(cells)} | {row[-1]} |")
        if number == 0:
            written.append("|" + "|".join("-" * (width + 2) for width in widths) + "|---|")
    return "\n".join(written)


def _cells(line: Line) -> tuple[str, ...]:
    goal = ""
    if line.goal is not None:
        goal = f"{'>=' if line.at_least else '<='} {_number(line.goal, line.unit)}"
        goal += f" ({_number(line.stretch, line.unit)})" if line.stretch is not None else ""
    spread = " to ".join(_number(value, line.unit) for value in line.spread) if line.spread else ""
    noise = f"{line.noise:.0%}" if line.goal is not None else ""
    return line.letter, line.what, _number(line.value, line.unit), goal, spread, noise, line.verdict, line.figure


def _number(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.1%}"
    if unit == "x":
        return f"{value:.2f} x"
    return f"{value:,.{0 if value >= 20 or not unit else 2}f} {unit}".strip()
