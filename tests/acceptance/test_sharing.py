"""`harvest dehydrate` and `harvest hydrate`: what leaves is ids; what comes back is what is still there, exactly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import signal
import sqlite3

import pytest

from harvest.export.pseudonyms import pseudonym
from harvest.lists import BY_NAME
from harvest.models import Limits
from harvest.profiles import CONTENT
from harvest.sharing.columns import held, tables
from harvest.simulator import Drift, World, run_in_thread
from tests.crawling import crawl_world, read
from tests.faulty import assert_no_contradiction
from tests.forgetting import texts_of
from tests.repetitions import slow_but
from tests.waiting import until

WORLD = World(6, users=50, tracks=120, playlists=60, likes_per_user=12, seed_likers=15, seed_reposters=6, gone=0)
ALL = tuple(name for name, kind in BY_NAME.items() if not kind.own and not kind.searches)
LIMITS = Limits(read=ALL, max_users=5, max_tracks=8, max_playlists=8, max_user_likes=30, depth=1)
SEEDS = [WORLD.seed_url(), WORLD.facts.url("station", 1), "search:tracks?q=o"]
USUAL = ("--delay", "0", "-q")
# Texts that no look-up shows, but the lists themselves.
OF_LISTS = ("comments", "web_profiles", "past_comments", "past_web_profiles")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "t.db"
    crawl_world(path, WORLD, SEEDS, LIMITS, max_in_flight=1)
    return path


@pytest.fixture
def path(known, tmp_path):
    (tmp_path / "t.db").write_bytes(known.read_bytes())
    return tmp_path / "t.db"


def rows(path, table, columns):
    """Give some columns of a table, by its key or else all of them."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
    quoted = ", ".join(f'"{name}"' for name in [*keys, *columns])
    found = read(path, f"SELECT {quoted} FROM {table}")
    return {row[: len(keys)]: row[len(keys) :] for row in found}


# What an asking once more moves, in the rows it is about.
MOVED_BY_LOOKING = {"seen_as", "counts_seen_at", "counts_page_id", "last_seen_on", "body_hash"}
# What tells of the asking itself: rows are added, and none is another.
LEDGER = {"tasks", "readings", "pages", "batches", "batch_items", "runs", "run_requests", "failures"}
HIDDEN = {"seeds": {"address", "aliases", "reason"}, "harvests": {"seed_url", "reason"},
          "failures": {"message", "reply"},
          "pages": {"request", "asks", "body_hash"}}  # fmt: skip


