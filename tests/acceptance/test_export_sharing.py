"""What is handed on under pseudonyms leads nobody back, in any format; `--k` leaves out whom few others stand for."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sqlite3
import zipfile
from collections import Counter

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("scipy")

from pyarrow import csv as arrow_csv
from pyarrow import parquet

from harvest.export.choices import FORMATS, GRAPHS, PLAYERS, TABLES
from harvest.export.pseudonyms import pseudonym
from harvest.lists import BY_NAME
from harvest.models import Limits
from harvest.simulator import World
from tests.crawling import crawl_world, read
from tests.exporting import Expected, leave
from tests.repetitions import each_once

BOTH = ("like", "repost")
WORLD = World(4, users=50, tracks=120, playlists=60, likes_per_user=12, seed_likers=15, seed_reposters=6)
ALL = tuple(name for name, kind in BY_NAME.items() if not kind.own and not kind.searches)
LIMITS = Limits(read=ALL, max_users=12, max_tracks=3, max_playlists=8, max_user_likes=30, depth=1)
SEEDS = [WORLD.seed_url(), WORLD.facts.url("station", 1), *(f"search:{what}?q=o" for what in ("tracks", "users"))]
# What a row is allowed to say of itself in plain words: what it is, not who.
PLAIN = {"seen_as", "status", "engagement_type", "what", "table", "reason", "thing", "state", "filters"}
WORDS = ("users", "tracks", "playlists", "stations", "searches", "web_profiles", "comments", "tags", "changes")
ID_OF = {"user": "users", "track": "tracks", "playlist": "playlists", "station": "stations", "search": "searches"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file with every list read, in which every text is one of its own, with an id in it."""
    path = tmp_path_factory.mktemp("planted") / "t.db"
    crawl_world(path, WORLD, SEEDS, LIMITS)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for number, what, table, old, new in (
            (1, "renamed", "users", "a name", "another"),
            (2, "retitled", "tracks", "a title", "another"),
            (3, "moved", "users", '{"followers_count":4711}', '{"followers_count":8888}'),
            (4, "edited", "playlist_tracks", "[1234567,7654321]", "[7654321]"),
        ):
            where = "playlists" if table == "playlist_tracks" else table
            key = "playlist_id" if table == "playlist_tracks" else "id"
            connection.execute(
                'INSERT INTO changes (version, at, what, "table", ids, old, new, page_id)'
                f" SELECT ?, ?, ?, ?, json_object('{key}', min(id)), ?, ?, 1 FROM {where}",
                (number, "2026-11-21T12:00:00Z", what, table, old, new),
            )
        connection.execute(
            "DELETE FROM track_tags WHERE (track_id, tag_id) IN (SELECT track_id, tag_id FROM ("
            "SELECT *, row_number() OVER (PARTITION BY tag_id ORDER BY track_id) AS n FROM track_tags) WHERE n > 4)"
        )
        for table in WORDS:
            plant(connection, table)
        connection.execute("UPDATE stations SET urn = 'soundcloud:system-playlists:planted-stations-' || id")
        connection.execute("UPDATE seeds SET address = 'https://soundcloud.com/planted-seed-' || id WHERE thing <> 'x'")
        connection.execute("UPDATE pages SET request = request || '&planted=' || id")
    return path


def plant(connection, table):
    """Write a word that stands nowhere else into every text of a table, but for times and what a row is."""
    keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
    for _, column, kind, _, _, key in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if kind != "TEXT" or key or column in PLAIN or column == "ids" or column.endswith(("_at", "_on")):
            continue
        where = "WHERE what IN ('renamed', 'retitled')" if table == "changes" and column in ("old", "new") else ""
        if column in ("station_type", "urn", "words") and table != "searches":
            continue
        address = "https://soundcloud.com/" if column.endswith("url") else ""
        connection.execute(f"UPDATE {table} SET {column} = '{address}planted-{table}-{column}-' || {keys[0]} {where}")


