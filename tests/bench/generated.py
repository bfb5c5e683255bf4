"""Write a large harvest file without crawling: likes drawn from a power law, everything else as a crawl leaves it.

    python tests/bench/generated.py OUT.db --edges 5000000

or `generate(path, edges=...)` from another script. The same numbers give the same file. One seed that everybody likes;
people with 250 likes on average; ten likes per track on average; lists three times as long as the average are `capped`
there, every twentieth is `short`, the others are `complete`. Needs numpy (extra `analysis`).
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

from harvest.models import Limits  # noqa: E402
from harvest.rules import recipe  # noqa: E402
from harvest.store.database import open_for_crawl  # noqa: E402
from harvest.store.schema import apply_schema  # noqa: E402

SEED_TRACK = 1_000_000  # the first and most liked track
_SEED_ADDRESS = "https://soundcloud.com/a/hit"
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
        cap = max(3 * edges // people, 1)
        _write_who_and_what(connection, people, tracks, cap)
        _write_lists(connection, people)
        connection.executemany(
            "INSERT INTO engagements (user_id, track_id, is_repost, user_list_rank, track_list_rank, first_page_id)"
            " VALUES (?, ?, 0, ?, ?, ?)",
            _likes(chance, edges, people, tracks, cap),
        )
        _close_the_books(connection, cap)
        connection.execute(counted)
    connection.execute("PRAGMA optimize")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _write_who_and_what(connection: sqlite3.Connection, people: int, tracks: int, cap: int) -> None:
    connection.execute(
        "INSERT INTO runs (id, started_at, version, api_url, credential_kind) VALUES (1, ?, '0', 'generated', 'none')",
        (_DAY,),
    )
    limits = Limits(max_users=people, max_listed=people, max_user_likes=cap)
    connection.execute(
        "INSERT INTO seeds (id, address, thing, thing_id, resolved_at) VALUES (1, ?, 'track', ?, ?)",
        (_SEED_ADDRESS, SEED_TRACK, _DAY),
    )
    connection.execute(
        "INSERT INTO harvests (id, seed_url, seed_kind, seed_id, options, last_options, state, round, started_at,"
        " finished_at) VALUES (1, ?, 'track', ?, ?, ?, 'drained', 1, ?, ?)",
        (_SEED_ADDRESS, SEED_TRACK, limits.dump(), limits.dump(), _DAY, _DAY),
    )
    connection.execute("INSERT INTO harvest_seeds VALUES (1, 1, 0)")
    connection.executemany(
        "INSERT INTO recipes VALUES (1, ?, ?, ?, ?, ?)",
        [(line.kind.name, line.kind.subject, line.reach, turn, line.cap) for turn, line in enumerate(recipe(limits))],
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
    """Those of the seed, then one of likes per person, with their visits; what they brought comes with
    `_close_the_books`.
    """
    tasks = "INSERT INTO tasks (id, kind, subject_id, outcome, collected, pages_read)"
    connection.execute(f"{tasks} VALUES (1, 'resolve', 1, 'complete', 1, 1)")
    connection.execute("UPDATE seeds SET task_id = 1")
    for number, kind in ((2, "track_likers"), (3, "track_reposters")):
        connection.execute(f"{tasks} VALUES (?, ?, ?, 'complete', 0, 1)", (number, kind, SEED_TRACK))
    series = "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ? - 1) "
    connection.execute(f"{series} {tasks} SELECT 4 + n, 'user_likes', 10 + 3 * n, 'complete', 0, 1 FROM s", (people,))
    visits = "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place, chance, parent_task_id)"
    connection.execute(f"{visits} VALUES (1, 'track', ?, 0, 0, 0, NULL, 1)", (SEED_TRACK,))
    connection.execute(f"{series} {visits} SELECT 1, 'user', 10 + 3 * n, 1, 1, n, 1.0, 2 FROM s", (people,))
    connection.execute(
        "INSERT INTO pages (id, task_id, reading, number, run_id, request, first_rank, received, skipped, kept,"
        " fetched_at, elapsed_ms, bytes) SELECT id, id, 0, 0, 1, 'GET /', 0, 0, 0, 0, ?, 1, 1 FROM tasks",
        (_DAY,),
    )
    connection.execute(
        "INSERT INTO rounds SELECT 1, n, max(id), ? FROM pages, (SELECT 0 AS n UNION SELECT 1) GROUP BY n", (_DAY,)
    )


def _likes(chance: np.random.Generator, edges: int, people: int, tracks: int, cap: int) -> Iterator[tuple[int, ...]]:
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
        rank = np.lexsort((chance.random(len(pairs)) * (what > 0), who))  # any order within each person, the seed first
        place = np.empty(len(pairs), np.int64)
        place[rank] = np.arange(len(pairs)) - np.searchsorted(who, who[rank])
        kept = place < cap
        for u, t, r in zip(who[kept].tolist(), what[kept].tolist(), place[kept].tolist(), strict=True):
            yield 10 + 3 * u, SEED_TRACK + 7 * t, r, u if t == 0 else None, 4 + u  # type: ignore[misc]


class _Popularity:
    """Draws tracks from a power law."""

    def __init__(self, chance: np.random.Generator, tracks: int) -> None:
        weights = 1.0 / (np.arange(tracks) + 10.0) ** _POPULARITY
        self._chance, self._below = chance, np.cumsum(weights / weights.sum())

    def __call__(self, n: int) -> np.ndarray:
        return np.minimum(np.searchsorted(self._below, self._chance.random(n)), len(self._below) - 1)


def _close_the_books(connection: sqlite3.Connection, cap: int) -> None:
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
        "UPDATE tasks SET outcome = CASE WHEN collected >= ? THEN 'capped' WHEN id % 20 = 5 THEN 'short'"
        " ELSE outcome END WHERE kind = 'user_likes'",
        (cap,),
    )
    connection.execute(
        "UPDATE tasks SET claimed = CASE outcome WHEN 'complete' THEN collected ELSE 2 * collected + 3 END"
        " WHERE kind NOT IN ('resolve', 'lookup')"
    )
    connection.execute(
        "UPDATE visits SET claims = json_object('user_likes', t.claimed) FROM tasks AS t"
        " WHERE visits.thing = 'user' AND t.kind = 'user_likes' AND t.subject_id = visits.thing_id"
    )
    connection.execute(
        "INSERT INTO readings (task_id, number, kind, state, outcome, claimed, claimed_at, collected, pages_read,"
        " barren, attempts, ended_at)"
        " SELECT id, 0, kind, 'ended', outcome, claimed, ?, collected, 1, collected = 0, 1, ? FROM tasks",
        (_DAY, _DAY),
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
