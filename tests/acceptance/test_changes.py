"""What a file tells of its changes is what changed: in the stream, in words, from Python, and as of a day."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import harvest
from harvest.errors import SeedError, SettingsError
from harvest.explore import changes as told
from harvest.export.pseudonyms import about, pseudonym
from harvest.lists import KINDS
from harvest.models import Limits
from harvest.report.changed import NEWEST
from harvest.report.facts import gather
from harvest.report.page import page
from harvest.simulator import Drift, Server, World, run_in_thread, serve
from harvest.simulator.truth.changes import Changes
from harvest.store.changes import WHAT, summed_sql
from harvest.store.database import open_to_read
from harvest.store.refreshes import Refresh
from harvest.system.clock import as_text
from tests.acceptance.conftest import ROOT
from tests.crawling import crawl_together, crawl_world, read, settings_for
from tests.exporting import leave
from tests.htmlpages import by_id, parse, table, words
from tests.refreshing import BEGAN, EVERYTHING, LIMITS, PAGE, WorldClock, a_world

WORLD, DAYS = a_world(21), 30
PLACED = ("playlist_tracks", "station_tracks")  # where one thing may stand twice
THINGS = {"users": "user", "tracks": "track", "playlists": "playlist"}


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    """A file that was crawled and, a month later, refreshed whole; time is that of the world."""
    made = tmp_path_factory.mktemp("changes") / "t.db"

    async def both() -> None:
        async with serve(WORLD, gzip=False) as server:
            clock = WorldClock(server)
            await crawl_together(made, server, [(WORLD.seed_url(), LIMITS)], page_size=PAGE, clock=clock)
            server.move(DAYS)
            refresh = Refresh(full=True)
            assert await crawl_together(made, server, [], refresh=refresh, page_size=PAGE, clock=clock) == "drained"

    asyncio.run(both())
    return made


@pytest.fixture(scope="module")
def stream(path) -> list[told.Change]:
    return list(harvest.open(path).changes())


@pytest.fixture(scope="module")
def truth() -> Changes:
    return Changes(WORLD, WORLD.at(DAYS))


def whole_both_times(path):
    """The lists that were read whole at first and again, but for those that are made up and those that have places."""
    rows = read(
        path,
        """
        SELECT t.kind, t.subject_id FROM tasks AS t JOIN readings AS f ON f.task_id = t.id AND f.number = 0
        WHERE t.reading > 0 AND t.outcome = 'complete' AND f.outcome = 'complete' AND t.kind <> 'lookup'
        """,
    )
    kinds = {kind.name: kind for kind in KINDS.values() if kind.edge and not kind.computed and not kind.edge.repeats}
    return [(kinds[name], subject) for name, subject in rows if name in kinds]


def key_of(kind, subject, item):
    """How a change of a list names what it is about."""
    edge = kind.edge
    if edge.on_item and edge.table not in ("tracks", "playlists"):
        return edge.table, frozenset({(edge.item, item)})
    typed = {(edge.type_column, edge.engagement_type)} if edge.engagement_type else set()
    return edge.table, frozenset({(edge.subject, subject), (edge.item, item), *typed})


def named_by(change):
    """The same of a line of the stream."""
    ids = {name: value for name, value in change.ids.items() if name != "position"}
    if change.table in ("comments", "web_profiles"):
        ids = {"id": ids["id"]}
    return change.table, frozenset(ids.items())


@pytest.mark.first_case
@pytest.mark.parametrize("word", ["came", "went"])
def test_the_stream_tells_all_that_came_and_went_once_with_its_reason(path, stream, truth, word):
    expected = {}
    for kind, subject in whole_both_times(path):
        change = truth.of_list(kind.name, subject)
        items = change.went if word == "went" else dict.fromkeys(change.came)
        expected |= {key_of(kind, subject, item): reason for item, reason in items.items()}
    words = ("went",) if word == "went" else ("came", "found")
    lines = [change for change in stream if change.what in words]
    said = {named_by(change): change.reason for change in lines}
    assert len(expected) > 100
    wrong = {key: (why, said.get(key, "nothing")) for key, why in expected.items() if said.get(key, "nothing") != why}
    assert wrong == {}
    twice = [key for key, n in Counter(map(named_by, lines)).items() if n > 1 and key[0] not in PLACED]
    assert twice == []


@pytest.mark.parametrize("table", THINGS)
def test_the_stream_tells_who_has_another_name_and_who_is_gone(path, stream, truth, table):
    lists = ", ".join(f"'{kind.name}'" for kind in KINDS.values() if kind.subject == THINGS[table])
    visited = {one for (one,) in read(path, f"SELECT DISTINCT subject_id FROM tasks WHERE kind IN ({lists})")}
    known = {one for (one,) in read(path, f"SELECT id FROM {table}")}
    changed = truth.of_things(THINGS[table], sorted(known))
    named = {c.ids["id"]: (c.old, c.new) for c in stream if c.table == table and c.what in ("renamed", "retitled")}
    gone = {c.ids["id"] for c in stream if c.table == table and c.what == "gone"}
    assert named.items() <= changed.renamed.items()
    assert {one for one in changed.renamed if one in visited} <= named.keys()
    assert gone <= changed.went
    assert changed.went & visited <= gone
    assert named
    assert gone


def test_every_line_has_the_next_version_and_a_moment_of_the_refresh(stream):
    assert [change.version for change in stream] == list(range(1, len(stream) + 1))
    assert {change.at for change in stream} == {as_text(BEGAN + timedelta(days=DAYS))}


# --- asking for a part --------------------------------------------------------------------------------------------


def test_the_command_and_python_tell_the_same(run, path, stream):
    lines = [json.loads(line) for line in run("changes", "--db", path, "--json").stdout.splitlines()]
    assert lines == [change._asdict() for change in stream]


@pytest.mark.parametrize(
    ("since", "n"),
    [
        (0, 0),
        (40, 40),
        (10**12, None),
        ("2026-11-02", 0),
        ("2026-12-02T00:00:00Z", 0),
        ("2026-12-02T01:00:00+01:00", 0),
        ("2026-12-02T00:00:01", None),
        ("2026-12-03", None),
        (date(2026, 12, 2), 0),
        (datetime(2026, 12, 2, 0, 0, 1), None),
        (timedelta(days=3600), 0),
        ("3600d", 0),
    ],
)
def test_what_is_later_than_a_version_or_a_moment_begins_there(run, path, stream, since, n):
    later = stream[len(stream) if n is None else n :]
    assert list(harvest.open(path).changes(since)) == later
    if not isinstance(since, date | timedelta):
        lines = run("changes", "--db", path, "--json", "--since", since).stdout.splitlines()
        assert [json.loads(line)["version"] for line in lines] == [change.version for change in later]


def test_a_length_of_time_counts_back_from_now(tmp_path, path):
    copy = tmp_path / "t.db"
    copy.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(copy)) as db:
        db.execute("UPDATE changes SET at = ? WHERE version <= 20", (as_text(datetime.now(UTC) - timedelta(days=9)),))
        db.execute("UPDATE changes SET at = ? WHERE version > 20", (as_text(datetime.now(UTC) - timedelta(days=5)),))
        db.commit()
    opened = harvest.open(copy)
    for week in ("7d", timedelta(days=7), datetime.now(UTC) - timedelta(days=7)):
        assert opened.changes(week).first().version == 21
    assert opened.changes("10d").first().version == 1
    assert opened.changes("4d").first() is None


def test_of_one_thing_only_what_concerns_it_is_told(run, path, stream):
    ((track, url),) = read(path, "SELECT id, permalink_url FROM tracks WHERE id = ?", WORLD.seed_ids(1)[0])
    columns = ("track_id", "related_track_id")
    about = [
        change
        for change in stream
        if track in [change.ids.get(name) for name in columns]
        or (change.table == "tracks" and change.ids.get("id") == track)
    ]
    assert about
    opened = harvest.open(path)
    assert list(opened.changes(of=url)) == list(opened.changes(of=f"soundcloud:tracks:{track}")) == about
    assert len(opened.changes(since=about[0].version, of=url)) == len(about) - 1
    lines = run("changes", "--db", path, "--json", "--of", url).stdout.splitlines()
    assert [json.loads(line)["version"] for line in lines] == [change.version for change in about]


@pytest.mark.parametrize(("thing", "table", "name"), [("track", "tracks", "title"), ("user", "users", "username")])
def test_what_a_search_finds_or_finds_no_more_is_about_it(run, tmp_path, path, thing, table, name):
    copy = tmp_path / "t.db"
    copy.write_bytes(path.read_bytes())
    ((one, called),) = read(path, f"SELECT id, {name} FROM {table} WHERE status = 'ok' AND {name} <> '' LIMIT 1")
    ids = json.dumps({"search_id": 5, "thing": thing, "thing_id": one})
    other = json.dumps({"search_id": 5, "thing": "playlist", "thing_id": one})
    with closing(sqlite3.connect(copy)) as db:
        db.executemany(
            "INSERT INTO changes (at, what, \"table\", ids) VALUES ('2027-01-01', 'went', 'search_results', ?)",
            [(ids,), (other,)],
        )
        db.commit()
    urn = f"soundcloud:{table}:{one}"
    lines = run("changes", "--db", copy, "--since", "2026-12-31", "--of", urn, "--json").stdout.splitlines()
    assert [json.loads(line)["ids"] for line in lines] == [json.loads(ids)]
    words = run("changes", "--db", copy, "--since", "2026-12-31", "--of", urn).stdout
    assert re.search(rf"went +\S+ 5 finds {re.escape(called)}", words)


def test_people_read_names_reasons_and_links(run, path, stream):
    page = run("changes", "--db", path, "--since", "0", "--limit", "2000").stdout
    went = next(c for c in stream if c.what == "went" and c.table == "user_engagements" and c.reason == "withdrawn")
    ((person, title, url),) = read(
        path,
        "SELECT u.username, t.title, t.permalink_url FROM users AS u, tracks AS t WHERE u.id = ? AND t.id = ?",
        went.ids["user_id"],
        went.ids["track_id"],
    )
    verb = {"like": "likes", "repost": "reposts"}[went.ids["engagement_type"]]
    assert f"went      {person} {verb} {title} (withdrawn)  {url}" in page
    renamed = next(change for change in stream if change.what == "renamed")
    assert f"renamed   {renamed.new}, once {renamed.old}" in page
    assert f"{len(stream):,} changes" in page.splitlines()[0]


@pytest.mark.parametrize(
    ("since", "of", "error"),
    [
        ("soon", None, SettingsError),
        ("0001-01-01T00:00:00+23:00", None, SettingsError),
        (timedelta(days=10**6), None, SettingsError),
        (0, "https://soundcloud.com/no/body", SeedError),
        (0, "soundcloud:tracks:1", SeedError),
    ],
)
def test_what_makes_no_sense_is_one_error(run, path, since, of, error):
    with pytest.raises(error):
        harvest.open(path).changes(since, of=of)
    if not isinstance(since, timedelta):
        done = run("changes", "--db", path, "--since", since, *(["--of", of] if of else []))
        assert (done.returncode, done.stdout) == (2, "")
        *usage, line = done.stderr.splitlines()
        assert "Usage: harvest changes" in usage[0] if usage else line.startswith("harvest: ")
        assert len(usage) in (0, 3)
        assert "Traceback" not in done.stderr


def test_the_page_of_words_is_summed_up_in_sql_as_the_stream_tells(path, stream):
    with open_to_read(path) as connection:
        for since, of in ((0, None), (40, None), (0, ("track", WORLD.seed_ids(1)[0])), (10**9, None)):
            lines = list(told.changes(connection, since, of=of))
            summary = told.summed(connection, since, of=of)
            assert summary.counts == Counter(change.what for change in lines)
            assert summary.reasons == Counter(c.reason or "unknown" for c in lines if c.what == "went")
            assert summary.first_at == (lines[0].at if lines else None)
            assert told.last(connection, since, 7, of=of) == lines[-7:]
    ((table,),) = read(path, "SELECT sql FROM sqlite_schema WHERE name = 'changes'")
    assert re.findall(r"'(\w+)'", table) == list(WHAT)


def test_going_on_from_a_version_begins_there(path):
    with closing(sqlite3.connect(path)) as db:
        for kind in (None, "track"):
            sql = f"EXPLAIN QUERY PLAN {told.changes_sql(kind)}"
            (step,) = [row[3] for row in db.execute(sql, {"since": 5, "limit": -1, "id": 1})]
            assert step == "SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)"
            for sql in (told.last_sql(kind), summed_sql(told.only(kind))):  # nothing is sorted, or kept
                steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", {"since": 5, "limit": 9, "id": 1})]
                assert set(steps) <= {"SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)", "SCALAR SUBQUERY 1"}
        sql = "EXPLAIN QUERY PLAN SELECT version FROM changes WHERE at < 'x' ORDER BY version DESC LIMIT 1"
        assert [row[3] for row in db.execute(sql)] == ["SCAN changes"]  # from its end, and no further than needed


# --- as of a day --------------------------------------------------------------------------------------------------


class Restless(Server):
    """Moves on with each request."""

    pace = 0.02  # days

    def _answer(self, request, target):
        self.move(self.world.moment + self.pace)
        return super()._answer(request, target)


@pytest.fixture(scope="module")
def restless(tmp_path_factory) -> tuple[Path, World, float]:
    """A file that was crawled and refreshed three times while its world moved on all the time: until when."""
    made = tmp_path_factory.mktemp("restless") / "t.db"
    world = World(22, users=30, tracks=60, seed_likers=20, drift=Drift.edges(0.02))

    async def all_of_it() -> float:
        server = Restless(world, gzip=False)
        await server.start()
        try:
            clock = WorldClock(server)
            limits = Limits(max_users=20, max_tracks=6, read=("likers", "reposters", "likes", "reposts"))
            await crawl_together(
                made, server, [(world.seed_url(), limits)], page_size=PAGE, clock=clock, max_in_flight=1
            )
            for _ in range(3):
                server.move(server.world.moment + 5)
                await crawl_together(
                    made, server, [], refresh=Refresh(full=True), page_size=PAGE, clock=clock, max_in_flight=1
                )
            return server.world.moment
        finally:
            await server.stop()

    return made, world, asyncio.run(all_of_it())


def edges_at(world, kinds_of, moment):
    """What stood at a moment in the lists of a file."""
    there, found = world.at(moment), set()
    for kind, subject in kinds_of:
        of_user, word = kind.startswith("user_"), "like" if "like" in kind else "repost"
        for item in there.listing(kind, subject):
            found.add((subject, item, word) if of_user else (item, subject, word))
    return found


def test_what_stood_for_certain_stood_and_what_stood_possibly_did(restless):
    """Of likes that were taken back and done again between two readings nobody can know; they are left out here."""
    path, world, until = restless
    opened = harvest.open(path)
    lists = read(path, "SELECT kind, subject_id FROM tasks WHERE kind GLOB 'user_*' OR kind GLOB 'track_*'")
    moments = [until * step / 14 for step in range(15)]
    stood = {moment: edges_at(world, lists, moment) for moment in moments}
    ever = set(read(path, "SELECT user_id, track_id, engagement_type FROM spells"))
    done = defaultdict(set)
    for moment, edges in stood.items():
        at = world.at(moment)
        for user, track, word in edges & ever:
            done[user, track, word].add(at.liked_at(user, track) if word == "like" else at.reposted_at(user, track))
    once = {edge for edge in ever if len(done[edge]) == 1}
    assert len(once) > 0.7 * len(ever)
    assert read(path, "SELECT count(*) FROM past_engagements")[0][0] > 20
    n_certain = n_possible = 0
    for moment in moments:
        when = BEGAN + timedelta(days=moment)
        certain = {(row.user_id, row.track_id, row.engagement_type) for row in opened.as_of(when)}
        possible = {(row.user_id, row.track_id, row.engagement_type) for row in opened.as_of(when, certain=False)}
        assert certain <= possible
        assert certain & once <= stood[moment]
        assert stood[moment] & once <= possible
        n_certain += len(certain & stood[moment])
        n_possible += len(possible - stood[moment])
    assert n_certain > 0.5 * sum(len(edges & ever) for edges in stood.values())  # not for want of saying anything
    assert n_possible > 0


def test_as_of_has_rows_of_a_day_of_one_thing_and_refuses_the_rest(path):
    opened, track = harvest.open(path), WORLD.seed_ids(1)[0]
    first_day = opened.as_of("2026-11-02")
    assert len(first_day) == len(list(first_day)) > 100
    assert first_day.columns == list(first_day.first()._fields)
    assert {row.certain for row in first_day} == {1}
    assert list(opened.as_of(date(2026, 11, 2))) == list(first_day)
    of_track = list(opened.as_of("2026-11-02", of=f"soundcloud:tracks:{track}"))
    assert of_track == [row for row in first_day if row.track_id == track]
    assert of_track
    person = of_track[0].user_id
    assert {row.user_id for row in opened.as_of("2026-11-02", of=f"soundcloud:users:{person}")} == {person}
    assert {row.certain for row in opened.as_of("2027-01-01", certain=False)} == {0}
    for day in ("", "soon", "2026-13-01", "2026-11-02T25:00"):
        with pytest.raises(SettingsError, match="2026-11-20"):
            opened.as_of(day)
    ((playlist,),) = read(path, "SELECT min(id) FROM playlists")
    with pytest.raises(SettingsError, match="is a playlist"):
        opened.as_of("2026-11-02", of=f"soundcloud:playlists:{playlist}")


# --- the report ---------------------------------------------------------------------------------------------------


def page_of(path):
    with closing(open_to_read(path)) as connection:
        facts = gather(connection, path.name)
    return facts, parse(page(facts))


def test_the_report_says_how_much_has_changed_since_the_last_refresh(path, stream):
    facts, whole = page_of(path)
    section = by_id(whole, "since")
    counts = Counter(change.what for change in stream)
    items = [words(item) for item in section.iter("li")]
    assert {item.split(maxsplit=1)[0] for item in items} == {f"{n:,}" for n in counts.values()}
    assert len(items) == len(counts)
    reasons = Counter(change.reason or "unknown" for change in stream if change.what == "went")
    (went,) = [item for item in items if item.startswith(f"{counts['went']} went")]
    assert went.endswith(
        f"{reasons['withdrawn']} withdrawn, {reasons['gone']} gone with what they led to,"
        f" {reasons['unknown']} for reasons unknown"
    )
    told_of = " ".join(words(part) for part in section.iter("p"))
    found = facts.since_last.found
    assert "The last refresh began on 2 December 2026" in told_of
    assert f"Of {found.unmoved} lists whose count had not moved, {found.unmoved_changed} had changed" in told_of
    assert found.unmoved_changed > 0
    assert "#since" in [link.get("href") for link in whole.iter("a")]


def test_the_report_names_things_with_links_and_no_listener(path, stream):
    facts, whole = page_of(path)
    rows = table(whole, "newest")
    kinds = Counter(change.what for change in facts.since_last.newest)
    assert kinds.keys() == {change.what for change in stream} - {"moved"}
    assert set(kinds.values()) <= set(range(1, NEWEST + 1))
    assert len(rows) == sum(kinds.values())
    links = {link.get("href") for link in by_id(whole, "since").iter("a")}
    assert links <= {row[0] for kind in ("tracks", "users", "playlists", "stations") for row in read(
        path, f"SELECT permalink_url FROM {kind}")}  # fmt: skip
    assert len(links) > 10
    nobody = {url for (url,) in read(path, "SELECT permalink_url FROM users AS u WHERE coalesce(track_count, 0) = 0"
                                     " AND NOT EXISTS (SELECT 1 FROM tracks WHERE uploader_id = u.id)")}  # fmt: skip
    assert nobody
    assert not links & nobody
    for change in facts.since_last.newest:
        if " likes " in change.text or " follows " in change.text or " reposts " in change.text:
            assert change.text.startswith("somebody ")
    assert any(change.text.startswith("somebody ") for change in facts.since_last.newest)


def test_the_report_of_a_file_that_was_never_refreshed_says_nothing_of_it(tmp_path):
    crawl_world(tmp_path / "t.db", WORLD, limits=Limits(max_users=3))
    facts, whole = page_of(tmp_path / "t.db")
    assert facts.since_last is None
    assert [part.get("id") for part in whole.iter("section")].count("since") == 0
    assert "Since last time" not in words(whole)


# --- the export ---------------------------------------------------------------------------------------------------

COLUMNS = {  # of an export: under which name a key leaves, by the table of the file
    "user_engagements": {"user_id": "user_id", "track_id": "item_id"},
    "user_follows": {"follower_id": "user_id", "followee_id": "target_id"},
    "tracks": {"uploader_id": "user_id", "id": "item_id"},
    "users": {"id": "user_id"},
    "playlists": {"owner_id": "user_id", "id": "playlist_id"},
    "playlist_tracks": {"playlist_id": "playlist_id", "track_id": "item_id"},
    "playlist_engagements": {"user_id": "user_id", "playlist_id": "playlist_id"},
    "stations": {"id": "station_id"},
    "station_tracks": {"station_id": "station_id", "track_id": "item_id"},
    "station_likes": {"user_id": "user_id", "station_id": "station_id"},
    "related_tracks": {"track_id": "item_id", "related_track_id": "target_item_id"},
    "comments": {"track_id": "item_id", "user_id": "user_id"},
    "web_profiles": {"user_id": "user_id"},
}
WHOSE = {"user_id": "user", "target_id": "user", "item_id": "track", "target_item_id": "track",
         "playlist_id": "playlist", "station_id": "station"}  # fmt: skip
PAST = {
    "past_interactions": ("past_engagements", ("user_id", "track_id")),
    "past_follows": ("past_follows", ("follower_id", "followee_id")),
    "past_playlist_items": ("past_playlist_tracks", ("playlist_id", "track_id")),
    "past_playlist_engagements": ("past_playlist_engagements", ("user_id", "playlist_id")),
    "past_station_likes": ("past_station_likes", ("user_id", "station_id")),
    "past_comments": ("past_comments", ("track_id", "user_id")),
    "past_web_profiles": ("past_web_profiles", ("user_id",)),
}
BOTH = ("like", "repost")


def written(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]


def ids_of(change):
    return {COLUMNS[change.table][key]: value for key, value in change.ids.items() if key in COLUMNS[change.table]}


@pytest.fixture(scope="module")
def leaving(path, stream, tmp_path_factory):
    """The stream without what names a track that no list names any more: related tracks have no past."""
    out = tmp_path_factory.mktemp("leaving") / "out"
    leave(path, out, format="jsonl", lists=True, kinds=BOTH)
    items = {row["item_id"] for row in written(out, "items")}
    kept = [
        change
        for change in stream
        if {ids_of(change).get(name) for name in ("item_id", "target_item_id")} <= items | {None}
    ]
    assert 0 < len(stream) - len(kept) < 5
    return kept


def test_the_export_takes_the_stream_along(path, tmp_path, stream, leaving):
    made = leave(path, tmp_path / "out", format="jsonl", lists=True, texts=True, kinds=BOTH)
    rows = written(tmp_path / "out", "changes")
    assert [(row["version"], row["what"], row["old"], row["new"], row["reason"]) for row in rows] == [
        (change.version, change.what, change.old, change.new, change.reason) for change in leaving
    ]
    assert [{name: row[name] for name in WHOSE if row[name] is not None} for row in rows] == list(map(ids_of, leaving))
    assert [row["kind"] for row in rows] == [change.ids.get("engagement_type") for change in leaving]
    assert {row["seen_at"] for row in rows} == {stream[0].at}
    assert made["changes"] == {"last_version": stream[-1].version}
    assert made["left_out"] == []
    assert [file["rows"] for file in made["files"] if file["table"] == "changes"] == [len(leaving)]


def test_the_page_describes_every_column_of_the_stream_and_of_what_is_past(path, tmp_path):
    made = leave(path, tmp_path / "out", format="jsonl", lists=True)
    page = (ROOT / "docs" / "export.md").read_text("utf-8")
    told = page[page.index("`changes` is what came") : page.index("## Every other list")]
    columns = {file["table"]: file["columns"] for file in made["files"]}
    first_cells = "".join(line.split("|")[1] for line in told.splitlines() if line.startswith("| `"))
    assert re.findall(r"`(\w+)`", first_cells) == columns["changes"]
    for name in PAST:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        of_its_own = [column for column in columns[name] if not column.endswith("chance")]  # told below, for all tables
        assert re.findall(r"`(\w+)`", line.split("|")[2].partition(";")[0]) == of_its_own


@pytest.mark.parametrize("name", PAST)
def test_what_is_past_leaves_with_its_bounds_and_its_reason(path, tmp_path, name):
    table, keys = PAST[name]
    leave(path, tmp_path / "out", format="jsonl", lists=True)
    expected = read(
        path,
        f"SELECT {', '.join(f'e.{key}' for key in keys)}, f.fetched_at, g.fetched_at, e.reason FROM {table} AS e"
        " JOIN pages AS f ON f.id = e.first_page_id JOIN pages AS g ON g.id = e.gone_page_id",
    )
    found = [
        (*list(row.values())[: len(keys)], row["seen_from"], row["gone_by"], row["reason"])
        for row in written(tmp_path / "out", name)
    ]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert found


def test_likes_alone_take_the_changes_of_likes_among_those_who_leave(path, tmp_path, stream):
    leave(path, tmp_path / "out", format="jsonl")
    people = {row["user_id"] for row in written(tmp_path / "out", "users")}
    tracks = {row["item_id"] for row in written(tmp_path / "out", "items")}
    rows = [row for row in written(tmp_path / "out", "changes") if row["table"] == "interactions"]
    assert [row["version"] for row in rows] == [
        change.version
        for change in stream
        if change.ids.get("engagement_type") == "like" and change.table == "user_engagements"
        and change.ids["user_id"] in people | uploaders(path) and change.ids["track_id"] in tracks
    ]  # fmt: skip
    assert {row["table"] for row in written(tmp_path / "out", "changes")} == {"interactions", "items", "users"}
    assert rows


def uploaders(path):
    return {one for (one,) in read(path, "SELECT uploader_id FROM tracks")}


def test_under_pseudonyms_the_stream_names_nobody(path, tmp_path, leaving):
    made = leave(
        path, tmp_path / "out", format="jsonl", lists=True, kinds=BOTH, ids="pseudonym", key_file=tmp_path / "k"
    )
    key = (tmp_path / "k").read_bytes().strip()
    rows = written(tmp_path / "out", "changes")
    assert [{name: row[name] for name in WHOSE if row[name] is not None} for row in rows] == [
        {name: pseudonym(key, WHOSE[name], number) for name, number in ids_of(change).items()} for change in leaving
    ]
    for row, change in zip(rows, leaving, strict=True):
        if change.what in ("renamed", "retitled", "edited") or (change.what, change.table) == ("moved", "users"):
            assert (row["old"], row["new"]) == (None, None)
        elif change.what == "moved":
            assert json.loads(row["new"]) == {name: about(n) for name, n in json.loads(change.new).items()}
        else:
            assert (row["old"], row["new"]) == (change.old, change.new)
    text = "\n".join(file.read_text("utf-8") for file in sorted((tmp_path / "out").iterdir()))
    for named in ("users", "tracks", "playlists", "stations"):
        numbers = [str(one) for (one,) in read(path, f"SELECT id FROM {named}")]
        assert [number for number in numbers if len(number) > 6 and number in text] == []
    for change in leaving:
        if change.what in ("renamed", "retitled") and len(change.old) > 6:
            assert change.old not in text
            assert change.new not in text
    assert any("names of people, titles, counts of people, orders of playlists" in note for note in made["left_out"])


def test_names_of_people_leave_only_with_what_people_wrote_and_orders_only_with_real_ids(path, tmp_path):
    made = leave(path, tmp_path / "out", format="jsonl", lists=True, ids="dense")
    rows = written(tmp_path / "out", "changes")
    assert {row["old"] for row in rows if row["what"] in ("renamed", "edited")} == {None}
    assert None not in {row["old"] for row in rows if row["what"] == "retitled"}
    assert "left out of changes, in old and new: names of people, orders of playlists" in made["left_out"]
    numbers = {row["user_id"] for row in written(tmp_path / "out", "user_ids")}
    assert {row["user_id"] for row in rows} - {None} <= numbers


@pytest.mark.parametrize("format_name", ["csv", "parquet", "hf"])
def test_every_format_of_tables_has_the_stream(path, tmp_path, format_name, leaving):
    if format_name != "csv":
        pytest.importorskip("pyarrow")
    made = leave(path, tmp_path / "out", format=format_name, lists=True, kinds=BOTH)
    (file,) = [file for file in made["files"] if file["table"] == "changes"]
    assert file["rows"] == len(leaving)
    if format_name == "csv":
        with (tmp_path / "out" / file["path"]).open(encoding="utf-8", newline="") as lines:
            assert [int(row["version"]) for row in csv.DictReader(lines)] == [change.version for change in leaving]


def test_a_file_that_has_not_changed_has_no_stream_to_leave(tmp_path):
    crawl_world(tmp_path / "t.db", WORLD, limits=Limits(max_users=3))
    made = leave(tmp_path / "t.db", tmp_path / "out", format="jsonl", lists=True)
    assert made["changes"] == {"last_version": 0}
    assert not [file for file in made["files"] if file["table"].startswith(("changes", "past_"))]


# --- from Python --------------------------------------------------------------------------------------------------


def test_python_refreshes_as_the_command_does(tmp_path):
    world, path, heard = a_world(23), tmp_path / "t.db", []
    with run_in_thread(world) as server:
        settings = settings_for(server)
        harvest.crawl(world.seed_url(), path=path, settings=settings, delay=0, max_users=8, read=",".join(EVERYTHING))
        server.move(9)
        with pytest.raises(SettingsError, match="older"):
            harvest.refresh(path, settings=settings, older=3)
        with pytest.raises(SettingsError, match="older-than"):
            harvest.refresh(path, settings=settings, older_than="soon")
        total = server.total
        bounded = harvest.refresh(path, settings=settings, delay=0, read="likes", max_requests=3)
        assert total < server.total <= total + 3
        assert (bounded.state, bounded.left_out > 0) == ("done", True)  # what found no room is not begun
        version = sum(bounded.changes.values())
        found = harvest.refresh(path, settings=settings, delay=0, full=True, progress=heard.append)
    assert found.state == "done"
    assert found.lists > 20
    assert found.changes["came"] > 0
    assert sum(found.reasons.values()) == found.changes["went"]
    assert sum(found.changes.values()) == len(harvest.open(path).changes(version))
    assert len(heard) > found.lists
