"""h. Questions to a large file: co-likes through `harvest sql`, `status`, `changes`, `verify`."""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.bench.child import harvest, run
from tests.bench.files import LARGE, LESS_LARGE, SMALL, copy_of, large_file
from tests.bench.large import POPULAR
from tests.bench.line import Line, line_of

_COLIKE = """
SELECT other.track_id, count(*) AS n
FROM user_engagements AS mine
JOIN user_engagements AS other ON other.user_id = mine.user_id AND other.track_id <> mine.track_id
WHERE mine.track_id = {track} AND mine.engagement_type = 'like' AND other.engagement_type = 'like'
GROUP BY other.track_id ORDER BY n DESC, other.track_id LIMIT 20
"""
_CHANGES = """
INSERT INTO changes (at, what, "table", ids, reason, page_id)
SELECT '2026-01-02T00:00:00Z', iif(track_id % 3, 'came', 'went'), 'user_engagements',
    json_object('user_id', user_id, 'track_id', track_id, 'engagement_type', engagement_type),
    iif(track_id % 3, NULL, 'withdrawn'), first_page_id
FROM user_engagements LIMIT ?
"""
_BARE = "import sqlite3, sys; [print(*row) for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2])]"


def measure(*, quick: bool) -> Iterator[Line]:
    """Ask each question several times, in turns with the bare SQL, less what it takes to start a process."""
    edges = LESS_LARGE if quick else LARGE
    path = large_file(edges)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for likers, track in sorted(POPULAR.items()):
            yield _colike(folder, path, likers, track, rounds=3 if quick else 7)
        status = [run(harvest("status", "--db", str(path)), folder) for _ in range(5)]
        yield line_of(
            "h",
            "status, CPU",
            [spent.cpu for spent in status],
            0.2,
            unit="s",
            noise=0.1,
            figure=f"{statistics.median(s.wall for s in status):.2f} s wall, at {edges:.0e}".replace("e+0", "e"),
        )
        yield _changes(folder, edges)
        yield _verify(folder, (SMALL * 2, LESS_LARGE) if quick else (LESS_LARGE, LARGE))


def _colike(folder: Path, path: Path, likers: int, track: int, *, rounds: int) -> Line:
    sql = " ".join(_COLIKE.format(track=track).split())
    commands = [make(path, what) for what in ("SELECT 1", sql) for make in (_bare, _through)]
    found = [[run(command, folder).cpu for command in commands] for _ in range(rounds)]
    starts = [statistics.median(one[i] for one in found) for i in (0, 1)]
    pairs = [(one[2] - starts[0], one[3] - starts[1]) for one in found]
    bare, through = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
    return line_of(
        "h",
        f"co-likes of {likers:,} likers / bare SQL",
        [ours / theirs for theirs, ours in pairs],
        1.3,
        noise=0.1,
        figure=f"CPU {through:.2f} s through `harvest sql`, {bare:.2f} s bare; to start they take {starts[1]:.2f} s and"
        f" {starts[0]:.2f} s more",
    )


def _changes(folder: Path, edges: int) -> Line:
    """Ask for the last ten of very many changes, less what a command takes that does nothing."""
    path, n = copy_of(edges, folder), edges // 10
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(_CHANGES, (n,))
    commands = [
        harvest("changes", "--since", str(since), *how, "--db", str(path))
        for since, how in ((n - 10, ["--json"]), (0, []))
    ]
    spent = [[run(command, folder) for command in (harvest("changes", "--help"), *commands)] for _ in range(5)]
    start, _, words = (statistics.median(one[i].cpu for one in spent) for i in range(3))
    return line_of(
        "h",
        "changes --since, CPU",
        [one[1].cpu - start for one in spent],
        0.2,
        unit="s",
        noise=0.1,
        figure=f"less the {start:.2f} s of a start; the page of words of all {n:,} takes {words - start:.2f} s",
    )


def _bare(path: Path, sql: str) -> list[str]:
    return [sys.executable, "-c", _BARE, str(path), sql]


def _through(path: Path, sql: str) -> list[str]:
    return harvest("sql", sql, "--db", str(path), "--format", "csv")


def _verify(folder: Path, sizes: tuple[int, int]) -> Line:
    """Compare the time per like of a small and a large file."""
    spent = [run(harvest("verify", "--db", str(large_file(edges))), folder) for edges in sizes]
    costs = [1e6 * one.cpu / edges for one, edges in zip(spent, sizes, strict=True)]
    return Line(
        "h",
        f"verify, time per like at {sizes[1]:.0e} / {sizes[0]:.0e}".replace("e+0", "e"),
        costs[1] / costs[0],
        1.5,
        noise=0.1,
        figure=f"{spent[1].wall:.0f} s; {costs[1]:.1f} and {costs[0]:.1f} us of CPU per like",
    )