def texts(folder):
    """Give every file of an export as bytes: as it is, and as its readers unpack it."""
    for file in sorted(folder.rglob("*")):
        if file.is_dir():
            continue
        raw = file.read_bytes()
        yield file.name, raw
        if file.suffix == ".parquet":
            table, text = parquet.read_table(file), io.BytesIO()
            for name in table.column_names:
                column = table.column(name)
                if str(column.type) == "int64":
                    yield f"{file.name} {name}", column.drop_null().to_numpy().tobytes()
                else:
                    text.write("\n".join(map(str, column.to_pylist())).encode())
            yield f"{file.name} in words", text.getvalue()
        elif file.suffix == ".npz":
            with zipfile.ZipFile(io.BytesIO(raw)) as packed:
                for name in packed.namelist():
                    yield f"{file.name} {name}", packed.read(name)


def numbers(path):
    """Give the ids of everybody and everything in the file that are too long to stand anywhere by chance."""
    ids = {row[0] for table in ID_OF.values() for row in read(path, f"SELECT id FROM {table}")}
    return {number for number in ids if number > 10**6}


HIDING = [name for name in FORMATS if name not in PLAYERS]  # what takes pseudonyms


@pytest.mark.parametrize("format_name", HIDING)
def test_nothing_in_a_pseudonymised_export_leads_back(path, tmp_path, format_name):
    """No id, as digits or as eight bytes, and no planted word, of names, titles, addresses, comments and the rest."""
    leave(
        path,
        tmp_path / "out",
        format=format_name,
        kinds=BOTH,
        ids="pseudonym",
        key_file=tmp_path / "key",
        lists=format_name in TABLES,
    )
    secret = (tmp_path / "key").read_bytes().strip()
    ids = numbers(path)
    assert len(ids) > 100
    in_bytes = {number.to_bytes(8, "little") for number in ids}
    found, seen = [], 0
    for name, content in texts(tmp_path / "out"):
        seen += len(content)
        digits = {int(text) for text in re.findall(rb"\d{7,19}", content)}
        found += [(name, number) for number in digits & ids]
        aligned = {content[at : at + 8] for at in range(0, len(content) - 7, 8)}
        found += [(name, word) for word in in_bytes & aligned]
        found += [(name, word) for word in re.findall(rb"planted-[\w-]+", content)]
        assert secret not in content
    assert found == []
    assert seen > 10_000


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_search_finds_ids_and_words_in_an_export_that_has_them(path, tmp_path, format_name):
    """Or the test above would say nothing."""
    leave(path, tmp_path / "out", format=format_name, kinds=BOTH, lists=format_name in TABLES)
    ids, found = numbers(path), set()
    for _, content in texts(tmp_path / "out"):
        found |= {int(text) for text in re.findall(rb"\d{7,19}", content)} & ids
        aligned = {int.from_bytes(content[at : at + 8], "little") for at in range(0, len(content) - 7, 8)}
        found |= aligned & ids
        found |= set(re.findall(rb"planted-[a-z]+", content))
    assert len(found & ids) > 10
    if format_name in (*TABLES, *GRAPHS, "recbole"):
        assert b"planted-tracks" in found


def test_what_few_people_share_stays_behind_and_what_many_share_leaves(path, tmp_path):
    """A rough count, a kind of playlist, a service of a link: five of those who leave must have it."""
    other = tmp_path / "t.db"
    other.write_bytes(path.read_bytes())
    with contextlib.closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE users SET followers_count = 20 + id % 9")
        connection.execute("UPDATE users SET followers_count = 4321 WHERE id = (SELECT max(user_id) FROM web_profiles)")
        connection.execute("UPDATE playlists SET playlist_type = 'album'")
        connection.execute("UPDATE playlists SET playlist_type = 'rarity' WHERE id = (SELECT max(id) FROM playlists)")
        connection.execute("UPDATE web_profiles SET service = 'personal'")
        connection.execute(
            "UPDATE web_profiles SET service = 'rare' WHERE user_id = (SELECT max(user_id) FROM web_profiles)"
        )
    leave(other, tmp_path / "out", format="jsonl", ids="pseudonym", key_file=tmp_path / "key", lists=True)
    found = {
        (table, column): {row[column] for row in rows_of(tmp_path / "out", table)}
        for table, column in (("users", "followers_count"), ("playlists", "playlist_type"), ("web_profiles", "service"))
    }
    assert found == {
        ("users", "followers_count"): {20, 30, None},
        ("playlists", "playlist_type"): {"album", None},
        ("web_profiles", "service"): {"personal", None},
    }


