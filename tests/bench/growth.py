"""f. What grows with the file: CPU per page, peak memory, bytes per like."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.files import LARGE, LESS_LARGE, SMALL, copy_of, large_file
from tests.bench.line import Line, line_of
from tests.bench.simulated import Simulated
from tests.bench.standard import bytes_per_edge, counted, crawl, served

_FEW = 5


def measure(*, quick: bool) -> Iterator[Line]:
    """Crawl the same into a small and into a large file, in turns."""
    large = LESS_LARGE if quick else LARGE
    people, rounds = (60, 2) if quick else (150, 3)
    found: dict[int, list[tuple[float, float]]] = {SMALL: [], large: []}
    with served(people) as (server, folder):
        crawl(server, folder, folder / "warm.db", people)
        from_nothing = bytes_per_edge(folder / "warm.db")
        for _ in range(rounds):
            for edges, costs in found.items():
                costs.append(_cost(server, edges, people))
    cpu = {edges: statistics.median(cost for cost, _ in costs) for edges, costs in found.items()}
    peak = {edges: max(mb for _, mb in costs) for edges, costs in found.items()}
    yield line_of(
        "f",
        f"CPU per page at {large:.0e} / 1e5".replace("e+0", "e"),
        [after[0] / before[0] for before, after in zip(found[SMALL], found[large], strict=True)],
        1.35,
        stretch=1.1,
        noise=0.1,
        figure=f"{cpu[large]:.1f} ms, {cpu[SMALL]:.1f} ms",
    )
    yield Line("f", "peak memory", peak[large], 160.0, unit="MB", noise=0.05, figure="the crawling process")
    more = peak[large] - peak[SMALL]
    yield Line("f", "more than at 1e5", more, 60.0, unit="MB", noise=0.05, figure=f"{peak[SMALL]:.0f} MB there")
    if from_nothing is not None:
        generated = bytes_per_edge(large_file(large))
        yield Line(
            "f",
            "bytes per like",
            from_nothing,
            55.0,
            stretch=45.0,
            unit="B",
            noise=0.02,
            figure=f"crawled into an empty file; {generated or 0:.1f} in the generated one; ranks and page included",
        )


def _cost(server: Simulated, edges: int, people: int) -> tuple[float, float]:
    """Give CPU milliseconds per page, and the peak; the start is measured by a crawl of few."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = copy_of(edges, folder)
        before, _ = counted(path)
        start = crawl(server, folder, path, _FEW)
        between, _ = counted(path)
        path.unlink()
        whole = crawl(server, folder, copy_of(edges, folder), people)
        after, _ = counted(path)
    return 1000 * (whole.cpu - start.cpu) / ((after - before) - (between - before)), whole.peak_mb
