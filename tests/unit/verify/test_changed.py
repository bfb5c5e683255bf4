"""Damage to what is said of changes, in a file all of whose lists were read again while the world went on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harvest.crawler.session import Conditions, crawl
from harvest.lists import BY_NAME, KINDS
from harvest.models import Limits
from harvest.simulator import Server, World, serve
from harvest.simulator.world.drift import Drift
from harvest.store import readings
from harvest.store.database import immediately, open_for_crawl
from harvest.store.sweeps import Sweep
from harvest.system.clock import SystemClock, as_text
from harvest.things import SHOWN
from harvest.verify.history import HISTORY_CHECKS
from harvest.wiring import connect
from tests.crawling import Onlooker, crawl_into, crawl_together, read, settings_for
from tests.repetitions import slow_but

from .test_checks import damage, seeds_beside_a_track, told_of

EDGES = {kind.name: kind.edge for kind in KINDS.values() if kind.edge is not None and not kind.own}
TWO_SIDED = [name for name in EDGES if KINDS[name].other_side is not None]
PAST = {edge.past: edge for edge in EDGES.values() if edge.past}
WORLD = World(
    3,
    users=90,
    tracks=150,
    likes_per_user=9,
    seed_likers=80,
    seed_reposters=4,
    gone=0.03,
    drift=Drift(
        come=0.02,
        go=0.02,
        people_go=0.01,
        tracks_go=0.01,
        playlists_go=0.01,
        return_share=0.7,
        away_days=5,
        renames=0.02,
        edits=0.2,
        uploads=0.01,
    ),
)
SEEDS = (WORLD.seed_url(), *seeds_beside_a_track(WORLD))
PAGE = 25
LIMITS = Limits(max_users=8, max_user_likes=100, max_tracks=1, depth=1, read=tuple(BY_NAME))


async def look_up_all(path: Path, server: Server) -> None:
    """Have the counts of everybody and every track as they are now, as whoever reads lists again does first."""
    clock = SystemClock()
    async with connect(settings_for(server), clock=clock, delay=0) as connection:
        conditions = Conditions(server.url, connection.bearer.kind)
        assert (
            await crawl(
                path,
                [],
                client=connection.client,
                conditions=conditions,
                witness=Onlooker(),
                clock=clock,
                sweep=Sweep(older_than=0),
            )
            == "drained"
        )


def begin_again(path: Path, refresh_id: int) -> None:
    """Have all lists read again, as a refresh does, but one of each kind that stands in another, too."""
    database, now = open_for_crawl(path), as_text(SystemClock().now())
    try:
        with immediately(database):
            left = {
                row[0]
                for row in database.conn.execute(
                    "SELECT max(t.id) FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind WHERE t.collected > 0"
                    f" AND t.outcome = 'complete' AND t.kind IN ({', '.join('?' * len(TWO_SIDED))})"
                    " AND NOT EXISTS (SELECT 1 FROM readings AS r WHERE r.task_id = t.id AND r.number > 0)"
                    " GROUP BY t.kind",
                    TWO_SIDED,
                )
            }
            for (task_id,) in database.conn.execute(
                "SELECT t.id FROM tasks AS t JOIN outcomes AS o ON o.outcome = t.outcome AND o.answered = 1"
                " WHERE t.kind NOT IN ('resolve', 'lookup')"
            ).fetchall():
                if task_id not in left:
                    readings.begin_again(database.conn, task_id, now, cap=300, refresh_id=refresh_id)
    finally:
        database.conn.close()


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A file of three moments of a world in which edges of every kind came, went and came back."""
    path = tmp_path_factory.mktemp("changed") / "t.db"

    async def crawls() -> None:
        async with serve(WORLD, gzip=False) as server:
            assert await crawl_into(path, server, [SEEDS], LIMITS, page_size=PAGE) == "drained"
            for day in (10, 24):
                server.move(day)
                await look_up_all(path, server)
                begin_again(path, day)
                assert await crawl_together(path, server, [], page_size=PAGE) == "drained"

    asyncio.run(crawls())
    return path


def test_everything_has_changed_and_nothing_is_found(changed):
    said = {(what, table) for what, table in read(changed, 'SELECT DISTINCT what, "table" FROM changes')}
    tables = {edge.table for edge in EDGES.values()}
    assert {("came", table) for table in tables - {"related_tracks", "station_tracks"}} <= said
    assert {("went", table) for table in tables - {"playlists"}} <= said
    assert {table for what, table in said if what == "back"} >= {
        "user_engagements",
        "user_follows",
        "station_likes",
        "comments",
    }
    assert said >= {
        ("edited", "playlists"),
        ("renamed", "users"),
        ("retitled", "tracks"),
        ("retitled", "playlists"),
        ("moved", "users"),
        ("moved", "tracks"),
        ("gone", "users"),
        ("gone", "tracks"),
        ("gone", "playlists"),
        ("returned", "users"),
    }
    reasons = {row[0] for row in read(changed, "SELECT DISTINCT reason FROM changes WHERE what = 'went'")}
    assert reasons == {"withdrawn", "gone", None}  # nobody says why of what the service makes up
    assert all(read(changed, f"SELECT 1 FROM {table} LIMIT 1") for table in PAST)
    assert read(changed, "SELECT 1 FROM unexplained") == []
    assert told_of(changed) == {}