def rows_of(folder, table):
    """Read a table of JSON Lines."""
    return [json.loads(line) for line in (folder / f"{table}.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("format_name", "k"), each_once(HIDING, [2, 3]))
def test_whoever_has_few_neighbours_is_left_out_of_every_format(path, tmp_path, format_name, k):
    expected, everybody = Expected(path, BOTH, kcore=k), Expected(path, BOTH)
    split = {} if format_name in GRAPHS else {"split": "hash:0.3"}
    made = leave(
        path,
        tmp_path / "out",
        format=format_name,
        kinds=BOTH,
        k=k,
        ids="pseudonym",
        key_file=tmp_path / "key",
        **split,
    )
    assert made["neighbours"] | {"rule": ""} == {
        "k": k,
        "users_left_out": len(everybody.users) - len(expected.users),
        "items_left_out": len(everybody.tracks) - len(expected.tracks),
        "rule": "",
    }
    assert 0 < len(expected.users) < len(everybody.users)
    written = sum(f["rows"] for f in made["files"] if f["table"] in ("interactions", "train", "test", "graph"))
    follows = [one for one in made["files"] if one["table"] == "graph"]
    pairs = format_name in ("tsv", "recbole", "csr")
    known = set(expected.users)
    among = sum(set(row) <= known for row in read(path, "SELECT follower_id, followee_id FROM user_follows"))
    assert written == (len(expected.pairs) if pairs else len(expected.edges)) + (among if follows else 0)


def test_with_all_lists_playlists_stations_and_searches_of_few_are_left_out_too(path, tmp_path):
    k, other = 3, tmp_path / "t.db"
    other.write_bytes(path.read_bytes())
    with contextlib.closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("DELETE FROM search_results WHERE rank > 1 AND search_id = (SELECT min(id) FROM searches)")
    leave(other, tmp_path / "out", format="jsonl", k=k, lists=True, ids="pseudonym", key_file=tmp_path / "key")
    key, expected = (tmp_path / "key").read_bytes().strip(), Expected(other, kcore=k)
    users, tracks = set(expected.users), set(expected.tracks)
    artists = {row[2] for row in expected.items} - {None}
    kept = {"track": tracks, "user": users}
    for thing, table, column, inside in (
        ("playlist", "playlists", "playlist_id", "SELECT playlist_id, 'track', track_id FROM playlist_tracks"),
        ("station", "stations", "station_id", "SELECT station_id, 'track', track_id FROM station_tracks"),
        ("search", "searches", "search_id", "SELECT search_id, thing, thing_id FROM search_results"),
    ):
        n = Counter(whose for whose, what, one in set(read(other, inside)) if one in kept[what])
        kept[thing] = {whose for whose, many in n.items() if many >= k}
        assert set() < kept[thing] < {row[0] for row in read(other, f"SELECT id FROM {table}")}, thing
        left = {row[column] for row in rows_of(tmp_path / "out", table)}
        assert left == {pseudonym(key, thing, one) for one in kept[thing]}
    owners = {row["owner_id"] for row in rows_of(tmp_path / "out", "playlists")} - {None}
    assert owners <= {pseudonym(key, "user", one) for one in users | artists}
    named = {row["user_id"] for row in rows_of(tmp_path / "out", "web_profiles")}
    assert named <= {pseudonym(key, "user", one) for one in users}


def test_neighbours_are_counted_after_all_other_filters(path, tmp_path):
    made = leave(path, tmp_path / "out", format="csv", complete_users_only=True, min_items=4, kcore=2, k=3)
    steps = [step["filter"] for step in made["counts"]["after each filter"]]
    assert steps == ["kind like", "complete users only", "min items 4", "kcore 2", "k 3"]
    with (tmp_path / "out" / "interactions.csv").open("rb") as file:
        table = arrow_csv.read_csv(file)
    for column in ("user_id", "item_id"):
        assert min(Counter(table.column(column).to_pylist()).values()) >= 3
    assert made["neighbours"]["users_left_out"] > 0
    assert leave(path, tmp_path / "plain", format="csv")["neighbours"] is None
