"""e. What it costs that every page is a commit of its own, and what it would cost to wait for the disk each time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.line import Line, line_of
from tests.bench.parts import fetched
from tests.bench.replay import Replayed, replay


def measure(*, quick: bool) -> Iterator[Line]:
    """Keep the same pages in three ways, in turns. The second line is wall time: it is about waiting for the disk."""
    seed_track, pages = fetched(quick=quick)

    def once(synchronous: str, pages_per_commit: int) -> Replayed:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.db"
            return replay(path, seed_track, pages, synchronous=synchronous, pages_per_commit=pages_per_commit)

    rounds = [(once("NORMAL", 1), once("NORMAL", 10), once("FULL", 1)) for _ in range(3 if quick else 7)]
    each, ten, full = (min((r[i] for r in rounds), key=lambda one: one.wall) for i in range(3))
    yield line_of(
        "e",
        "commit per page / per ten",
        [one.keep / together.keep for one, together, _ in rounds],
        1.5,
        noise=0.15,
        figure=f"CPU; {_per_page(each)} against {_per_page(ten)}",
    )
    yield line_of(
        "e",
        "synchronous FULL / NORMAL",
        [full.wall / each.wall],
        1.25,
        noise=0.15,
        figure=f"best of {len(rounds)}: {_per_page(full)} against {_per_page(each)}; NORMAL is what harvest uses",
    )


def _per_page(found: Replayed) -> str:
    return f"{1000 * found.wall / found.pages:.1f} ms ({1000 * found.keep / found.pages:.1f} CPU)"
