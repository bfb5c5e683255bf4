"""Write a large harvest file without crawling: likes drawn from a power law, everything else as a crawl leaves it.

    python tests/bench/generated.py OUT.db --edges 5000000

or `generate(path, edges=...)` from another script. The same numbers give the same file. One seed that everybody likes;
people with 250 likes on average, at most 1,000; ten likes per track on average; of twenty lists, 18 are `complete`, one
is `capped` and one `short`. Needs numpy (extra `analysis`).
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from harvest.store.database import apply_schema, open_for_crawl  # noqa: E402

SEED_TRACK = 1_000_000  # the first and most liked track
_LIKES_EACH = 250
_MOST_LIKES = 1000
_LIKES_PER_TRACK = 10
_PEOPLE_AT_ONCE = 2_000
_POPULARITY = 0.75  # the n-th track is liked in proportion to 1 / n ** 0.75
_DAY = "2026-01-01T00:00:00Z"


def generate(path: Path, edges: int, *, people: int | None = None, tracks: int | None = None, seed: int = 1) -> None:
    """Write a file with about so many likes; `path` must not exist yet."""
    people = people or max(edges // _LIKES_EACH, 2)
    tracks = tracks or max(edges // _LIKES_PER_TRACK, 10)
    chance = np.random.default_rng(seed)
    db = open_for_crawl(path)
    connection: sqlite3.Connection = db.conn
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    with db.atomic():
        apply_schema(db)
        counted = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'engagements_counted'").fetchone()[0]
        connection.execute("DROP TRIGGER engagements_counted")  # millions of times, for nothing
        _write_who_and_what(connection, people, tracks)
        _write_lists(connection, people)
        connection.executemany(
            "INSERT INTO user_engagements (user_id, track_id, engagement_type, user_list_rank, track_list_rank,"
            " first_page_id) VALUES (?, ?, 'like', ?, ?, ?)",
            _likes(chance, edges, people, tracks),
        )
        _close_the_books(connection)
        connection.execute(counted)
    connection.execute("PRAGMA optimize")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _write_who_and_what(connection: sqlite3.Connection, people: int, tracks: int) -> None:
    connection.execute(
        "INSERT INTO runs (id, started_at, version, api_url, credential_kind) VALUES (1, ?, '0', 'generated', 'none')",
        (_DAY,),
    )
    connection.execute(
        "INSERT INTO harvests (id, seed_url, seed_id, options, state, started_at, last_run_id)"
        " VALUES (1, 'https://soundcloud.com/a/hit', ?, ?, 'drained', ?, 1)",
        (SEED_TRACK, f'{{"max_users": {people}, "max_user_likes": {_MOST_LIKES}}}', _DAY),
    )
    series = "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ? - 1) "
    connection.execute(
        series + "INSERT INTO users (id, username, permalink_url, seen_as, first_seen_at, last_seen_on)"
        " SELECT 10 + 3 * n, 'Person ' || n, 'https://soundcloud.com/person-' || n, 'list', ?, ? FROM s",
        (people, _DAY, _DAY[:10]),
    )
    connection.execute(
        series + "INSERT INTO tracks (id, uploader_id, title, permalink_url, likes_count, seen_as, first_seen_at,"
        " last_seen_on) SELECT ? + 7 * n, 10 + 3 * (n * 31 % ?), 'Track ' || n,"
        " 'https://soundcloud.com/a/track-' || n, 10 + 5000000 / (n + 10), 'list', ?, ? FROM s",
        (tracks, SEED_TRACK, people, _DAY, _DAY[:10]),
    )


def _write_lists(connection: sqlite3.Connection, people: int) -> None:
    """Those of the seed, then one of likes per person; pages come with `_close_the_books`."""
    tasks = "INSERT INTO tasks (id, kind, subject_id, state, outcome, collected, pages_read, ended_at)"
    connection.execute(f"{tasks} VALUES (1, 'resolve', 1, 'ended', 'complete', 0, 1, ?)", (_DAY,))
    for number, kind in ((2, "track_likers"), (3, "track_reposters")):
        connection.execute(f"{tasks} VALUES (?, ?, ?, 'ended', 'complete', 0, 1, ?)", (number, kind, SEED_TRACK, _DAY))
    connection.execute(
        "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ? - 1) "
        f"{tasks} SELECT 4 + n, 'user_likes', 10 + 3 * n, 'ended',"
        " CASE n % 20 WHEN 0 THEN 'capped' WHEN 1 THEN 'short' ELSE 'complete' END, 0, 1, ? FROM s",
        (people, _DAY),
    )
    connection.execute(
        "INSERT INTO harvest_tasks (harvest_id, task_id, depth, parent_task_id, cap, listed_rank)"
        " SELECT 1, id, CASE kind WHEN 'resolve' THEN 0 ELSE 1 END,"
        " CASE kind WHEN 'user_likes' THEN 2 WHEN 'resolve' THEN NULL ELSE 1 END, 1000, id FROM tasks"
    )
    connection.execute(
        "INSERT INTO pages (id, task_id, reading, number, run_id, request, first_rank, received, skipped, kept,"
        " fetched_at, elapsed_ms, bytes) SELECT id, id, 0, 0, 1, 'GET /', 0, 0, 0, 0, ?, 1, 1 FROM tasks",
        (_DAY,),
    )


def _likes(chance: np.random.Generator, edges: int, people: int, tracks: int) -> Iterator[tuple[int, ...]]:
    """Yield rows of user, track, rank in the user's list, rank in the track's (the seed's only), page."""
    draw = _Popularity(chance, tracks)
    sizes = chance.lognormal(0.0, 0.8, people)
    sizes = np.clip(sizes * edges / sizes.sum(), 1, _MOST_LIKES).astype(np.int64)
    for first in range(0, people, _PEOPLE_AT_ONCE):
        each = sizes[first : first + _PEOPLE_AT_ONCE]
        who = np.repeat(np.arange(first, first + len(each)), each)
        pairs = np.unique(who * tracks + draw(len(who)))
        pairs = np.union1d(pairs, np.arange(first, first + len(each)) * tracks)  # everybody likes the seed
        who, what = np.divmod(pairs, tracks)
        rank = np.lexsort((chance.random(len(pairs)), who))  # any order, within each person
        place = np.empty(len(pairs), np.int64)
        place[rank] = np.arange(len(pairs)) - np.searchsorted(who, who[rank])
        for u, t, r in zip(who.tolist(), what.tolist(), place.tolist(), strict=True):
            yield 10 + 3 * u, SEED_TRACK + 7 * t, r, u if t == 0 else None, 4 + u  # type: ignore[misc]


class _Popularity:
    """Draws tracks from a power law."""

    def __init__(self, chance: np.random.Generator, tracks: int) -> None:
        weights = 1.0 / (np.arange(tracks) + 10.0) ** _POPULARITY
        self._chance, self._below = chance, np.cumsum(weights / weights.sum())

    def __call__(self, n: int) -> np.ndarray:
        return np.minimum(np.searchsorted(self._below, self._chance.random(n)), len(self._below) - 1)


def _close_the_books(connection: sqlite3.Connection) -> None:
    """Let the ledger and the pages say what the rows say."""
    connection.execute(
        "UPDATE tasks SET collected = (SELECT count(*) FROM user_engagements AS e WHERE e.user_id = subject_id)"
        " WHERE kind = 'user_likes'"
    )
    connection.execute(
        "UPDATE tasks SET collected = (SELECT count(*) FROM user_engagements WHERE track_list_rank IS NOT NULL)"
        " WHERE kind = 'track_likers'"
    )
    connection.execute(
        "UPDATE harvest_tasks SET cap = t.collected FROM tasks AS t WHERE t.id = task_id AND t.outcome = 'capped'"
    )
    connection.execute(
        "UPDATE pages SET (received, kept) = (SELECT collected, collected FROM tasks WHERE tasks.id = task_id)"
    )
    connection.execute("INSERT INTO run_requests SELECT 1, 200, count(*) FROM pages")
    connection.execute("UPDATE totals SET likes = (SELECT count(*) FROM user_engagements)")


def main() -> None:
    """Write a file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--edges", type=int, default=5_000_000)
    parser.add_argument("--people", type=int)
    parser.add_argument("--tracks", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.perf_counter()
    generate(arguments.out, arguments.edges, people=arguments.people, tracks=arguments.tracks, seed=arguments.seed)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {size:,.0f} MB in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
