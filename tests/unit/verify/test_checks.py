"""What `verify` finds: every planted damage by its name, and nothing where nothing is wrong."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from harvest.errors import NotADatabase
from harvest.lists import BY_NAME
from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.store.database import immediately, open_for_crawl, open_to_read
from harvest.store.harvests import put_back
from harvest.system.clock import as_text
from harvest.verify.checks import checks, verify
from harvest.verify.history import HISTORY_CHECKS
from tests.crawling import crawl_world, read
from tests.faulty import WORLD, path_of
from tests.repetitions import one_in, slow_but

LIMITS = Limits(max_user_likes=15)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A small file with lists that are whole, capped, gone and short, and one that failed."""
    path = tmp_path_factory.mktemp("sound") / "t.db"
    lists = {user: ended for (kind, user), ended in expect(WORLD).lists.items() if kind == "user_likes"}
    refused = min(user for user, ended in lists.items() if ended[1] == 4)
    faults = f"bad_request_html[{path_of(refused)}]"
    crawl_world(path, WORLD, limits=LIMITS, page_size=5, server_options={"faults": faults})
    outcomes = {row[0] for row in read(path, "SELECT DISTINCT outcome FROM tasks")}
    assert outcomes >= {"complete", "capped", "gone", "failed"}
    return path


@pytest.fixture
def damaged(sound, tmp_path):
    """Copy the file and do something to the copy."""
    return partial(damage, sound, tmp_path)


