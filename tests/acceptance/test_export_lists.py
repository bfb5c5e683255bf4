"""`harvest export --lists`: what every list said leaves with its ranks and outcomes, under any ids, from any seed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from harvest.errors import SettingsError
from harvest.export.choices import ExportChoices
from harvest.export.list_tables import LIST_TABLES, list_tables, widen
from harvest.export.pseudonyms import pseudonym
from harvest.export.selection import select
from harvest.lists import BY_NAME, KINDS
from harvest.models import Limits
from harvest.simulator import World, serve
from tests.crawling import crawl_into, crawl_world, read
from tests.exporting import leave
from tests.repetitions import one_in

WORLD = World(4, users=50, tracks=120, playlists=60, likes_per_user=12, seed_likers=15, null_entries=0.05)
ALL = tuple(name for name, kind in BY_NAME.items() if not kind.own and not kind.searches)
LIMITS = Limits(read=ALL, max_users=6, max_tracks=3, max_playlists=8, max_user_likes=30, depth=1)
SEEDS = {
    "track": WORLD.seed_url(),
    "user": WORLD.user_url(WORLD.id("user", 5)),
    "playlist": WORLD.playlist_url(WORLD.id("playlist", 1)),
    "station": WORLD.facts.url("station", 1),
    "searches": [f"search:{what}?q=o" for what in ("tracks", "users", "playlists")],
    "me": "me",
}
# Of each table: ids as (column, whose), ranks as (column, kinds of lists by type, subject), both as they leave.
TABLES = {
    "follows": (
        "user_follows",
        [("follower_id", "user"), ("followee_id", "user")],
        [
            ("followers_list_rank", "user_followers", "followee_id"),
            ("followings_list_rank", "user_followings", "follower_id"),
        ],
    ),
    "uploads": (
        "tracks",
        [("uploader_id", "user"), ("id", "track")],
        [("uploader_list_rank", "user_tracks", "uploader_id")],
    ),
    "comments": (
        "comments",
        [("track_id", "track"), ("user_id", "user")],
        [("track_list_rank", "track_comments", "track_id")],
    ),
    "web_profiles": ("web_profiles", [("user_id", "user")], [("user_list_rank", "user_links", "user_id")]),
    "playlists": (
        "playlists",
        [("id", "playlist"), ("owner_id", "user")],
        [("owner_list_rank", "user_playlists", "owner_id")],
    ),
    "playlist_items": (
        "playlist_tracks",
        [("playlist_id", "playlist"), ("track_id", "track")],
        [("position", "playlist_tracks", "playlist_id")],
    ),
    "stations": ("stations", [("id", "station")], []),
    "station_items": (
        "station_tracks",
        [("station_id", "station"), ("track_id", "track")],
        [("position", "station_tracks", "station_id")],
    ),
    "station_likes": (
        "station_likes",
        [("user_id", "user"), ("station_id", "station")],
        [("user_list_rank", "user_station_likes", "user_id")],
    ),
    "plays": (
        "plays",
        [("user_id", "user"), ("track_id", "track")],
        [("user_list_rank", "recently_played", "user_id")],
    ),
    "searches": ("searches", [("id", "search")], []),
    **{
        f"found_{thing}s": (
            "search_results",
            [("search_id", "search"), ("thing_id", thing)],
            [("rank", f"found_{thing}s", "search_id")],
        )
        for thing in ("track", "user", "playlist")
    },
}
WHERE = {
    "uploads": "uploader_list_rank IS NOT NULL",
    **{f"found_{thing}s": f"thing = '{thing}'" for thing in ("track", "user", "playlist")},
}
FROM_ONE_SEED = {"plays": "me", **{name: "searches" for name in TABLES if name.startswith(("found_", "searches"))}}
HIDDEN = {"followers_list_rank", "followings_list_rank", "track_list_rank", "playlist_list_rank"}  # under pseudonyms


def hidden(name, rank):
    return rank in HIDDEN or name == "found_users"


@pytest.fixture(scope="module", params=SEEDS)
def path(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("lists") / f"{request.param}.db"

    async def crawls() -> None:
        async with serve(WORLD, gzip=False) as server:
            mine = {"access_token": server.service.tokens.access_token(user=True)} if request.param == "me" else {}
            limits = replace(LIMITS, seed_read=("likes", "recently-played")) if mine else LIMITS
            assert await crawl_into(path, server, [SEEDS[request.param]], limits, **mine) == "drained"

    asyncio.run(crawls())
    return path


@pytest.fixture(scope="module")
def whole(path, tmp_path_factory):
    """All of a file, exported: the folder, and what was said of it."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    return folder, leave(path, folder, format="jsonl", lists=True)


