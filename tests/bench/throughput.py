"""d. Rows per second of a whole crawl without any limit. The simulator shares the machine."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.bench.line import Line, line_of
from tests.bench.standard import standard


def measure(*, quick: bool) -> Iterator[Line]:
    """Read it from the runs of line c."""
    found = standard(quick=quick)
    ours = [r.harvest_rows for r in found.rounds]
    floor = statistics.median(r.floor_rows for r in found.rounds)
    ratios = [r.harvest_rows / r.floor_rows for r in found.rounds]
    yield line_of(
        "d",
        "rows/s / floor",
        ratios,
        None,
        figure=f"{statistics.median(ours):,.0f} rows/s, floor {floor:,.0f}; {found.edges:,} likes from an empty file",
    )