def damage(sound: Path, folder: Path, sql: str) -> Path:
    """Copy a file into a folder and do something to the copy; the last of it hits one row."""
    path = folder / "damaged.db"
    shutil.copy(sound, path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        done = [connection.execute(statement) for statement in sql.split(";") if statement.strip()]
        hit = done[-1].rowcount == 1 or sql.startswith("DROP")
        assert hit, "the damage hit nothing, or too much"
    finally:
        connection.close()
    return path


def seeds_beside_a_track(world: World) -> tuple[str, ...]:
    """Give the addresses of a person, a playlist, a station and searches; a track is the first seed of every world."""
    return (
        world.user_url(world.id("user", 0)),
        world.playlist_url(world.id("playlist", 0)),
        world.station_url("track", world.id("track", 0)),
        *(f"search:{what}?q=o" for what in ("tracks", "users", "playlists")),
    )


def told_of(path: Path) -> dict[str, tuple[str, ...]]:
    """Give the examples of every check that found something."""
    with open_to_read(path) as connection:
        return {finding.check.name: finding.examples for finding in verify(connection) if finding.contradictions}


def contradicted(path: Path) -> list[str]:
    return list(told_of(path))


# A list of likes that was read in several pages and is whole; its pages; an edge of it that no other list has.
WHOLE = """(SELECT id FROM tasks WHERE kind = 'user_likes' AND outcome = 'complete' AND claimed > 5 AND pages_read > 1
    ORDER BY id LIMIT 1)"""
PERSON = f"(SELECT subject_id FROM tasks WHERE id = {WHOLE})"
LONELY = f"""(SELECT max(user_list_rank) FROM user_engagements WHERE user_id = {PERSON} AND engagement_type = 'like'
    AND track_list_rank IS NULL)"""
LAST = f"(SELECT collected - 1 FROM tasks WHERE id = {WHOLE})"
CAPPED = "(SELECT id FROM tasks WHERE outcome = 'capped' ORDER BY id LIMIT 1)"
CUT = "(SELECT task_id FROM pages WHERE asks IS NULL ORDER BY id LIMIT 1)"
FULL = """(SELECT id FROM tasks WHERE outcome = 'capped' AND id NOT IN (SELECT task_id FROM pages WHERE asks IS NULL)
    ORDER BY id LIMIT 1)"""
FAILED = "(SELECT id FROM tasks WHERE outcome = 'failed')"
GONE = "(SELECT id FROM tasks WHERE outcome = 'gone')"
SEED = "(SELECT seed_id FROM harvests)"
OTHER = f"(SELECT min(subject_id) FROM tasks WHERE kind = 'user_likes' AND subject_id <> {PERSON})"
READ_ANEW = f"INSERT INTO readings (task_id, number, kind) VALUES ({WHOLE}, 1, 'user_likes')"
STRAYS = "seen_as, first_seen_at, last_seen_on) VALUES (424242, 'list', '2026-11-20T10:00:00Z', '2026-11-20')"


def edge(rank: object) -> str:
    """Name an edge of the whole list by its rank; the table has no rowid."""
    return f"user_id = {PERSON} AND is_repost = 0 AND user_list_rank = {rank}"


def both(task: str, sets: str) -> str:
    """Say the same wrong thing of a list and of its reading."""
    return f"UPDATE readings SET {sets} WHERE task_id = {task}; UPDATE tasks SET {sets} WHERE id = {task}"


DAMAGES = {
    "an edge deleted": (f"DELETE FROM engagements WHERE {edge(LAST)}", {"edges.user_likes"}),
    "an edge added": (
        "INSERT INTO engagements (user_id, track_id, is_repost, user_list_rank, first_page_id) SELECT"
        f" {PERSON}, (SELECT max(id) FROM tracks WHERE id NOT IN (SELECT track_id FROM engagements WHERE user_id ="
        f" {PERSON})), 0, {LAST} + 1, (SELECT max(id) FROM pages WHERE task_id = {WHOLE})",
        {"edges.user_likes"},
    ),
    "two ranks made one": (f"UPDATE engagements SET user_list_rank = 1 WHERE {edge(2)}", {"edges.user_likes"}),
    "a hole in the ranks": (
        f"UPDATE engagements SET user_list_rank = 500 WHERE {edge(LAST)}",
        {"edges.user_likes"},
    ),
    "a rank below the first": (
        f"UPDATE engagements SET user_list_rank = -1 WHERE {edge(0)}",
        {"edges.user_likes"},
    ),
    "a repost made a like": (
        "UPDATE engagements SET is_repost = 0 WHERE is_repost = 1"
        " AND track_list_rank = (SELECT max(track_list_rank) FROM engagements WHERE is_repost = 1)",
        {"edges.track_reposters", "edges.track_likers"},
    ),
    "an edge of no list": (
        f"UPDATE engagements SET user_list_rank = NULL WHERE {edge(LONELY)}",
        {"edges.ranked", "edges.user_likes"},
    ),
    "a page that kept more than it got": (
        f"UPDATE pages SET received = 0 WHERE task_id = {WHOLE} AND number = 0",
        {"pages.room"},
    ),
    "a page that begins elsewhere": (
        f"UPDATE pages SET first_rank = first_rank + 1 WHERE task_id = {WHOLE} AND number = 1",
        {"pages.first_rank"},
    ),
    "a reason deleted": (f"DELETE FROM failures WHERE task_id = {FAILED}", {"failures.stand"}),
    "an edge of nobody": (
        "PRAGMA foreign_keys = OFF; UPDATE engagements SET user_id = 5 WHERE is_repost = 1 AND"
        " user_list_rank IS NULL AND track_list_rank = 0",
        {"sqlite.foreign_keys"},
    ),
    "a repost of no track": (
        "PRAGMA foreign_keys = OFF; UPDATE engagements SET track_id = 5 WHERE is_repost = 1 AND"
        " user_list_rank IS NULL AND track_list_rank = 0",
        {"sqlite.foreign_keys"},
    ),
    "an edge with a page of another list": (
        "UPDATE engagements SET first_page_id = (SELECT max(p.id) FROM pages AS p JOIN tasks AS t ON t.id ="
        f" p.task_id WHERE t.kind = 'user_likes' AND t.subject_id <> {PERSON}) WHERE {edge(LAST)}",
        {"edges.provenance"},
    ),
    "an edge with another page of its list": (
        f"UPDATE engagements SET first_page_id = (SELECT min(id) FROM pages WHERE task_id = {WHOLE})"
        f" WHERE {edge(LAST)}",
        {"edges.provenance"},
    ),
    "a tag folded otherwise": (
        "UPDATE tags SET folded = 'something else' WHERE id = (SELECT min(id) FROM tags)",
        {"tags.folded"},
    ),
    "a zero from an embedded object": (
        "UPDATE users SET followers_count = 0 WHERE id = (SELECT min(id) FROM users WHERE seen_as = 'embedded')",
        {"graph.seen_as"},
    ),
    "a total that is wrong": ("UPDATE totals SET users = users + 1", {"totals"}),
    "a title that search does not know": (
        "DROP TRIGGER search_track_changed;"
        " UPDATE tracks SET title = 'unheard of' WHERE id = (SELECT min(id) FROM tracks)",
        {"search.index"},
    ),
    "a track that search has lost": (
        "INSERT INTO track_search (track_search, rowid, title, artist, tags) SELECT 'delete', track_id, title, artist,"
        " tags FROM track_texts WHERE track_id = (SELECT min(id) FROM tracks)",
        {"search.index"},
    ),
    "a track that waits for search": (
        "INSERT INTO search_waiting SELECT min(id) FROM tracks",
        {"search.index"},
    ),
    "a search index in pieces": (
        "DELETE FROM track_search_data WHERE id = (SELECT max(id) FROM track_search_data)",
        {"search.index"},
    ),
    "likes counted as reposts": ("UPDATE totals SET likes = likes + 1, reposts = reposts - 1", {"totals"}),
    "an inner page that leads elsewhere": (
        f"UPDATE pages SET next_cursor = replace(next_cursor, 'cursor=', 'cursor=9') WHERE task_id = {WHOLE}"
        " AND number = 0",
        {"pages.next"},
    ),
    "an inner page that leads nowhere": (
        f"UPDATE pages SET next_cursor = NULL WHERE task_id = {WHOLE} AND number = 0",
        {"pages.next"},
    ),
    "the first page asked of somebody else": (
        f"UPDATE pages SET request = replace(request, ':' || {PERSON} || '/', ':' || {OTHER} || '/')"
        f" WHERE task_id = {WHOLE} AND number = 0",
        {"pages.first"},
    ),
    "the second page asked of somebody else": (
        f"UPDATE pages SET request = replace(request, {PERSON} || '/', {OTHER} || '/')"
        f" WHERE task_id = {WHOLE} AND number = 1",
        {"pages.next"},
    ),
    "a failure of a list that is whole": (
        "INSERT INTO failures (task_id, class, status, message, first_at, last_at, retryable)"
        f" SELECT {WHOLE}, 'server', 500, 'x', '2026', '2026', 1",
        {"failures.resolved"},
    ),
    "a harvest called failed": ("UPDATE harvests SET state = 'failed'", {"harvests.state"}),
    "a harvest called sated": ("UPDATE harvests SET state = 'sated'", {"harvests.sated"}),
    "a mark where nothing ends a sample": ("UPDATE harvests SET mark = 5000", {"harvests.sated"}),
    "a harvest that ended at no time": ("UPDATE harvests SET finished_at = NULL", {"harvests.state"}),
    "somebody of no list": (f"INSERT INTO users (id, {STRAYS}", {"graph.listed"}),
    "a trigger dropped": ("DROP TRIGGER users_counted", {"schema"}),
    "an index dropped": ("DROP INDEX engagements_by_track", {"schema"}),
    "a view dropped": ("DROP VIEW likes", {"schema"}),
    "a view made otherwise": ("DROP VIEW likes; CREATE VIEW likes AS SELECT 1 AS user_id", {"schema"}),
    "fewer requests than pages": ("UPDATE run_requests SET n = 3 WHERE status = 200", {"runs.requests"}),
    "fewer collected": (
        f"UPDATE tasks SET collected = collected - 1 WHERE id = {WHOLE}",
        {"readings.told", "edges.user_likes"},
    ),
    "fewer collected in a reading": (
        f"UPDATE readings SET collected = collected - 1 WHERE task_id = {WHOLE}",
        {"readings.told", "pages.sums"},
    ),
    "more skipped": (
        f"UPDATE readings SET skipped = skipped + 1 WHERE task_id = {WHOLE}",
        {"pages.sums"},
    ),
    "a barren page more": (
        f"UPDATE readings SET barren = barren + 1 WHERE task_id = {WHOLE}",
        {"pages.sums"},
    ),
    "more pages read": (
        both(WHOLE, "pages_read = pages_read + 1"),
        {"pages.numbers"},
    ),
    "a page that kept less": (
        f"UPDATE pages SET kept = kept - 1 WHERE task_id = {WHOLE} AND number = 0",
        {"pages.first_rank", "pages.sums"},
    ),
    "a page deleted": (
        f"PRAGMA foreign_keys = OFF; DELETE FROM pages WHERE task_id = {WHOLE} AND number = 0",
        {"pages.sums", "pages.numbers", "sqlite.foreign_keys"},
    ),
    "a page moved": (
        f"UPDATE pages SET number = 7 WHERE task_id = {WHOLE} AND number = 1",
        {"pages.numbers"},
    ),
    "a page known as another": (
        f"UPDATE pages SET asks = 1 WHERE task_id = {WHOLE} AND number = 0",
        {"pages.asks"},
    ),
    "a whole page known as cut": (
        f"UPDATE pages SET asks = NULL WHERE task_id = {WHOLE} AND number = 0",
        {"pages.asks"},
    ),
    "another cursor": (
        f"UPDATE readings SET next_cursor = '/users/1/likes' WHERE task_id = {CAPPED}",
        {"pages.cursor"},
    ),
    "a cursor after the end": (
        f"UPDATE readings SET next_cursor = '/users/1/likes' WHERE task_id = {WHOLE}",
        {"pages.cursor", "readings.whole"},
    ),
    "complete called short": (
        both(WHOLE, "outcome = 'short'"),
        {"readings.whole"},
    ),
    "short called complete": (
        both(WHOLE, "claimed = collected * 3"),
        {"readings.whole"},
    ),
    "short of nothing": (
        both(WHOLE, "outcome = 'short', claimed = NULL"),
        {"readings.whole"},
    ),
    "capped called complete": (
        both(CAPPED, "outcome = 'complete', claimed = NULL"),
        {"readings.whole"},
    ),
    "complete called capped": (
        both(WHOLE, "outcome = 'capped'"),
        {"lists.capped"},
    ),
    "complete called a loop": (
        both(WHOLE, "outcome = 'loop'"),
        {"readings.loop"},
    ),
    "capped called a loop": (
        both(FULL, "outcome = 'loop'"),
        {"readings.loop"},
    ),
    "a list cut within a page called a loop": (
        both(CUT, "outcome = 'loop'"),
        {"readings.loop"},
    ),
    "complete called failed": (
        both(WHOLE, "outcome = 'failed'"),
        {"failures.stand"},
    ),
    "failed called unreadable": (
        both(FAILED, "outcome = 'unreadable'"),
        {"failures.stand"},
    ),
    "failed called forbidden": (
        both(FAILED, "outcome = 'forbidden'"),
        {"failures.stand"},
    ),
    "unread called complete": (
        both(GONE, "outcome = 'complete', claimed = NULL"),
        {"readings.unread", "graph.status"},
    ),
    "a list that says otherwise": (
        f"UPDATE tasks SET outcome = 'short' WHERE id = {WHOLE}",
        {"readings.told"},
    ),
    "an open list that says how it ended": (
        f"UPDATE readings SET state = 'todo', outcome = NULL WHERE task_id = {WHOLE}",
        {"readings.told", "harvests.drained"},
    ),
    "a reading of another kind": (
        f"UPDATE readings SET kind = 'track_likers' WHERE task_id = {WHOLE}",
        {"readings.kind"},
    ),
    "a reading left out": (
        f"{READ_ANEW}; UPDATE readings SET number = 2, state = 'ended', outcome = 'failed', ended_at = '2026' "
        "WHERE number = 1",
        {"readings.numbers"},
    ),
    "a list that tells of no reading": (
        f"UPDATE tasks SET reading = 1 WHERE id = {WHOLE}",
        {"readings.numbers"},
    ),
    "a newer answer that the list does not tell": (
        f"{READ_ANEW}; UPDATE readings SET number = 1, state = 'ended', outcome = 'complete', ended_at = "
        "'2026' WHERE number = 1",
        {"readings.last", "readings.unread"},
    ),
    "a failure told over an answer": (
        f"{READ_ANEW}; UPDATE readings SET number = 1, state = 'ended', outcome = 'failed', ended_at = '2027' "
        f"WHERE number = 1;UPDATE tasks SET reading = 1, outcome = 'failed' WHERE id = {WHOLE}",
        {"readings.last", "failures.stand"},
    ),
    "two open readings": (
        f"{READ_ANEW}; {READ_ANEW.replace('1,', '2,')}",
        {"readings.open", "harvests.drained"},
    ),
    "an entry that waits for a reading that was answered": (
        f"INSERT INTO reading_items SELECT {WHOLE}, 0, 424242, 0, max(id) FROM pages",
        {"readings.items"},
    ),
    "an entry that its reading does not count": (
        f"{READ_ANEW}; INSERT INTO reading_items SELECT {WHOLE}, 1, 424242, 0, max(id) FROM pages",
        {"readings.items", "harvests.drained"},
    ),
    "entries that do not wait": (
        f"{READ_ANEW}; UPDATE readings SET collected = 3 WHERE task_id = {WHOLE} AND number = 1",
        {"readings.items", "harvests.drained"},
    ),
    "read anew in a drained harvest": (READ_ANEW, {"harvests.drained"}),
    "reopened in a drained harvest": (
        f"UPDATE tasks SET outcome = NULL WHERE id = {WHOLE}; UPDATE readings SET state = 'todo', outcome = "
        f"NULL, collected = 0 WHERE task_id = {WHOLE}",
        {"harvests.drained"},
    ),
    "a visit deleted": (
        f"DELETE FROM visits WHERE thing = 'user' AND thing_id = {PERSON}",
        {"visits.chosen", "lists.wanted"},
    ),
    "somebody visited for nothing": (
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place) SELECT 1, 'user', max(id), 1, "
        "1, 99 FROM users WHERE id NOT IN (SELECT thing_id FROM visits)",
        {"visits.chosen", "visits.lists"},
    ),
    "a chance that nobody had": (
        f"UPDATE visits SET chance = 0.31 WHERE thing_id = {PERSON}",
        {"visits.chosen"},
    ),
    "two with one place": (
        f"UPDATE visits SET place = place + 1 WHERE thing_id = {PERSON}",
        {"visits.chosen"},
    ),
    "somebody chosen without a place": (
        f"UPDATE visits SET place = NULL WHERE thing_id = {PERSON}",
        {"visits.chosen"},
    ),
    "somebody at another depth": (
        f"UPDATE visits SET depth = 2 WHERE thing_id = {PERSON}",
        {"visits.chosen"},
    ),
    "somebody named by nobody": (
        f"UPDATE visits SET parent_task_id = NULL WHERE thing_id = {PERSON}",
        {"visits.chosen", "visits.parents"},
    ),
    "somebody named by their own list": (
        f"UPDATE visits SET parent_task_id = {WHOLE} WHERE thing_id = {PERSON}",
        {"visits.chosen", "visits.parents"},
    ),
    "somebody in another round": (
        f"UPDATE visits SET round = 0 WHERE thing_id = {PERSON}",
        {"visits.seeds"},
    ),
    "the seed in the second place": (
        "UPDATE visits SET place = 1 WHERE round = 0",
        {"visits.seeds"},
    ),
    "the seed not visited": (
        "DELETE FROM visits WHERE round = 0",
        {"visits.seeds", "harvests.state"},
    ),
    "a list of the seed missing": (
        "PRAGMA foreign_keys = OFF; DELETE FROM tasks WHERE kind = 'track_reposters'",
        {"edges.track_reposters", "visits.lists"},
    ),
    "another cap than the options say": (
        "UPDATE recipes SET cap = 2 WHERE kind = 'user_likes'",
        {"harvests.recipe"},
    ),
    "a list that no option names": (
        "INSERT INTO recipes VALUES (1, 'track_comments', 'track', 0, 9, 10)",
        {"visits.lists", "harvests.recipe"},
    ),
    "options that name no list": (
        "UPDATE harvests SET last_options = json_set(last_options, '$.read[0]', 'hearts')",
        {"harvests.recipe"},
    ),
    "a harvest without a seed": (
        "DELETE FROM harvest_seeds",
        {"visits.seeds", "harvests.seeds"},
    ),
    "a harvest that shows another seed": (
        "UPDATE harvests SET seed_id = 5",
        {"harvests.seeds"},
    ),
    "a round that was not closed": (
        "DELETE FROM rounds WHERE round = 0",
        {"harvests.rounds"},
    ),
    "a round too many": (
        "INSERT INTO rounds VALUES (1, 2, NULL, '2026')",
        {"harvests.rounds"},
    ),
    "a round closed before the one before it": (
        "UPDATE rounds SET page_id = 1 WHERE round = 1",
        {"harvests.rounds"},
    ),
    "a harvest at another depth": (
        "UPDATE harvests SET level = level + 1",
        {"harvests.rounds"},
    ),
    "somebody chosen beyond the last round": (
        f"UPDATE visits SET round = 5 WHERE thing_id = {PERSON}",
        {"visits.chosen", "harvests.rounds"},
    ),
    "options that are none": (
        "UPDATE harvests SET options = '[]', last_options = '[]'",
        {"harvests.recipe"},
    ),
    "something left that was never read": (
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, parent_task_id) SELECT 1, 'track', track_id, 2,"
        f" 1, {WHOLE} FROM user_engagements WHERE user_id = {PERSON} AND user_list_rank IS NOT NULL AND track_id NOT IN"
        " (SELECT thing_id FROM visits) LIMIT 1",
        {"visits.left"},
    ),
    "a seed that leads nowhere": (
        "UPDATE seeds SET thing = NULL, thing_id = NULL",
        {"seeds.found"},
    ),
    "a seed that is the alias of one": (
        "UPDATE seeds SET aliases = json_array(address)",
        {"seeds.found"},
    ),
    "an outcome that nobody declared": (
        "INSERT INTO outcomes VALUES ('lost', 0, 0, 0, 'nobody knows')",
        {"declared"},
    ),
    "a thing declared otherwise": (
        "UPDATE things SET urn = 'soundcloud:people:' WHERE thing = 'user'",
        {"declared"},
    ),
    "a list declared otherwise": (
        "UPDATE list_kinds SET item = 'track' WHERE kind = 'user_followers'",
        {"declared"},
    ),
    "somebody gone without a reason": (
        "UPDATE users SET status = 'gone' WHERE id = (SELECT min(id) FROM users WHERE status = 'ok')",
        {"graph.status"},
    ),
    "somebody gone called well": (
        "UPDATE users SET status = 'ok' WHERE status = 'gone'",
        {"graph.status"},
    ),
    "a track gone without a reason": (
        f"UPDATE tracks SET status = 'gone' WHERE id = {SEED}",
        {"graph.status"},
    ),
}


