"""The standard crawl: full pages of 200 likes, a third of the tracks new; by harvest and by the floor, side by side.

Lines c and d read from the same runs. What the start of a process costs is measured by a crawl that follows nobody, and
taken off.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.child import ROOT, Spent, harvest, run
from tests.bench.simulated import Simulated, simulated

LIKES = 400  # of everybody: two full pages


def world(people: int) -> dict[str, Any]:
    """Describe a world where everybody has more likes than the cap, one like in three of a track of its own."""
    return {
        "seed": 5,
        "users": people * 5 // 4,
        "tracks": people * 175,
        "likes_per_user": 500,
        "seed_likers": people,
        "seed_reposters": 10,
        "spread": 0,
        "gone": 0,
        "forbidden": 0,
    }


def crawl(server: Simulated, folder: Path, path: Path, people: int, *flags: str) -> Spent:
    """Run the real command line to its end."""
    limits = ("--max-users", str(people), "--max-user-likes", str(LIKES))
    command = harvest(server.seed_url, "--db", str(path), *limits, "--delay", "0", "-q", "--json", *flags)
    return run(command, folder, server.url)


def counted(path: Path) -> tuple[int, int]:
    """Give how many pages and edges a file holds."""
    with sqlite3.connect(path) as connection:
        pages, edges = connection.execute("SELECT pages, likes + reposts FROM totals").fetchone()
    connection.close()
    return int(pages), int(edges)


def requests_of(path: Path) -> list[str]:
    """Give what a crawl asked, list pages only, in its order."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT p.request FROM pages AS p JOIN tasks AS t ON t.id = p.task_id"
            " WHERE t.kind NOT IN ('resolve', 'lookup') ORDER BY p.id"
        ).fetchall()
    connection.close()
    return [str(row[0]) for row in rows]


@dataclass
class Round:
    """Harvest and floor, once each; milliseconds of CPU per page, rows per second."""

    harvest_ms: float
    floor_ms: float
    harvest_rows: float
    floor_rows: float
    floor_parts: dict[str, float]


@dataclass
class Standard:
    """All rounds, and what is left of them."""

    rounds: list[Round] = field(default_factory=list)
    pages: int = 0
    edges: int = 0
    bytes_per_edge: float | None = None
    pages_of: list[str] = field(default_factory=list)


@cache
def standard(*, quick: bool) -> Standard:
    """Run it."""
    people, rounds = (100, 3) if quick else (400, 5)
    found = Standard()
    with served(people) as (server, folder):
        crawl(server, folder, folder / "warm.db", people)  # the simulator computes each page once
        for number in range(rounds):
            found.rounds.append(_round(server, folder, people, number, found))
    return found


@contextmanager
def served(people: int) -> Iterator[tuple[Simulated, Path]]:
    """Serve the world, with a folder to work in."""
    with tempfile.TemporaryDirectory() as folder, simulated(world(people)) as server:
        yield server, Path(folder)


def _round(server: Simulated, folder: Path, people: int, number: int, found: Standard) -> Round:
    start = crawl(server, folder, folder / f"start-{number}.db", 0)
    whole = crawl(server, folder, folder / f"whole-{number}.db", people)
    few, few_edges = counted(folder / f"start-{number}.db")
    path = folder / f"whole-{number}.db"
    found.pages, found.edges = counted(path)
    found.pages_of = requests_of(path)
    found.bytes_per_edge = bytes_per_edge(path)
    floor = run_floor(server, folder, requests_of(path))
    pages, edges = found.pages - few, found.edges - few_edges
    return Round(
        harvest_ms=1000 * (whole.cpu - start.cpu) / pages,
        floor_ms=1000 * floor["cpu"] / floor["pages"],
        harvest_rows=edges / (whole.wall - start.wall),
        floor_rows=floor["rows"] / floor["wall"],
        floor_parts={name: floor[name] for name in ("fetch", "read", "write")},
    )


def run_floor(server: Simulated, folder: Path, requests: list[str], program: str = "floor.py") -> dict[str, float]:
    """Let the floor, or another program, ask for the same pages."""
    asked, out = folder / "requests.txt", folder / "floor.db"
    asked.write_text("\n".join(requests))
    for ending in ("", "-wal", "-shm"):
        out.with_name(out.name + ending).unlink(missing_ok=True)
    command = [sys.executable, str(ROOT / "tests" / "bench" / program), server.url, server.token()]
    told = run([*command, str(asked), str(out)], folder)
    parts: dict[str, float] = json.loads(told.out.splitlines()[-1])
    return parts


def bodies(server: Simulated, requests: list[str]) -> dict[str, bytes]:
    """Fetch pages, to work on them without a network."""
    connection = HTTPConnection(urlsplit(server.url).netloc)
    found = {}
    for request in requests:
        connection.request("GET", request, headers={"Authorization": f"OAuth {server.token()}"})
        found[request] = connection.getresponse().read()
    connection.close()
    return found


def bytes_per_edge(path: Path) -> float | None:
    """Give what a like takes on disk in both directions, with ranks and page; None where SQLite cannot tell."""
    connection = sqlite3.connect(path)
    try:
        (edges,) = connection.execute("SELECT count(*) FROM user_engagements").fetchone()
        (size,) = connection.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name IN ('engagements', 'engagements_by_track', 'engagements_listed')"
        ).fetchone()
        return float(size) / int(edges)
    except sqlite3.OperationalError:  # a SQLite without dbstat
        return None
    finally:
        connection.close()
