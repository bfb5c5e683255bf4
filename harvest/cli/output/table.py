"""Lay rows out under each other, the same on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDEST = 10_000  # columns: nothing is cut


def table(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> Iterator[str]:
    """Give a line of each row, its cells two spaces in and two apart; columns of numbers stand to the `right`."""
    grid = Table(box=None, show_header=False, padding=(0, 0, 0, 2))
    for place in range(len(rows[0])):
        grid.add_column(justify="right" if place in right else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*map(Text, row))
    for line in Console(width=_WIDEST).render_lines(grid, pad=False):
        yield "".join(segment.text for segment in line).rstrip()