def test_there_are_twenty_kinds_of_damage_and_more():
    assert len(DAMAGES) >= 20


@pytest.mark.parametrize("name", one_in(3, DAMAGES))
def test_planted_damage_is_found_by_its_name(name, damaged):
    sql, expected = DAMAGES[name]
    assert expected <= set(contradicted(damaged(sql)))


def test_every_check_is_contradicted_by_some_damage():
    """A check that no damage sets off has not been seen to work. Of the lists that a plain crawl does not read see
    test_other_lists.py, of what has changed test_changed.py.
    """
    named = {name for _, expected in DAMAGES.values() for name in expected}
    plain = {f"edges.{name}" for name in ("ranked", "provenance", "track_likers", "track_reposters", "user_likes")}
    elsewhere = {check.name for check in HISTORY_CHECKS} | {"readings.head"}
    assert {c.name for c in checks() if not c.name.startswith("edges.") or c.name in plain} - elsewhere <= named


def test_a_capped_list_that_holds_enough_must_go_on(damaged):
    path = damaged("UPDATE recipes SET cap = 1 WHERE kind = 'user_likes';" + both(WHOLE, "outcome = 'capped'"))
    (line,) = told_of(path)["lists.capped"]
    assert line.endswith("is capped, and the service has ended it")


@pytest.mark.parametrize("table", ["engagements", "tags_by_folded", "tasks_by_outcome", "pages"])
def test_overwritten_bytes_are_found(table, sound, tmp_path):
    """A byte in the middle of a page of the file, as a bad disk would leave it."""
    path = tmp_path / "damaged.db"
    shutil.copy(sound, path)
    ((size,),) = read(path, "PRAGMA page_size")
    ((root,),) = read(path, "SELECT rootpage FROM sqlite_schema WHERE name = ?", table)
    with path.open("r+b") as file:
        file.seek((root - 1) * size + 3)
        file.write(b"\xff\xff")  # the number of cells on this page
    try:
        found = contradicted(path)
    except NotADatabase:
        return  # SQLite itself refuses to go on; the command line says so (exit code 4)
    assert "sqlite.integrity" in found