def assert_the_same(path, other, *, at_least=False):
    """Compare every table of a hydrated file with the one it was made of."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        there = tables(connection)
    compared = 0
    for table, columns in there.items():
        left_out = set(CONTENT.get(table.removeprefix("past_"), ())) if table in OF_LISTS else set()
        wanted = [c for c in columns if c not in MOVED_BY_LOOKING | HIDDEN.get(table, set()) | left_out]
        expected, found = rows(path, table, wanted), rows(other, table, wanted)
        if table in LEDGER:
            found = {key: row for key, row in found.items() if key in expected}
        assert found.keys() == expected.keys(), table
        for key, row in expected.items():
            for column, was, now in zip(wanted, row, found[key], strict=True):
                content = column in CONTENT.get(table, ())
                assert now == was or (content and was is None), (table, key, column)
                compared += 1
    assert compared > 5000
    tags = "SELECT x.track_id, g.name FROM track_tags x JOIN tags g ON g.id = x.tag_id ORDER BY 1, 2"
    gone = {one for (one,) in read(other, "SELECT id FROM tracks WHERE status <> 'ok'")}
    assert [row for row in read(other, tags) if row[0] not in gone] == [r for r in read(path, tags) if r[0] not in gone]


def test_hydrating_what_was_dehydrated_gives_the_same_file(run, path, tmp_path):
    with run_in_thread(WORLD) as server:
        assert run("dehydrate", "ids", "--db", path, "--ids", "raw").returncode == 0
        done = run("hydrate", "ids", "--db", "new.db", *USUAL, "--json", server=server)
        assert done.returncode == 0, done.stderr
        before = server.total
        assert run("hydrate", "ids", "--db", "new.db", *USUAL, server=server).returncode == 0
        assert server.total == before
    assert_the_same(path, tmp_path / "new.db")
    assert_no_contradiction(tmp_path / "new.db")
    told = json.loads(done.stdout)
    for word, table in (
        ("people", "users"),
        ("tracks", "tracks"),
        ("playlists", "playlists"),
        ("stations", "stations"),
    ):
        ((n,),) = read(path, f"SELECT count(*) FROM {table}")
        assert told[word]["asked"] == n
        assert told[word]["came"] + told[word]["gone"] == n
        assert told[word]["left"] == 0


def digits(folder):
    """Give the numbers that stand in the files of a folder, and their text."""
    text = "\n".join(one.read_text("utf-8") for one in sorted(folder.rglob("*")) if one.is_file())
    return {int(one) for one in re.findall(r"\d{6,19}", text)}, text


def content_of(path):
    """Give every text of content that is long enough to mean something."""
    found = {
        row[0]
        for table, columns in {**CONTENT, "tags": ("name",)}.items()
        for column in columns
        for row in read(path, f"SELECT DISTINCT {column} FROM {table} WHERE typeof({column}) = 'text'")
    }
    said_anyway = re.compile(r"playable|preview|blocked|public|private|other|album|single|compilation|[\d,A-Z:-]*")
    kept = {text for text in found if len(text) > 4 and not said_anyway.fullmatch(text)}
    return {text for text in kept if not text.startswith("soundcloud:system-playlists:")}


@pytest.mark.first_case
@pytest.mark.parametrize("ids", ["raw", "pseudonym"])
def test_no_content_and_under_pseudonyms_no_person_stands_in_any_file(run, path, tmp_path, ids):
    done = run("dehydrate", "ids", "--db", path, "--ids", ids, *(["--key", "k"] if ids == "pseudonym" else []))
    assert done.returncode == 0, done.stderr
    numbers, text = digits(tmp_path / "ids")
    content = content_of(path) | {row[0] for row in read(path, "SELECT address FROM seeds WHERE address LIKE 'http%'")}
    assert len(content) > 300
    assert [one for one in content if one in text] == []
    people = {row[0] for row in read(path, "SELECT id FROM users") if row[0] > 10**5}
    comments = {row[0] for row in read(path, "SELECT id FROM comments") if row[0] > 10**5}
    tracks = {row[0] for row in read(path, "SELECT id FROM tracks")}
    if ids == "pseudonym":
        assert numbers & (people | comments) == set()
        assert "ids of people are pseudonyms".lower() in done.stdout.lower()
    else:
        assert people <= numbers
    assert len(numbers & tracks) > 20
    assert not list((tmp_path / "ids").glob(".*"))


def test_under_pseudonyms_nothing_joins_people_with_what_their_pages_show(path, tmp_path):
    """Whose a track is, places in public lists, requests, cursors, exact counts of people."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.create_function("pseudonym", 2, lambda kind, number: number)
        there = {one.name: connection.execute(one.sql).fetchall() for one in held(connection, pseudonyms=True)}
        names = {one.name: one.columns for one in held(connection, pseudonyms=True)}
    empty = {
        ("tracks", "uploader_id"), ("playlists", "owner_id"), ("user_engagements", "track_list_rank"),
        ("user_follows", "followers_list_rank"), ("user_follows", "followings_list_rank"), ("pages", "next_cursor"),
        ("pages", "asks"), ("users", "followers_count"), ("users", "likes_given_count"), ("visits", "place"),
    }  # fmt: skip
    for table, column in empty:
        place = names[table].index(column)
        assert there[table]
        assert {row[place] for row in there[table]} == {None}, (table, column)
    assert {"web_profiles", "plays", "changes", "user_counts", "untold_counts"}.isdisjoint(there)


