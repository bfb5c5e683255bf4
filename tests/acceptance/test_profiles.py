"""`--profiles`: with `none` nothing but ids, edges and the counts a crawl goes by reaches the file; less than before
empties what is there, down to the bytes; more than before is looked up.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import sqlite3
import subprocess
import sys

import pytest

import harvest
from harvest.cli.main import _run as run_here
from harvest.environment import Environment
from harvest.explore.named import named_queries
from harvest.export.choices import FORMATS
from harvest.lists import BY_NAME
from harvest.models import Limits
from harvest.profiles import CONTENT, NO_TEXT, PERSONAL
from harvest.simulator import World, run_in_thread, serve
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import Sweep
from tests.acceptance.conftest import ROOT, environment
from tests.crawling import crawl_together, read
from tests.faulty import assert_no_contradiction
from tests.repetitions import each_once, one_in, slow_but

WORLD = World(6, users=50, tracks=120, playlists=60, likes_per_user=12, seed_likers=15, seed_reposters=6)
ALL = tuple(name for name, kind in BY_NAME.items() if not kind.own and not kind.searches)
LIMITS = Limits(read=ALL, max_users=4, max_tracks=8, max_playlists=8, max_user_likes=30, depth=1)
FEW = Limits(read=ALL, max_users=2, max_tracks=2, max_playlists=3, max_user_likes=30, depth=1)
SEEDS = {
    "track": WORLD.seed_url(),
    "user": WORLD.user_url(WORLD.id("user", 5)),
    "playlist": WORLD.playlist_url(WORLD.id("playlist", 1)),
    "station": WORLD.facts.url("station", 1),
    "urn": f"soundcloud:tracks:{WORLD.id('track', 3)}",
    "search": "search:tracks?q=o",
    "me": "me",
}
# Words that stand in any file: the service's for a state, and parameters of requests.
SAID_ANYWAY = re.compile(
    r"playable|preview|blocked|public|private|other|album|single|compilation|[\d,A-Z:-]*|soundcloud:system-playlists:.*"
    r"|bandcamp|personal|instagram"
)


def crawled(path, *steps, seed="track", world=WORLD, **options):
    """Crawl in turn at each level, or do what a step says besides; give how many requests each took."""
    totals = []

    async def all_of_them():
        async with serve(world, gzip=False) as server:
            mine = {"access_token": server.service.tokens.access_token(user=True)} if seed == "me" else {}
            for level, more in steps:
                before = server.total
                given = {"profiles": level, "max_in_flight": 1, **mine, **options, **more}
                harvests = given.pop("harvests", [(SEEDS[seed], LIMITS if seed == "track" else FEW)])
                assert await crawl_together(path, server, harvests, **given) == "drained"
                totals.append(server.total - before)

    asyncio.run(all_of_them())
    return totals


@pytest.fixture(scope="module", params=slow_but(["track", "user", "search"], SEEDS))
def pair(request, tmp_path_factory):
    """Two files of one crawl: of all there is, and of ids alone."""
    folder = tmp_path_factory.mktemp("levels")
    crawled(folder / "full.db", ("full", {}), seed=request.param)
    crawled(folder / "none.db", ("none", {}), seed=request.param)
    return folder / "full.db", folder / "none.db"


def words(path):
    """Give every text of content in a file that is long enough to mean something."""
    found = {
        row[0]
        for table, columns in {**CONTENT, "tags": ("name",)}.items()
        for column in columns
        for row in read(path, f"SELECT DISTINCT {column} FROM {table} WHERE typeof({column}) = 'text'")
    }
    found |= {row[0] for row in read(path, "SELECT address FROM seeds WHERE address LIKE 'https%'")}
    return {text for text in found if len(text) > 4 and not SAID_ANYWAY.fullmatch(text)}


def in_bytes(path, texts):
    """Give those that stand in a file or in one beside it, and the words of its search index."""
    content = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIRTUAL TABLE temp.v USING fts5vocab (main, track_search, row)")
        terms = [row[0] for row in connection.execute("SELECT term FROM temp.v")]
    return [text for text in texts if text.encode() in content], terms


def tables(path):
    """Give every row of every table, but for times and what a process says of itself; what is random stands for all."""
    found = {}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in sorted(names):
            if table.startswith(("sqlite_", "track_search", "_")) or table in ("file_key", "progress", "lease"):
                continue
            columns = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})")]
            kept = [
                name
                for name in columns
                if name in CONTENT.get(table.removeprefix("past_"), ())
                or (
                    not name.endswith(("_at", "_on"))
                    and name not in ("elapsed_ms", "body_hash", "options", "waited_ms", "at", "api_url")
                )
            ]
            quoted = ", ".join(f'"{name}"' for name in kept)
            rows = connection.execute(f"SELECT {quoted} FROM {table}").fetchall()
            found[table] = [dict(zip(kept, row, strict=True)) for row in rows]
    return found


def without_content(found):
    """Take out of the rows of a file what `none` leaves out."""
    for table, columns in CONTENT.items():
        for name in (table, f"past_{table}"):
            for row in found.get(name, []):
                row.update({column: NO_TEXT.get((table, column)) for column in columns})
    return found | {"tags": [], "track_tags": []}


def hide_seeds(found, *, requests=True):
    """Bring the one place together where addresses stand that somebody typed."""
    for row in found["seeds"]:
        row["aliases"] = row["address"] = None
    for row in found["harvests"]:
        row["seed_url"] = None
    looked_up = {row["id"] for row in found["tasks"] if row["kind"] == "resolve"}
    for row in found["pages"]:
        if row["task_id"] in looked_up:
            row["request"] = row["asks"] = None
    return found


@pytest.mark.first_case
def test_nothing_but_ids_edges_and_claims_is_stored(pair):
    """The file of ids is that of everything without content, table by table, the ledger included."""
    full, none = pair
    expected, found = hide_seeds(without_content(tables(full))), hide_seeds(tables(none))
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table
    assert_no_contradiction(none)


@pytest.mark.first_case
def test_no_byte_of_content_reaches_the_file(pair):
    full, none = pair
    planted = words(full)
    assert len(planted) > 300
    assert in_bytes(none, planted) == ([], [])
    assert len(in_bytes(full, planted)[0]) > 250


def test_the_seed_is_found_again_by_its_address(tmp_path):
    for seed in ("track", "user", "playlist", "station", "urn", "search"):
        path, harvests = tmp_path / f"{seed}.db", {"harvests": [(SEEDS[seed], Limits(depth=0))]}
        first, again = crawled(path, ("none", harvests), ("none", harvests))
        assert first > 1
        assert again == 0
        assert read(path, "SELECT count(*) FROM seeds") == [(1,)]
        assert read(path, "SELECT count(*) FROM harvests WHERE seed_url LIKE 'https%'") == [(0,)]


@pytest.mark.first_case
@pytest.mark.parametrize(("before", "after"), each_once(["full", "minimal"], ["minimal", "none"]))
def test_less_than_before_empties_what_is_there(tmp_path, before, after):
    """What is left is what a file has that never held more, and the bytes are gone too, of old names as of new ones."""
    path, other = tmp_path / "t.db", tmp_path / "other.db"
    crawled(path, (before, {}))
    planted = words(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:  # what stood here before is left in gaps
        connection.execute("UPDATE tracks SET title = 'a later title ' || id, description = NULL")
        connection.execute("UPDATE users SET username = 'a later name ' || id, city = NULL")
        old = read(path, "SELECT old FROM changes WHERE what = 'renamed'")
    planted |= {row[0] for row in old} | words(path)
    (requests,) = crawled(path, (after, {}))
    assert requests == 0
    assert_no_contradiction(path)
    if after == before:
        return
    personal = " OR ".join(f"{column} IS NOT NULL" for column in PERSONAL)
    assert read(path, f"SELECT count(*) FROM users WHERE {personal}") == [(0,)]
    if after == "minimal":
        plain = {row[0] for column in PERSONAL for row in read(other_full(tmp_path), f"SELECT {column} FROM users")}
        gone = {text for text in plain - {None} if len(text) > 12}
        assert len(gone) > 5
        assert in_bytes(path, gone)[0] == []
        return
    assert in_bytes(path, planted) == ([], [])
    crawled(other, ("none", {}))
    found, expected = hide_seeds(tables(path)), hide_seeds(tables(other))
    for table in expected.keys() - {"runs", "changes", "run_requests"}:
        assert found[table] == expected[table], table
    assert read(path, "SELECT count(*) FROM changes WHERE coalesce(old, new) IS NOT NULL") == [(0,)]


def other_full(folder):
    """Crawl the same world with everything."""
    path = folder / "everything.db"
    crawled(path, ("full", {}))
    return path


def test_a_reader_in_the_way_is_told_of_and_the_next_end_erases(tmp_path, capsys):
    path = tmp_path / "t.db"
    crawled(path, ("minimal", {}))
    planted = words(path)
    with contextlib.closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users").fetchone()
        crawled(path, ("none", {}))
        assert in_bytes_of(path.with_name("t.db"), planted)
        assert "profiles.not_yet_erased" in "".join(capsys.readouterr())  # wherever the log of this process goes
    crawled(path, ("none", {"harvests": [("soundcloud:users:" + str(WORLD.id("user", 7)), Limits(depth=0))]}))
    assert in_bytes(path, planted) == ([], [])


def test_killed_between_emptying_and_erasing_the_next_run_erases(tmp_path):
    """Emptying is one transaction, with the run that says so; what is overwritten afterwards is not forgotten."""
    path = tmp_path / "t.db"
    crawled(path, ("minimal", {}))
    planted = words(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")  # so that free pages keep their words
        connection.execute("CREATE TABLE room AS SELECT one.* FROM users AS one, users AS other")
        connection.execute("DROP TABLE room")
    dying = (
        "import os\n"
        "from harvest.store import levels\n"
        "levels.cut = lambda connection: os.kill(os.getpid(), 9)\n"
        "from harvest.__main__ import main\n"
        "main()\n"
    )
    with run_in_thread(WORLD, gzip=False) as server:
        given = ["resume", "--db", str(path), "--profiles", "none", "-q"]
        run = subprocess.run([sys.executable, "-c", dying, *given], env=environment(server), check=False)
        assert run.returncode == -9
        assert read(path, "SELECT count(*) FROM users WHERE username IS NOT NULL") == [(0,)]
        assert in_bytes(path, planted)[0] != []
    crawled(path, ("none", {"harvests": []}))
    assert in_bytes(path, planted) == ([], [])


def in_bytes_of(path, texts):
    """Say whether any of them stands in a file itself."""
    content = path.read_bytes()
    return any(text.encode() in content for text in texts)


@pytest.mark.parametrize("level", slow_but(["full"], ["minimal", "full"]))
def test_more_than_before_is_looked_up(tmp_path, level):
    """People and tracks are then as in a file that always kept so much; nothing is asked for twice."""
    path, other = tmp_path / "t.db", tmp_path / "other.db"
    _, up, again = crawled(path, ("none", {}), (level, {}), (level, {}))
    crawled(other, (level, {}))
    assert 0 < up < 30
    assert again == 0
    columns = {
        "users": "id, username, permalink_url, avatar_url",
        "tracks": "id, title, permalink_url, genre, duration_ms, created_at, playback_count, license",
    }
    for table, wanted in columns.items():
        found = {row[0]: row[1:] for row in read(path, f"SELECT {wanted} FROM {table}")}
        known = {row[0]: row[1:] for row in read(other, f"SELECT {wanted} FROM {table}")}
        assert found.keys() == known.keys()
        gone = {row[0] for row in read(path, f"SELECT id FROM {table} WHERE status <> 'ok'")}
        assert {one: row for one, row in found.items() if one not in gone} == {
            one: row for one, row in known.items() if one not in gone
        }
    if level == "full":
        people = "SELECT thing_id FROM visits WHERE thing = 'user'"
        sql = f"SELECT id, {', '.join(PERSONAL)} FROM users WHERE id IN ({people}) ORDER BY id"
        assert read(path, sql) == read(other, sql)
        assert any(set(row[1:]) != {None} for row in read(path, sql))
    assert_no_contradiction(path)


def test_reading_again_with_more_brings_back_texts_that_no_look_up_tells(tmp_path):
    """Comments, links, playlists and stations; also where the service answers byte for byte as before."""
    path, other = tmp_path / "t.db", tmp_path / "other.db"
    crawled(path, ("minimal", {}), ("none", {}), ("minimal", {"refresh": Refresh(full=True)}))
    crawled(other, ("minimal", {}))
    for table, wanted in (
        ("comments", "id, body, created_at, timestamp_ms"),
        ("web_profiles", "id, url, service, title, username"),
    ):
        rows = read(other, f"SELECT {wanted} FROM {table} ORDER BY id")
        assert rows
        assert read(path, f"SELECT {wanted} FROM {table} ORDER BY id") == rows
    assert read(path, "SELECT count(*) FROM playlists WHERE title IS NULL AND status = 'ok'") == [(0,)]
    assert_no_contradiction(path)


def test_counting_and_refreshing_keep_to_ids(tmp_path):
    path = tmp_path / "t.db"
    crawled(
        path,
        ("none", {}),
        ("none", {"harvests": [], "sweep": Sweep("all", profiles="none")}),
        ("none", {"harvests": [], "refresh": Refresh(full=True)}),
    )
    crawled(tmp_path / "full.db", ("full", {}))
    assert in_bytes(path, words(tmp_path / "full.db")) == ([], [])
    assert_no_contradiction(path)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A file of ids with something to show in most commands."""
    path = tmp_path_factory.mktemp("bare") / "t.db"
    crawled(path, ("none", {}), ("none", {"refresh": Refresh(full=True)}))
    return path