EVERY = tuple(BY_NAME)
SMALL = Limits(max_users=4, max_user_likes=6, max_tracks=2)
TRACK, OTHER_TRACK = WORLD.seed_urls(2)
SOMEBODY, OTHERS = WORLD.user_url(WORLD.id("user", 3)), [WORLD.user_url(WORLD.id("user", n)) for n in (5, 8)]
PLAYLIST = WORLD.playlist_url(WORLD.id("playlist", 1))
TOGETHER = [[TRACK, SOMEBODY, PLAYLIST]]  # one harvest of three seeds
FOLLOWING = replace(SMALL, read=("followings", "likes"), via=("followings",), depth=2, max_users=6)
ANEW = "read anew"

CRAWLS = {
    "plain": [(None, Limits())],
    "with caps": [(None, Limits(max_users=5, max_user_likes=7, max_listed=6))],
    "nobody followed": [(None, Limits(max_users=0))],
    "depth 2": [(None, replace(SMALL, depth=2))],
    "depth 3": [(None, replace(SMALL, depth=3))],
    "every list": [(None, replace(SMALL, read=EVERY, depth=2))],
    "by lot": [(None, replace(SMALL, order="random", sample_seed=3, depth=2))],
    "a control sample, then a larger one": [
        (None, replace(SMALL, control=2, depth=2)),
        (None, replace(SMALL, control=4)),
    ],
    "the popular first": [(None, replace(SMALL, order="popular", depth=2))],
    "the least known first, commenters too": [
        (None, replace(SMALL, order="least-known", depth=2, read=("likers", "reposters", "comments", "likes")))
    ],
    "two seeds": [([TRACK, OTHER_TRACK], SMALL)],
    "a seed added": [(None, SMALL), ([OTHER_TRACK], replace(SMALL, max_users=6))],
    "a person": [([SOMEBODY], Limits())],
    "around what a person likes": [([SOMEBODY], replace(SMALL, depth=2))],
    "around a person's own tracks": [([SOMEBODY], replace(SMALL, depth=1, via=("uploads",), read=EVERY))],
    "whom people follow": [([SOMEBODY], FOLLOWING)],
    "whom people follow and like": [([SOMEBODY, OTHERS], replace(FOLLOWING, via=("likes", "followings"), read=EVERY))],
    "a playlist": [([PLAYLIST], replace(SMALL, depth=1))],
    "seeds of three kinds": [(TOGETHER, replace(SMALL, depth=2))],
    "a harvest and its parts": [(TOGETHER, SMALL), (None, SMALL), ([SOMEBODY, PLAYLIST], SMALL)],
    "several at once": [([TRACK, SOMEBODY, *TOGETHER, OTHERS], replace(SMALL, depth=1))],
    "raised caps": [
        (None, replace(SMALL, max_listed=5)),
        (None, Limits(max_users=8, max_user_likes=12, max_listed=8)),
    ],
    "lowered caps": [(None, Limits(max_user_likes=12)), (None, replace(SMALL, max_users=3, max_listed=4))],
    "raised by another": [(TOGETHER, SMALL), (None, Limits(max_user_likes=12)), (TOGETHER, SMALL)],
    "lists turned on": [(None, SMALL), (None, replace(SMALL, read=EVERY))],
    "lists turned off": [(None, replace(SMALL, read=EVERY, depth=2)), (None, replace(SMALL, depth=2))],
    "more people in two levels": [
        (None, replace(SMALL, max_users=2, depth=2)),
        (None, Limits(max_users=7, max_user_likes=9, max_tracks=3, depth=2)),
    ],
    "longer lists, then shorter ones": [
        (None, Limits(max_users=6, max_listed=4)),
        (None, Limits(max_users=6, max_listed=8)),
        (None, Limits(max_users=6, max_listed=5)),
    ],
    "one order after the other": [
        (None, replace(SMALL, max_users=5, order="random", depth=2)),
        (None, replace(SMALL, max_users=5, depth=2)),
        (None, replace(SMALL, max_users=6, order="popular", depth=2, max_tracks=3)),
    ],
    "deeper later": [(None, SMALL), (None, replace(SMALL, depth=3))],
    "shallower later": [(None, replace(SMALL, depth=3)), (None, replace(SMALL, max_user_likes=9))],
    "read anew": [(None, replace(SMALL, depth=2)), ANEW, (None, replace(SMALL, depth=2))],
    "read anew, every list": [(TOGETHER, replace(SMALL, read=EVERY)), ANEW, (TOGETHER, replace(SMALL, read=EVERY))],
    "read anew twice, the second time further": [(None, SMALL), ANEW, (None, SMALL), ANEW, (None, Limits())],
    "read anew for one of two": [(TOGETHER, SMALL), (None, SMALL), ANEW, (None, SMALL), (TOGETHER, SMALL)],
    "read anew with raised caps": [(None, replace(SMALL, max_listed=5)), ANEW, (None, Limits(max_user_likes=12))],
}


