"""What reading and keeping a page cost on their own, in this process."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.bench.replay import replay
from tests.bench.standard import bodies, crawl, requests_of, served


@dataclass(frozen=True, slots=True)
class Parts:
    """Milliseconds of CPU per page; seconds of each commit."""

    read_ms: float
    keep_ms: float
    pauses: tuple[float, ...]


@cache
def fetched(*, quick: bool) -> tuple[bytes, dict[str, bytes]]:
    """Give the seed's track and the pages of a smaller standard crawl."""
    people = 80 if quick else 200
    with served(people) as (server, folder):
        crawl(server, folder, folder / "t.db", people)
        pages = bodies(server, requests_of(folder / "t.db"))
        first = next(iter(pages)).rpartition("/")[0]
        return bodies(server, [first])[first], pages


@cache
def parts(*, quick: bool) -> Parts:
    """Replay several times."""
    seed_track, pages = fetched(quick=quick)
    found = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            found.append(replay(Path(folder) / "t.db", seed_track, pages))
    return Parts(
        read_ms=statistics.median(1000 * one.read / one.pages for one in found),
        keep_ms=statistics.median(1000 * one.keep / one.pages for one in found),
        pauses=tuple(pause for one in found for pause in one.pauses),
    )