def written(folder, name):
    file = folder / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def outcomes(path):
    return {
        (kind, subject): ended for kind, subject, ended in read(path, "SELECT kind, subject_id, outcome FROM lists")
    }


def stored(path, name):
    """Rows as ids, ranks and outcomes, in any order."""
    table, ends, ranks = TABLES[name]
    ended = outcomes(path)
    columns = [column for column, _ in ends] + [rank for rank, _, _ in ranks] + [subject for *_, subject in ranks]
    rows = []
    for row in read(path, f"SELECT {', '.join(columns)} FROM {table} WHERE {WHERE.get(name, '1')}"):
        ids, places, subjects = row[: len(ends)], row[len(ends) : len(ends) + len(ranks)], row[len(ends) + len(ranks) :]
        told = [ended.get((kind, subject), "not asked") for (_, kind, _), subject in zip(ranks, subjects, strict=True)]
        rows.append((ids, places, tuple(told)))
    return sorted(rows, key=repr)


def found(folder, name):
    _, ends, ranks = TABLES[name]
    rows = []
    for row in written(folder, name):
        values = list(row.values())
        tail = values[len(values) - 2 * len(ranks) :]
        rows.append((tuple(values[: len(ends)]), tuple(tail[::2]), tuple(tail[1::2])))
    return sorted(rows, key=repr)


@pytest.mark.parametrize("name", one_in(3, TABLES))
def test_every_row_of_every_list_leaves_with_its_places_and_how_the_lists_ended(path, whole, name):
    folder, made = whole
    expected = stored(path, name)
    assert found(folder, name) == expected
    told = {file["table"]: file["rows"] for file in made["files"]}
    assert told.get(name, 0) == len(expected)
    assert bool(expected) == (FROM_ONE_SEED.get(name, path.stem) == path.stem) or name in ("comments", "station_items")


def test_likes_and_reposts_of_playlists_are_told_apart(path, tmp_path):
    leave(path, tmp_path / "out", format="jsonl", lists=True)
    ended = outcomes(path)
    of_users = {"like": "user_playlist_likes", "repost": "user_playlist_reposts"}
    chances = dict(read(path, "SELECT thing_id, chance FROM visits WHERE thing = 'user'"))
    expected = [
        {
            "user_id": user,
            "playlist_id": playlist,
            "kind": deed,
            "chance": chances.get(user),
            "playlist_list_rank": theirs,
            "playlist_list": ended.get(("playlist_reposters", playlist), "not asked"),
            "user_list_rank": mine,
            "user_list": ended.get((of_users[deed], user), "not asked"),
        }
        for user, playlist, deed, mine, theirs in read(
            path,
            "SELECT user_id, playlist_id, engagement_type, user_list_rank, playlist_list_rank FROM playlist_engagements"
            " ORDER BY 1, 2, 3",
        )
    ]
    shown = written(tmp_path / "out", "playlist_engagements")
    assert sorted(map(repr, shown)) == sorted(map(repr, expected))
    assert expected


def test_tracks_and_people_that_only_other_lists_name_are_described(path, tmp_path):
    leave(path, tmp_path / "out", format="jsonl", lists=True)
    items, users = (
        {row[key] for row in written(tmp_path / "out", name)}
        for name, key in (("items", "item_id"), ("users", "user_id"))
    )
    for name, (_, ends, _) in TABLES.items():
        for ids, _, _ in found(tmp_path / "out", name):
            for (_, thing), number in zip(ends, ids, strict=True):
                assert thing != "track" or number in items
                assert thing != "user" or number in users or name == "playlists"


def test_a_filter_leaves_what_lies_between_those_it_leaves(path, tmp_path):
    leave(path, tmp_path / "out", format="jsonl", lists=True, min_items=3)
    users = {row["user_id"] for row in written(tmp_path / "out", "users")}
    items = {row["item_id"] for row in written(tmp_path / "out", "items")}
    for name in ("follows", "playlist_items", "uploads", "station_likes"):
        expected = [
            row
            for row in stored(path, name)
            if all(
                number in {"user": users, "track": items}.get(thing, {number})
                for (_, thing), number in zip(TABLES[name][1], row[0], strict=True)
            )
        ]
        assert found(tmp_path / "out", name) == expected