def test_what_is_there_was_not_moved_out_and_little_was_left(changed):
    """Of lists whose last reading was whole; what nothing proves stands behind, or a playlist stays as it was."""
    now, left, lists = WORLD.at(24), 0, 0
    for name, edge in EDGES.items():
        if KINDS[name].computed or KINDS[name].item == "link":
            continue
        of_type = f"AND {edge.type_column} = '{edge.engagement_type}'" if edge.engagement_type else ""
        stands = f"SELECT {edge.item} FROM {edge.table} WHERE {edge.subject} = ? {of_type} AND {edge.rank} IS NOT NULL"
        for (subject,) in read(
            changed,
            "SELECT subject_id FROM tasks AS t WHERE kind = ? AND outcome = 'complete' AND reading > 1"
            " AND reading = (SELECT max(number) FROM readings AS r WHERE r.task_id = t.id)",
            name,
        ):
            here = [row[0] for row in read(changed, f"{stands} ORDER BY {edge.rank}", subject)]
            there = list(now.listing(name, subject))
            if edge.repeats:
                left += here != there
            else:
                assert here[: len(there)] == there, (name, subject)
                left += len(here) > len(there)
            lists += 1
    assert lists > 100
    assert left <= 2


def an_edge(name: str) -> str:
    """Give the key, as JSON in SQL, of an edge `e` that stands in a list of this kind."""
    edge = EDGES[name]
    typed = f", '{edge.type_column}', e.{edge.type_column}" if edge.engagement_type else ""
    of_type = f"AND e.{edge.type_column} = '{edge.engagement_type}'" if edge.engagement_type else ""
    return (
        f"SELECT json_object('{edge.subject}', e.{edge.subject}, '{edge.item}', e.{edge.item} {typed})"
        f" FROM {edge.table} AS e WHERE e.{edge.rank} IS NOT NULL {of_type} LIMIT 1"
    )


def a_change(what: str, table: str, ids: str, new: str = "NULL", page: str = "1") -> str:
    columns, values = 'at, what, "table", ids, new, page_id', f"'', '{what}', '{table}', {ids}, {new}, {page}"
    return f"INSERT INTO changes ({columns}) VALUES ({values})"


def same_edges(name: str) -> set[str]:
    """Name the checks of all lists in which an edge of a list stands."""
    edge = EDGES[name]
    return {
        f"changes.{other}"
        for other, its in EDGES.items()
        if (its.table, its.engagement_type, its.repeats) == (edge.table, edge.engagement_type, False)
    }


def read_once(name: str) -> str:
    return (
        f"(SELECT max(t.id) FROM tasks AS t WHERE t.kind = '{name}' AND t.collected > 0 AND NOT EXISTS"
        " (SELECT 1 FROM readings AS r WHERE r.task_id = t.id AND r.number > 0))"
    )


def a_past(table: str) -> str:
    """Pick a row of a table of the past."""
    edge = PAST[table]
    key = [edge.subject, edge.item, "gone_page_id", *([edge.rank] if edge.repeats else [])]
    key += [edge.type_column] if edge.engagement_type else []
    return f"({', '.join(key)}) = (SELECT {', '.join(key)} FROM {table} LIMIT 1)"


def the_last(table: str, what: str) -> str:
    return f"SELECT max(version) FROM changes WHERE \"table\" = '{table}' AND what = '{what}'"