def read_anew(path: Path) -> None:
    database = open_for_crawl(path)
    try:
        with immediately(database):
            put_back(database.conn, as_text(datetime.now(UTC)), outcomes=("complete", "capped"))
    finally:
        database.conn.close()


OFTEN = (  # "every list" is the first half of "lists turned off"
    *("by lot", "lists turned off", "read anew, every list"),
)
IN_ONE_PAGE = {(name, 200) for name in ("plain",)}


@pytest.mark.parametrize("crawls", slow_but({(n, 3) for n in OFTEN} | IN_ONE_PAGE, product(CRAWLS, (3, 200))), ids=repr)
def test_nothing_is_found_where_nothing_is_wrong(crawls, tmp_path):
    name, page_size = crawls
    path = tmp_path / "t.db"
    for step in CRAWLS[name]:
        if step is ANEW:
            read_anew(path)
        else:
            crawl_world(path, WORLD, *step, page_size=page_size)
        assert told_of(path) == {}


def test_a_file_need_not_know_the_lists_of_a_newer_version(damaged):
    """Those that it has never read; the next crawl writes them down."""
    assert contradicted(damaged("DELETE FROM list_kinds WHERE kind = 'user_followers'")) == []


def test_nothing_is_found_in_the_file_that_the_damage_is_done_to(sound):
    assert contradicted(sound) == []
