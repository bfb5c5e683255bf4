"""k. What it costs to keep the replies: CPU of a page, bytes per like; and to make the file again from them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.bench.child import harvest, run
from tests.bench.line import Line, line_of
from tests.bench.simulated import Simulated
from tests.bench.standard import counted, crawl, requests_of, run_floor, served


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
        requests = requests_of(folder / "t.db")
        turns = [(_replay(folder), run_floor(server, folder, requests, "appender.py")) for _ in range(rounds)]
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
    again = statistics.median(spent for spent, _ in turns)
    yield Line("k", "CPU per page replayed", again, None, unit="ms", figure="without the start of the process")
    parts = [statistics.median(appended[name] for _, appended in turns) for name in ("fetch", "read", "write")]
    yield line_of(
        "k",
        "rows per CPU second, replayed / appended as JSON lines",
        [1000 * appended["cpu"] / appended["pages"] / spent for spent, appended in turns],
        1.2,
        at_least=True,
        noise=0.1,
        figure=f"{again:.2f} ms a page; the appender {sum(parts):.2f} ms"
        f" (fetching {parts[0]:.2f}, reading {parts[1]:.2f}, writing {parts[2]:.2f})",
    )


def _replay(folder: Path) -> float:
    """Make the file again, and that of a crawl that follows nobody; give the milliseconds of CPU of a page."""
    spent = []
    for name in ("start", "t"):
        for path in folder.glob("again.*"):
            path.unlink()
        replies = folder / f"{name}.replies.db"
        spent.append(run(harvest("replay", str(replies), "-o", str(folder / "again.db")), folder).cpu)
    pages = counted(folder / "t.db")[0] - counted(folder / "start.db")[0]
    return 1000 * (spent[1] - spent[0]) / pages


def _cost(server: Simulated, folder: Path, people: int, *flags: str) -> float:
    """Crawl into a new file; give the milliseconds of CPU of a page."""
    for path in [*folder.glob("t.*"), *folder.glob("start.*")]:
        path.unlink()
    start = crawl(server, folder, folder / "start.db", 0, *flags)
    whole = crawl(server, folder, folder / "t.db", people, *flags)
    pages = counted(folder / "t.db")[0] - counted(folder / "start.db")[0]
    return 1000 * (whole.cpu - start.cpu) / pages