PLAYED = [name for name, edge in EDGES.items() if not edge.repeats]
PLACED = [name for name, edge in EDGES.items() if edge.repeats]
OF_EACH = {
    **{
        f"one of {name} went, and stands": (
            a_change("went", EDGES[name].table, f"({an_edge(name)})"),
            same_edges(name),
        )
        for name in PLAYED
    },
    **{
        f"one of {name} came, and does not stand": (
            a_change("came", EDGES[name].table, f"json_set(({an_edge(name)}), '$.{EDGES[name].item}', 1)"),
            same_edges(name),
        )
        for name in PLAYED
    },
    **{
        f"one less in a list of {name} that was read once": (
            f"UPDATE tasks SET collected = collected - 1 WHERE id = {read_once(name)}",
            {f"past.{name}", f"edges.{name}"},
        )
        for name in TWO_SIDED
    },
    **{
        f"one of {table} seen after it had gone": (
            f"UPDATE {table} SET last_page_id = gone_page_id WHERE {a_past(table)}",
            {f"past.{table}"},
        )
        for table in PAST
    },
    **{
        f"one of {table} seen for the first time after the last": (
            f"UPDATE {table} SET first_page_id = last_page_id + 1 WHERE last_page_id + 1 < gone_page_id"
            f" AND {a_past(table)}",
            {f"past.{table}", *(["changes.playlist_tracks"] if edge.repeats else [])},
        )
        for table, edge in PAST.items()
    },
    **{
        f"one of {name} came once more than it stands there": (
            'INSERT INTO changes (at, what, "table", ids, page_id) SELECT at, what, "table", ids, page_id'
            f" FROM changes WHERE version = ({the_last(EDGES[name].table, 'came')})",
            {f"changes.{name}"},
        )
        for name in PLACED
        if EDGES[name].past
    },
    **{
        f"one of {name} that no change brought": (
            "DELETE FROM changes WHERE version = (SELECT max(c.version) FROM changes AS c JOIN"
            f" {EDGES[name].table} AS e ON e.first_page_id = c.page_id AND e.track_id = c.ids ->> 'track_id'"
            f" WHERE c.\"table\" = '{EDGES[name].table}' AND c.what = 'came')",
            {f"changes.{name}"},
        )
        for name in PLACED
    },
    **{
        f"a count of {table} told otherwise": (
            f"UPDATE changes SET new = replace(new, ':', ':9') WHERE version = ({the_last(table, 'moved')})",
            {f"changes.{table}_moved"},
        )
        for table in ("users", "tracks")
    },
    **{
        f"one of {table} with another title": (
            f"UPDATE changes SET new = 'untitled' WHERE version = ({the_last(table, 'retitled')})",
            {f"changes.{table}_title"},
        )
        for table in ("tracks", "playlists")
    },
    **{
        f"one of {thing.table} gone that is there": (
            a_change(
                "gone",
                thing.table,
                f"(SELECT json_object('id', id) FROM {thing.table} WHERE status = 'ok' LIMIT 1)",
                new="'gone'",
            ),
            {f"changes.{thing.table}_status"},
        )
        for thing in SHOWN
    },
}
DAMAGES = {
    **OF_EACH,
    "an entry of a playlist that went, and once more": (
        'INSERT INTO changes (at, what, "table", ids, reason, page_id) SELECT at, what, "table", ids, reason,'
        f" page_id FROM changes WHERE version = ({the_last('playlist_tracks', 'went')})",
        {"changes.playlist_tracks"},
    ),
    "a like whose reason nobody was told": (
        f"UPDATE past_engagements SET reason = 'unknown' WHERE {a_past('past_engagements')}",
        {"past.past_engagements"},
    ),
    "a link whose change was not written": (
        "DELETE FROM changes WHERE version = (SELECT c.version FROM changes AS c JOIN past_web_profiles AS p"
        " ON p.id = c.ids ->> 'id' WHERE c.\"table\" = 'web_profiles' AND c.what = 'went' AND NOT EXISTS"
        " (SELECT 1 FROM changes AS o WHERE o.ids = c.ids AND o.version <> c.version) LIMIT 1)",
        {"past.past_web_profiles"},
    ),
    "a like that waits for a reason, and for no look-up": (
        f"UPDATE past_engagements SET reason = NULL WHERE {a_past('past_engagements')}",
        {"past.past_engagements", *same_edges("user_likes")},
    ),
    "somebody renamed to another name": (
        f"UPDATE changes SET new = 'nobody' WHERE version = ({the_last('users', 'renamed')})",
        {"changes.users_username"},
    ),
    "a station with another title": (
        a_change("retitled", "stations", "(SELECT json_object('id', id) FROM stations LIMIT 1)", new="'untitled'"),
        {"changes.stations_title"},
    ),
    "a change that no page showed": (
        a_change("moved", "tracks", "'{\"id\":1}'", page="(SELECT max(id) + 1 FROM pages)"),
        {"changes.pages", "sqlite.foreign_keys"},
    ),
    "a whole reading that ended where the list was known": (
        "UPDATE readings SET outcome = 'caught_up' WHERE (task_id, number) = (SELECT r.task_id, r.number FROM readings"
        " AS r JOIN tasks AS t ON t.id = r.task_id WHERE r.number = 1 AND t.reading > 1 LIMIT 1)",
        {"readings.head"},
    ),
}
OFTEN = {  # of each table or list the same query; once each that is written otherwise, of another table
    *("one of user_likes went, and stands", "one of user_tracks went, and stands"),
    *("one of track_comments came, and does not stand", "one of found_tracks came, and does not stand"),
    "one less in a list of user_followers that was read once",
    *("one of past_follows seen after it had gone", "one of past_playlist_tracks seen after it had gone"),
    "one of past_engagements seen for the first time after the last",
    "one of playlist_tracks came once more than it stands there",
    *("one of playlist_tracks that no change brought", "one of station_tracks that no change brought"),
    *("a count of users told otherwise", "one of tracks with another title", "one of users gone that is there"),
}


@pytest.mark.parametrize("name", slow_but(sorted(OFTEN | DAMAGES.keys() - OF_EACH.keys())[::2], DAMAGES))
def test_planted_damage_is_found_by_its_name_and_by_no_other(name, changed, tmp_path):
    sql, expected = DAMAGES[name]
    assert set(told_of(damage(changed, tmp_path, sql))) == expected


def test_every_check_of_the_history_is_contradicted_by_some_damage():
    named = {name for _, expected in DAMAGES.values() for name in expected}
    assert {check.name for check in HISTORY_CHECKS} | {"readings.head"} <= named