def named(path):
    """Give a track, a person and a playlist of a file, as its own ids."""
    ((track, user),) = read(path, "SELECT track_id, user_id FROM user_engagements WHERE user_list_rank = 0 LIMIT 1")
    ((playlist,),) = read(path, "SELECT playlist_id FROM playlist_tracks LIMIT 1")
    return {"track": track, "user": user, "playlist": playlist}


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "status --json",
        "report r.html",
        "verify",
        "failures",
        "failures --json",
        "changes",
        "changes --json",
        "analyze --min-common 1",
        "related {track}",
        "related {track} --method playlists",
        "similar {user}",
        "why user {user}",
        "why track {track}",
        "why playlist {playlist} --json",
        "snapshot copy.db",
        "sql search velvet",
        *one_in(
            3,
            [
                f"sql {query.stem}"
                for query in sorted((ROOT / "schema" / "queries").glob("*.sql"))
                if query.stem != "search"
            ],
        ),
        *one_in(3, [f"export out --format {name}" for name in FORMATS]),
        "export out --format jsonl --lists --texts",
        "export out --format parquet --lists --ids pseudonym --key k",
    ],
)
def test_every_command_answers_with_ids_in_place_of_names(bare, tmp_path, monkeypatch, capfd, line):
    path = tmp_path / "t.db"
    path.write_bytes(bare.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARVEST_CACHE_PATH", str(path))
    words = shlex.split(line.format(**named(path)))
    if words[0] == "sql":
        words += parameters(words[1], path)
    ended = run_here(words, Environment.here())
    told = capfd.readouterr()
    assert ended == 0, told.err
    shown = told.out + (tmp_path / "r.html").read_text("utf-8") if words[0] == "report" else told.out
    shown = re.sub(r"(seed read|until new) None", "", shown)  # options of the crawl
    assert re.search(r"\bNone\b", shown) is None
    assert "Traceback" not in told.err


def parameters(name, path):
    """Give values for what a named query must be told."""
    ids = named(path)
    needed = [p.name for p in named_queries()[name].parameters if p.default is None]
    known = {"user": ids["user"], "other": ids["user"], "track": ids["track"], "seed": ids["track"]}
    return [str(known.get(one, ids["track"])) for one in needed]


def test_the_dictionary_names_the_columns_that_are_left_out():
    page = (ROOT / "schema" / "README.md").read_text("utf-8")
    told = page[page.index("| table | what `none` leaves out |") : page.index("`changes` then tells")]
    rows = [re.findall(r"`(\w+)`", line) for line in told.splitlines()[2:] if line]
    assert {row[0]: tuple(row[1:]) for row in rows} == CONTENT


def test_python_reads_a_file_of_ids(bare):
    file = harvest.File(bare)
    likes = list(file.likes)
    assert likes
    assert {like.username for like in likes} == {None}
    assert len(list(file.users)) > 10
    assert len(list(file.tracks)) > 10
    assert [row.seed_url.partition(":tracks:")[0] for row in file.seeds] == ["soundcloud"]