def test_somebody_else_fills_tracks_and_playlists_and_people_stay_pseudonyms(run, path, tmp_path):
    assert run("dehydrate", "ids", "--db", path, "--key", "private.key").returncode == 0
    key = (tmp_path / "private.key").read_bytes().strip()
    people = {row[0] for row in read(path, "SELECT id FROM users")}
    with run_in_thread(WORLD, keep_log=True) as server:
        done = run(
            "hydrate", "ids", "--db", "new.db", *USUAL, "--json", server=server, XDG_STATE_HOME=str(tmp_path / "s")
        )
        assert done.returncode == 0, done.stderr
    assert "People stay pseudonyms" in done.stderr
    told = json.loads(done.stdout)
    assert told["people"]["asked"] == 0
    new = tmp_path / "new.db"
    content = [column for column in CONTENT["tracks"] if column != "permalink_url"]
    found, expected = rows(new, "tracks", content), rows(path, "tracks", content)
    assert found.keys() == expected.keys()
    for one, row in expected.items():
        assert [now for was, now in zip(row, found[one], strict=True) if was is not None] == [
            w for w in row if w is not None
        ]
    likes = "SELECT user_id, track_id, engagement_type, user_list_rank FROM user_engagements"
    assert set(read(new, likes)) == {(pseudonym(key, "user", row[0]), *row[1:]) for row in read(path, likes)}
    listed = {row[0] for row in read(new, "SELECT user_id FROM user_engagements")}
    assert listed.isdisjoint(people)


def test_with_the_key_people_are_led_back(run, path, tmp_path):
    assert run("dehydrate", "ids", "--db", path, "--key", "private.key").returncode == 0
    with run_in_thread(WORLD) as server:
        done = run("hydrate", "ids", "--db", "new.db", "--key", "private.key", *USUAL, server=server)
        assert done.returncode == 0, done.stderr
    new = tmp_path / "new.db"
    for sql in (
        "SELECT user_id, track_id, engagement_type, user_list_rank FROM user_engagements",
        "SELECT follower_id, followee_id FROM user_follows",
        "SELECT id, username, permalink_url FROM users",
        "SELECT id, title FROM tracks",
        "SELECT id, owner_id, title FROM playlists",
        "SELECT track_id, user_id FROM comments",
        "SELECT thing, thing_id, round, depth, chance FROM visits",
        "SELECT kind, subject_id, outcome, collected FROM tasks WHERE kind NOT IN ('lookup', 'resolve')",
        "SELECT thing, thing_id FROM seeds",
        "SELECT station_id, track_id FROM station_tracks",
        "SELECT id, urn, title FROM stations WHERE urn LIKE '%-stations:%'",
    ):
        assert sorted(read(new, sql), key=repr) == sorted(read(path, sql), key=repr), sql
    other = run("hydrate", "ids", "--db", "other.db", "--key", "other.key")
    assert other.returncode == 2
    assert (tmp_path / "private.key.people").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("key", slow_but(["named"], ["raw", "named"]))