def test_under_pseudonyms_every_id_is_one_and_nothing_can_be_looked_up(path, tmp_path):
    leave(path, tmp_path / "out", format="jsonl", lists=True, ids="pseudonym", key_file=tmp_path / "key")
    key = (tmp_path / "key").read_bytes().strip()
    for name, (_, ends, ranks) in TABLES.items():
        expected = [
            (
                tuple(number and pseudonym(key, thing, number) for (_, thing), number in zip(ends, ids, strict=True)),
                tuple(None if hidden(name, rank) else place for (rank, _, _), place in zip(ranks, places, strict=True)),
                told,
            )
            for ids, places, told in stored(path, name)
        ]
        assert found(tmp_path / "out", name) == sorted(expected, key=repr), name
    text = "\n".join(file.read_text("utf-8") for file in sorted((tmp_path / "out").iterdir()))
    numbers = {
        str(row[0])
        for table in ("users", "tracks", "playlists", "stations", "searches")
        for row in read(path, f"SELECT id FROM {table}")
    }
    assert [number for number in numbers if len(number) > 6 and number in text] == []
    for table, column in (
        *(("web_profiles", "url"), ("web_profiles", "username"), ("playlists", "title"), ("stations", "urn")),
        *(("comments", "body"), ("playlists", "permalink_url")),
    ):
        for (value,) in read(path, f"SELECT DISTINCT {column} FROM {table} WHERE length({column}) > 12"):
            assert value not in text


def test_dense_ids_of_every_kind_lead_back(path, tmp_path):
    leave(path, tmp_path / "out", format="jsonl", lists=True, ids="dense")
    back = {
        thing: {row[f"{name}_id"]: row["soundcloud_id"] for row in written(tmp_path / "out", f"{name}_ids")}
        for thing, name in (
            ("user", "user"),
            ("track", "item"),
            ("playlist", "playlist"),
            ("station", "station"),
            ("search", "search"),
        )
    }
    for thing, numbers in back.items():
        assert sorted(numbers) == list(range(len(numbers))), thing
    for name, (_, ends, _) in TABLES.items():
        rows = [
            (
                tuple(
                    number if number is None else back[thing][number]
                    for (_, thing), number in zip(ends, ids, strict=True)
                ),
                *rest,
            )
            for ids, *rest in found(tmp_path / "out", name)
        ]
        assert sorted(rows, key=repr) == stored(path, name)


def test_what_people_wrote_stays_unless_it_is_asked_for(path, tmp_path):
    plain = leave(path, tmp_path / "plain", format="jsonl", lists=True)
    assert any("--texts" in note and "web_profiles" in note for note in plain["left_out"])
    assert {"url", "title", "username"}.isdisjoint(written(tmp_path / "plain", "web_profiles")[0])
    told = leave(path, tmp_path / "told", format="jsonl", lists=True, texts=True)
    assert not any("--texts" in note for note in told["left_out"])
    urls = sorted(row["url"] for row in written(tmp_path / "told", "web_profiles"))
    assert urls == sorted(row[0] for row in read(path, "SELECT url FROM web_profiles"))


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"lists": True, "format": "csr"}, "--lists makes tables"),
        ({"texts": True}, "--texts belongs to --lists"),
        ({"lists": True, "texts": True, "ids": "pseudonym"}, "--texts tells who wrote them"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, wishes, said):
    with pytest.raises(SettingsError, match=said):
        leave(tmp_path / "t.db", tmp_path / "out", **wishes)


def test_a_file_without_a_like_leaves_too(tmp_path):
    """A playlist by itself: its tracks with their titles, and no interaction."""
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, [SEEDS["playlist"]], Limits(depth=0))
    with pytest.raises(SettingsError, match="Nothing is left"):
        leave(path, tmp_path / "graph", format="jsonl")
    leave(path, tmp_path / "out", format="jsonl", lists=True)
    held = read(path, "SELECT track_id FROM playlist_tracks ORDER BY position")
    titles = {row["item_id"]: row["title"] for row in written(tmp_path / "out", "items")}
    assert [(row["item_id"],) for row in written(tmp_path / "out", "playlist_items")] == held
    assert all(titles[track] for (track,) in held)
    assert held


def test_every_table_that_a_list_fills_has_its_place():
    """Likes and reposts of tracks are interactions, the service's related tracks item_item."""
    elsewhere = {"user_engagements", "related_tracks"}
    assert {kind.edge.table for kind in KINDS.values() if kind.edge} - elsewhere == {
        one.table for one in LIST_TABLES if one.kinds
    }


@pytest.mark.parametrize("ids", ["raw", "pseudonym"])
def test_only_our_own_tables_are_gone_through(path, tmp_path, ids):
    choices = ExportChoices(lists=True, ids=ids)
    with select(path, tmp_path / "scratch", choices, key=b"k", tell=lambda *_: None, widen=widen) as selection:
        for wanted in list_tables(selection):
            plan = [row[3] for row in selection.connection.execute(f"EXPLAIN QUERY PLAN {wanted.sql}")]
            assert {line.split()[1] for line in plan if line.startswith("SCAN ")} <= {"x0"}, (wanted.name, plan)
