"""c. CPU of a page of 200 likes against the floor, measured in turns; and which part of it goes where."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.bench.line import Line, line_of
from tests.bench.parts import parts
from tests.bench.standard import standard


def measure(*, quick: bool) -> Iterator[Line]:
    """Crawl by harvest and by the floor, one after the other, several times."""
    found = standard(quick=quick)
    ours = statistics.median(r.harvest_ms for r in found.rounds)
    floor = statistics.median(r.floor_ms for r in found.rounds)
    of_floor = {
        name: statistics.median(r.floor_parts[name] for r in found.rounds) for name in ("fetch", "read", "write")
    }
    inside = parts(quick=quick)
    asking = max(0.0, ours - inside.read_ms - inside.keep_ms)
    yield line_of(
        "c",
        "CPU per page of 200 / floor",
        [r.harvest_ms / r.floor_ms for r in found.rounds],
        1.6,
        stretch=1.4,
        noise=0.1,
        figure=f"{ours:.1f} ms (asking {asking:.1f}, reading {inside.read_ms:.1f}, keeping {inside.keep_ms:.1f}), floor"
        f" {floor:.1f} ms ({of_floor['fetch']:.1f}, {of_floor['read']:.1f}, {of_floor['write']:.1f})",
    )
    pauses = sorted(1000 * pause for pause in inside.pauses)
    middle, late, last = (pauses[int(share * (len(pauses) - 1))] for share in (0.5, 0.99, 1.0))
    yield Line(
        "c",
        "pause of a commit, 99 %",
        late,
        100.0,
        unit="ms",
        noise=0.2,
        figure=f"median {middle:.1f} ms, longest {last:.0f} ms; 100 ms lie between two requests at 10/s",
    )