def test_who_was_forgotten_since_does_not_come_back_with_a_folder(run, path, tmp_path, key):
    """Nor under a pseudonym that the key leads back; the list beside the key does not hold them any more."""
    ((who,),) = read(path, "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    made = {row[0] for row in read(path, "SELECT id FROM tracks WHERE uploader_id = ?", who)}
    texts = texts_of(path, "user", who)
    keys = () if key == "raw" else ("--key", "private.key")
    others = len(read(path, "SELECT id FROM users")) - 1
    assert run("dehydrate", "ids", "--db", path, *(keys or ("--ids", "raw"))).returncode == 0
    people = tmp_path / "private.key.people"
    done = run("forget", f"soundcloud:users:{who}", "--db", path, "--yes", "--json")
    assert json.loads(done.stdout)["unlisted"] == ([] if key == "raw" else [str(people)])
    if key == "named":
        assert len(people.read_text().split()) == others
        assert str(who) not in people.read_text().split()
    with run_in_thread(WORLD) as server:
        done = run("hydrate", "ids", "--db", "new.db", *keys, *USUAL, server=server)
    assert (done.returncode, read(tmp_path / "new.db", "SELECT count(*) FROM users WHERE id = ?", who)) == (0, [(0,)])
    new = tmp_path / "new.db"
    assert made.isdisjoint(row[0] for row in read(new, "SELECT id FROM tracks"))
    assert read(new, "SELECT count(*) FROM user_engagements WHERE user_id = ?", who) == [(0,)]
    assert [text for text in texts if text.encode() in new.read_bytes()] == []
    told = "that you have forgotten before"
    assert (told in done.stderr) is (key == "raw" or bool(made))
    verified = run("verify", "--forgotten", "--db", new)
    assert "forgotten." not in verified.stdout
    assert verified.returncode == 0 or key == "named"  # what has stayed behind with hidden people is missed


def test_without_naming_a_key_the_one_of_the_state_folder_serves(run, path, tmp_path):
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert run("dehydrate", "ids", "--db", path, **state).returncode == 0
    with run_in_thread(WORLD) as server:
        done = run("hydrate", "ids", "--db", "new.db", *USUAL, "--json", server=server, **state)
    assert json.loads(done.stdout)["people"]["came"] == len(read(path, "SELECT id FROM users"))


@pytest.mark.slow
def test_what_has_moved_meanwhile_is_as_if_all_had_been_looked_up_in_place(run, tmp_path):
    """Of what is gone the id stays; what has changed is as it is now; the report counts both."""
    world = World(9, users=60, tracks=120, playlists=20, likes_per_user=12, seed_likers=20, drift=MOVING)
    path, other = tmp_path / "t.db", tmp_path / "other.db"
    crawl_world(path, world, [world.seed_url()], Limits(read=ALL, max_users=8, max_playlists=5, depth=1))
    other.write_bytes(path.read_bytes())
    with contextlib.closing(sqlite3.connect(other)) as connection, connection:
        for table in ("users", "tracks"):
            connection.execute(
                f"UPDATE {table} SET counts_seen_at = '2020-01-01T00:00:00Z', last_seen_on = '2020-01-01'"
            )
    assert run("dehydrate", "ids", "--db", path, "--ids", "raw").returncode == 0
    with run_in_thread(world.at(10)) as server:
        assert run("counts", "--older-than", "1d", "--db", other, *USUAL, server=server).returncode == 0
        done = run("hydrate", "ids", "--db", "new.db", *USUAL, "--json", server=server)
        assert done.returncode == 0, done.stderr
    new, told = tmp_path / "new.db", json.loads(done.stdout)
    for table, word in (("users", "people"), ("tracks", "tracks")):
        gone = {row[0] for row in read(new, f"SELECT id FROM {table} WHERE status = 'gone'")}
        assert gone == {row[0] for row in read(other, f"SELECT id FROM {table} WHERE status = 'gone'")}
        assert told[word]["gone"] == len(gone) > 0
        before, moved = rows(path, table, COUNTS[table]), rows(other, table, COUNTS[table])
        known = {one for one, row in before.items() if one in moved and (one[0] not in gone)}
        differ = {
            one
            for one in known
            if any(was is not None and now != was for was, now in zip(before[one], moved[one], strict=True))
        }
        assert told[word]["changed"] == len(differ)
        columns = [c for c in CONTENT[table] if c not in ("full_name", "city", "country", "description", "website")]
        found, expected = rows(new, table, columns), rows(other, table, columns)
        assert {one: row for one, row in found.items() if one[0] not in gone and one in expected} == {
            one: row for one, row in expected.items() if one[0] not in gone
        }
        assert {row for one, row in found.items() if one[0] in gone} == {(None,) * len(columns)}
    assert_no_contradiction(new)


MOVING = Drift(come=0.02, go=0.02, people_go=0.01, tracks_go=0.01, playlists_go=0.01, renames=0.02)
COUNTS = {
    "users": ("followers_count", "followings_count", "track_count", "playlist_count", "likes_given_count"),
    "tracks": ("likes_count", "reposts_count", "comment_count"),
}


@pytest.mark.slow
def test_stopped_by_a_budget_and_killed_it_goes_on(run, start, path, tmp_path):
    assert run("dehydrate", "ids", "--db", path, "--ids", "raw").returncode == 0
    whole, new = tmp_path / "whole.db", tmp_path / "new.db"
    with run_in_thread(WORLD) as server:
        plan = run("hydrate", "ids", "--db", "new.db", "--dry-run", server=server)
        assert "To ask for: " in plan.stdout
        assert not new.exists()
        assert server.total == 0
        assert run("hydrate", "ids", "--db", "whole.db", *USUAL, server=server).returncode == 0
        stopped = run("hydrate", "ids", "--db", "new.db", *USUAL, "--max-requests", "3", server=server)
        assert stopped.returncode == 7
        assert "Go on with: harvest hydrate ids --cache-path new.db" in stopped.stdout
        before = server.total
        process = start("hydrate", "ids", "--db", "new.db", "--delay", "0.1", "-q", server=server)
        until(lambda: server.total > before + 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert run("hydrate", "ids", "--db", "new.db", *USUAL, server=server).returncode == 0
    for table in ("users", "tracks", "playlists", "stations", "engagements", "track_tags"):
        columns = [c for c in CONTENT.get(table, ()) if c != "last_seen_on"]
        assert rows(new, table, columns) == rows(whole, table, columns), table
    assert_no_contradiction(new)


def spoil(folder, name, change):
    """Change a file of a folder, and its hash in the manifest with it: what anybody can do."""
    file, manifest = folder / name, folder / "manifest.json"
    text = change(file.read_text("utf-8"))
    file.write_text(text, "utf-8")
    told = json.loads(manifest.read_text("utf-8"))
    for one in told["files"]:
        if one["path"] == name:
            one["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    manifest.write_text(json.dumps(told), "utf-8")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("users.jsonl", lambda text: text.replace("\n[", "\n{", 1), "no list of plain values"),
        ("users.jsonl", lambda text: text.replace('"id"', '"id); DROP TABLE users; --"', 1), "other columns"),
        ("users.jsonl", lambda text: text.replace('"ok"', '"hacked"', 1), "no harvest can hold"),
        ("users.jsonl", lambda text: text.splitlines()[0] + "\n", "is not whole"),
        ("tracks.jsonl", lambda text: text.replace("\n[", '\n["many", ', 1), "a row of"),
        pytest.param(
            "tracks.jsonl",
            lambda text: text.replace("\n[", "\n[[1], ", 1),
            "no list of plain values",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_folder_that_holds_what_it_cannot_is_refused_in_one_line(run, path, tmp_path, name, change, said):
    assert run("dehydrate", "ids", "--db", path, "--ids", "raw").returncode == 0
    spoil(tmp_path / "ids", name, change)
    done = run("hydrate", "ids", "--db", "new.db", *USUAL)
    assert done.returncode == 4, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    with contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_other_folders_and_other_files_are_left_alone(run, path, tmp_path):
    assert run("dehydrate", "ids", "--db", path, "--ids", "raw").returncode == 0
    assert run("dehydrate", "ids", "--db", path, "--ids", "raw").returncode == 4
    assert run("hydrate", "ids", "--db", path, *USUAL).returncode == 4
    (tmp_path / "empty").mkdir()
    assert run("hydrate", "empty", "--db", "new.db", *USUAL).returncode == 4
    (tmp_path / "ids" / "tracks.jsonl").write_text("[]\n")
    told = run("hydrate", "ids", "--db", "new.db", *USUAL)
    assert "differs from the manifest beside it" in told.stderr
    assert run("dehydrate", "in", "--db", path, "--key", "in/key").returncode == 2
    (tmp_path / "loop").symlink_to("loop")
    assert run("dehydrate", "loop", "--db", path, "--key", "k").returncode == 4
    assert not (tmp_path / "new.db").exists()


def test_only_tables_that_somebody_has_thought_about_leave(path):
    """A new table stays behind, or is named here: is there anything in it that says who somebody is?"""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        there = set(tables(connection))
    assert there == {
        "users", "tracks", "user_engagements", "user_follows", "playlists", "playlist_tracks", "stations",
        "station_tracks", "station_likes", "plays", "web_profiles", "playlist_engagements", "comments", "track_counts",
        "user_counts", "derivations", "related_tracks", "runs", "run_requests", "tasks", "batches", "batch_items",
        "readings", "reading_items", "pages", "failures", "seeds", "searches", "search_results", "harvests",
        "harvest_seeds", "recipes", "visits", "rounds", "past_engagements", "past_follows", "past_playlist_tracks",
        "past_playlist_engagements", "past_comments", "past_station_likes", "past_web_profiles", "unexplained",
        "changes", "refreshes", "untold_counts", "judgments",
    }  # fmt: skip


def test_full_profiles_are_filled_and_stay(run, path, tmp_path):
    """The same command without the option keeps what it kept before, and empties nothing."""
    assert run("dehydrate", "ids", "--db", path, "--ids", "raw").returncode == 0
    said = "SELECT count(*) FROM users WHERE city IS NOT NULL OR description IS NOT NULL"
    with run_in_thread(WORLD) as server:
        assert run("hydrate", "ids", "--db", "new.db", "--profiles", "full", *USUAL, server=server).returncode == 0
        before = read(tmp_path / "new.db", said)
        assert before > [(5,)]
        assert run("hydrate", "ids", "--db", "new.db", *USUAL, server=server).returncode == 0
    assert read(tmp_path / "new.db", said) == before
