"""k. What it costs to keep the replies: CPU of a page, bytes per like; and to make the file again from them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.bench.child import harvest, run
from tests.bench.line import Line, line_of
from tests.bench.simulated import Simulated
from tests.bench.standard import counted, crawl, served


def measure(*, quick: bool) -> Iterator[Line]:
    """Crawl with and without, in turns; what the start of a process costs is taken off both."""
    people, rounds = (60, 3) if quick else (400, 7)
    with served(people) as (server, folder):
        crawl(server, folder, folder / "warm.db", people)
        costs = [
            (_cost(server, folder, people), _cost(server, folder, people, "--keep-replies")) for _ in range(rounds)
        ]
        pages, likes = counted(folder / "t.db")
        size = (folder / "t.replies.db").stat().st_size
        again = run(harvest("replay", str(folder / "t.replies.db"), "-o", str(folder / "again.db")), folder)
    without, keeping = (statistics.median(cost[i] for cost in costs) for i in (0, 1))
    yield line_of(
        "k",
        "CPU per page, replies kept / not",
        [kept / bare for bare, kept in costs],
        1.08,
        noise=0.1,
        figure=f"{keeping:.2f} ms, {without:.2f} ms; {pages:,} pages of 200",
    )
    yield Line("k", "bytes of replies per like", size / likes, 160.0, unit="B", figure=f"{size / 1e6:.1f} MB")
    yield Line(
        "k",
        "CPU per page replayed",
        1000 * again.cpu / pages,
        None,
        unit="ms",
        figure=f"{again.cpu:.1f} s, {again.wall:.1f} s wall; the start of the process included",
    )


def _cost(server: Simulated, folder: Path, people: int, *flags: str) -> float:
    """Crawl into a new file; give the milliseconds of CPU of a page."""
    for path in [*folder.glob("t.*"), *folder.glob("start.*")]:
        path.unlink()
    start = crawl(server, folder, folder / "start.db", 0, *flags)
    whole = crawl(server, folder, folder / "t.db", people, *flags)
    pages = counted(folder / "t.db")[0] - counted(folder / "start.db")[0]
    return 1000 * (whole.cpu - start.cpu) / pages
