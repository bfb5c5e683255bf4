"""Make large files, by SQL instead of by crawling: people with 400 likes each, spread as a crawl would leave them.

Ids are scattered over the range the simulator uses, so that what is crawled into such a file falls in between. The
second half of the likes is written with the index in place, which leaves it as loosely packed as a crawl does. A tenth
of the lists is still open. Everybody likes the seed, whose list of likers named them. Track `POPULAR[n]` has exactly n
likers, everything else an equal share.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harvest.store.database import open_for_crawl
from harvest.store.schema import apply_schema
from harvest.verify.pages import asks

EACH = 400  # likes of every person
PER_TRACK = 20  # on average
SEED = 999
POPULAR = {10_000: 1_000, 1_000: 1_001}  # so many likers: the track
_PAGES = EACH // 200
_TWIN = 1_640_531_527  # odd, so multiplying by it puts every number below 2^31 in a place of its own
_SERIES = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) "
_MOMENT, _DAY = "'2026-01-01T00:00:00Z'", "'2026-01-01'"

_BEGIN = (
    "INSERT INTO runs (started_at, ended_at, version, options, api_url, credential_kind, stop_reason)"
    f""" VALUES ({_MOMENT}, {_MOMENT}, '0', '{{"delay": 0.0}}', 'http://127.0.0.1:1', 'x', 'interrupted')""",
    "INSERT INTO seeds (address, thing, thing_id, resolved_at)"
    f" VALUES ('https://soundcloud.com/a/b', 'track', {SEED}, {_MOMENT})",
    "INSERT INTO harvests (seed_url, seed_kind, seed_id, options, state, round, started_at) VALUES"
    f""" ('https://soundcloud.com/a/b', 'track', {SEED}, '{{"max_users": 100000}}', 'paused', 1, {_MOMENT})""",
    "INSERT INTO harvest_seeds VALUES (1, 1, 0)",
    "INSERT INTO recipes VALUES (1, 'track_likers', 'track', 0, 0, 1000000), (1, 'user_likes', 'user', 0, 1, 500)",
)


def _scattered(number: str) -> str:
    return f"(2000 + ({number}) * {_TWIN} % 2147483648)"


def _track(number: str) -> str:
    """Write which id the n-th track has; the popular ones have small ids of their own."""
    return f"iif({number} < {len(POPULAR)}, 1000 + {number}, {_scattered(number)})"


def _asked(person: str) -> str:
    """Write what the list of the n-th person is asked with first."""
    return (
        f"'/users/soundcloud:users:' || {_scattered(person)} || '/likes/tracks?limit=200&linked_partitioning=true"
        "&access=playable,preview,blocked'"
    )


def _cursor(person: str, pages: str) -> str:
    """Write where the list of the n-th person goes on after so many pages."""
    return f"{_asked(person)} || '&cursor=' || hex(zeroblob(20)) || ({pages})"


def generate(path: Path, edges: int) -> None:
    """Write a file of so many likes."""
    people, tracks = edges // EACH, max(2 * EACH, edges // PER_TRACK)
    db = open_for_crawl(path)
    connection: sqlite3.Connection = db.conn
    for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -1000000"):
        connection.execute(f"PRAGMA {pragma}")
    with db.atomic():
        apply_schema(db)
    with db.atomic(), _uncounted(connection):
        for statement in _BEGIN:
            connection.execute(statement)
        _fill_nodes(connection, people, tracks)
        _fill_ledger(connection, people)
        _fill_seed(connection, people)
        (index,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'engagements_by_track'").fetchone()
        connection.execute("DROP INDEX engagements_by_track")
        _fill_edges(connection, 1, people // 2, tracks)
        connection.execute(index)
        _fill_edges(connection, people // 2 + 1, people, tracks)
        connection.create_function("asks", 1, asks, deterministic=True)
        connection.execute("UPDATE pages SET asks = asks(request)")
        connection.execute("INSERT INTO run_requests SELECT 1, 200, count(*) FROM pages UNION ALL SELECT 1, 429, 10")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@contextmanager
def _uncounted(connection: sqlite3.Connection) -> Iterator[None]:
    """Put the triggers away, and count once instead of a million times."""
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        connection.execute(sql)
    connection.execute(
        "UPDATE totals SET users = (SELECT count(*) FROM users), tracks = (SELECT count(*) FROM tracks),"
        " likes = (SELECT count(*) FROM user_engagements), pages = (SELECT count(*) FROM pages)"
    )


def _fill_nodes(connection: sqlite3.Connection, people: int, tracks: int) -> None:
    connection.execute(
        _SERIES.format(people) + "INSERT INTO users (id, username, permalink_url, seen_as, status, first_seen_at,"
        f" last_seen_on) SELECT {_scattered('n')}, 'user ' || n, 'https://soundcloud.com/user-' || n, 'list', 'ok',"
        f" {_MOMENT}, {_DAY} FROM s ORDER BY 1"
    )
    connection.execute(
        _SERIES.format(tracks) + "INSERT INTO tracks (id, uploader_id, title, permalink_url, genre, description,"
        f" seen_as, status, first_seen_at, last_seen_on) SELECT {_track('n - 1')}, {_scattered(f'1 + n % {people}')},"
        " 'track ' || n, 'https://soundcloud.com/user/track-' || n, 'genre ' || n % 300, hex(zeroblob(100)), 'list',"
        f" 'ok', {_MOMENT}, {_DAY} FROM s ORDER BY 1"
    )
    connection.execute(
        "INSERT INTO tracks (id, title, permalink_url, seen_as, status, first_seen_at, last_seen_on)"
        f" VALUES ({SEED}, 'seed', 'https://soundcloud.com/a/b', 'full', 'ok', {_MOMENT}, {_DAY})"
    )
    connection.execute("INSERT INTO track_search (track_search) VALUES ('rebuild')")


def _fill_ledger(connection: sqlite3.Connection, people: int) -> None:
    person, number = f"((n + {_PAGES - 1}) / {_PAGES})", f"((n + {_PAGES - 1}) % {_PAGES})"
    connection.execute(
        _SERIES.format(people) + "INSERT INTO tasks (id, kind, subject_id, outcome, collected, claimed, pages_read)"
        f" SELECT n, 'user_likes', {_scattered('n')}, iif(n % 10, 'capped', NULL), iif(n % 10, {EACH}, NULL),"
        f" iif(n % 10, 700, NULL), iif(n % 10, {_PAGES}, NULL) FROM s"
    )
    connection.execute(
        "INSERT INTO readings (task_id, number, kind, state, outcome, collected, claimed, pages_read, next_cursor)"
        f" SELECT id, 0, kind, iif(outcome IS NULL, 'todo', 'ended'), outcome, {EACH}, 700, {_PAGES},"
        f" {_cursor('id', str(_PAGES))} FROM tasks"
    )
    connection.execute(
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place, claims, parent_task_id)"
        f""" SELECT 1, 'user', subject_id, 1, 1, id - 1, '{{"user_likes":700}}', {people + 2} FROM tasks"""
    )
    connection.execute(
        _SERIES.format(people * _PAGES) + "INSERT INTO pages (id, task_id, reading, number, run_id, request,"
        " next_cursor, first_rank, received, skipped, kept, fetched_at, elapsed_ms, bytes)"
        f" SELECT n, {person}, 0, {number}, 1, iif({number}, {_cursor(person, number)}, {_asked(person)}),"
        f" {_cursor(person, f'{number} + 1')}, 200 * {number}, 200, 0, 200, {_MOMENT}, 200, 90000 FROM s"
    )


def _fill_seed(connection: sqlite3.Connection, people: int) -> None:
    """Write the list of the seed's likers, and how the seed was found: the lists after those of the people."""
    seed, likers, pages, first = people + 1, people + 2, (people + 199) // 200, people * _PAGES + 1
    connection.execute(
        "INSERT INTO tasks (id, kind, subject_id, outcome, collected, claimed, pages_read) VALUES"
        f" ({seed}, 'resolve', 1, 'complete', 1, NULL, 1),"
        f" ({likers}, 'track_likers', {SEED}, 'complete', {people}, {people}, {pages})"
    )
    connection.execute("UPDATE seeds SET task_id = ?", (seed,))
    connection.execute(
        "INSERT INTO readings (task_id, number, kind, state, outcome, collected, claimed, pages_read)"
        f" SELECT id, 0, kind, 'ended', outcome, collected, claimed, pages_read FROM tasks WHERE id >= {seed}"
    )
    connection.execute(
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place, parent_task_id)"
        f" VALUES (1, 'track', {SEED}, 0, 0, 0, {seed})"
    )
    columns = (
        "INSERT INTO pages (id, task_id, reading, number, run_id, request, next_cursor, first_rank, received, skipped,"
        " kept, fetched_at, elapsed_ms, bytes)"
    )
    connection.execute(
        f"{columns} VALUES ({first}, {seed}, 0, 0, 1, '/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb', NULL, 0, 1,"
        f" 0, 1, {_MOMENT}, 200, 900)"
    )
    asked = f"'/tracks/soundcloud:tracks:{SEED}/favoriters?limit=200&linked_partitioning=true'"
    connection.execute(
        f"{_SERIES.format(pages)} {columns} SELECT {first} + n, {likers}, 0, n - 1, 1,"
        f" {asked} || iif(n > 1, '&cursor=' || (n - 1), ''), iif(n < {pages}, {asked} || '&cursor=' || n, NULL),"
        f" 200 * (n - 1), min(200, {people} - 200 * (n - 1)), 0, min(200, {people} - 200 * (n - 1)), {_MOMENT}, 200,"
        " 90000 FROM s"
    )


def _fill_edges(connection: sqlite3.Connection, first: int, last: int, tracks: int) -> None:
    """Write the likes of some people. Each has every track at most once: their tracks lie a fixed step apart."""
    step = tracks // EACH
    (many, popular), (few, rare) = POPULAR.items()
    track = _track(f"{len(POPULAR)} + (n * 977 + k * {step}) % {tracks - len(POPULAR)}")
    connection.execute(
        f"WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}),"
        f" r(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM r WHERE k < {EACH - 1})"
        " INSERT INTO engagements (user_id, track_id, is_repost, user_list_rank, track_list_rank, first_page_id)"
        f" SELECT {_scattered('n')}, CASE WHEN k = 2 THEN {SEED}"
        f" WHEN k = 0 AND n <= {many} THEN {popular} WHEN k = 1 AND n <= {few} THEN {rare} ELSE {track} END,"
        f" 0, k, iif(k = 2, n - 1, NULL),"
        f" {_PAGES} * n - {_PAGES - 1} + k / 200 FROM s CROSS JOIN r"
    )
