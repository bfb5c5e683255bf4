"""Damage to lists that a plain crawl does not read, while they are being read anew."""

from __future__ import annotations

import asyncio

import pytest

from harvest.lists import BY_NAME, KINDS
from harvest.models import Limits
from harvest.simulator import serve
from tests.crawling import Onlooker, crawl_into, read
from tests.faulty import WORLD
from tests.repetitions import one_in

from .test_checks import damage, read_anew, seeds_beside_a_track, told_of

SEEDS = seeds_beside_a_track(WORLD)
LIMITS = Limits(max_users=6, max_user_likes=8, max_tracks=1, depth=1, read=tuple(BY_NAME))


@pytest.fixture(scope="module")
def various(tmp_path_factory):
    """A harvest of things of all kinds but tracks that reads every list, stopped while it reads them anew."""
    path = tmp_path_factory.mktemp("various") / "t.db"

    async def crawls() -> None:
        async with serve(WORLD, gzip=False) as server:
            assert await crawl_into(path, server, [SEEDS], LIMITS, page_size=5) == "drained"
            read_anew(path)
            onlooker = Onlooker(stop_after_pages=120)
            await crawl_into(path, server, [SEEDS], LIMITS, page_size=2, onlooker=onlooker)

    asyncio.run(crawls())
    return path


def test_every_list_is_read_and_many_were_read_anew(various):
    assert {row[0] for row in read(various, "SELECT DISTINCT kind FROM tasks")} == set(KINDS) - {
        "lookup",
        "recently_played",
    }
    assert read(various, "SELECT count(*) > 20 FROM tasks WHERE reading = 1") == [(1,)]
    assert read(various, "SELECT count(*) > 5 FROM readings WHERE state <> 'ended' AND number = 1") == [(1,)]
    assert read(various, "SELECT count(*) > 2 FROM reading_items") == [(1,)]
    assert told_of(various) == {}


def one(table: str, where: str, key: str) -> str:
    return f"({key}) = (SELECT {key} FROM {table} WHERE {where} LIMIT 1)"


A_LIKE = one("playlist_engagements", "engagement_type = 'like' AND user_list_rank = 0", "user_id, playlist_id")
A_REPOST = one("playlist_engagements", "user_list_rank = 0 AND engagement_type = 'repost'", "user_id, playlist_id")
A_FOLLOW = "follower_id, followee_id"

DAMAGES = {
    "a comment that no list has": (
        "INSERT INTO comments (id, track_id, track_list_rank, first_page_id) SELECT 1, subject_id, 500, 1 FROM tasks"
        " WHERE kind = 'track_comments' LIMIT 1",
        {"edges.track_comments"},
    ),
    "an upload without its place": (
        f"UPDATE tracks SET uploader_list_rank = NULL WHERE {one('tracks', 'uploader_list_rank = 0', 'id')}",
        {"edges.user_tracks"},
    ),
    "a repost in another place": (
        "UPDATE engagements SET user_list_rank = 99 WHERE is_repost = 1 AND "
        + one("engagements", "is_repost = 1 AND user_list_rank = 0", "user_id, track_id"),
        {"edges.user_reposts"},
    ),
    "a playlist in the place of another": (
        f"UPDATE playlists SET owner_list_rank = 1 WHERE {one('playlists', 'owner_list_rank = 0', 'id')}",
        {"edges.user_playlists"},
    ),
    "a playlist that somebody likes in another place": (
        f"UPDATE playlist_engagements SET user_list_rank = 77 WHERE engagement_type = 'like' AND {A_LIKE}",
        {"edges.user_playlist_likes", "edges.provenance"},
    ),
    "a playlist that somebody reposted in another place": (
        f"UPDATE playlist_engagements SET user_list_rank = 77 WHERE engagement_type = 'repost' AND {A_REPOST}",
        {"edges.user_playlist_reposts"},
    ),
    "who reposted a playlist in another place": (
        "UPDATE playlist_engagements SET playlist_list_rank = 50 WHERE engagement_type = 'repost' AND "
        + one("playlist_engagements", "playlist_list_rank = 0", "user_id, playlist_id"),
        {"edges.playlist_reposters"},
    ),
    "a place of a playlist empty": (
        f"DELETE FROM playlist_tracks WHERE {one('playlist_tracks', 'position = 0', 'playlist_id, position')}",
        {"edges.playlist_tracks"},
    ),
    "a station that somebody likes in another place": (
        "UPDATE station_likes SET user_list_rank = 77 WHERE "
        + one("station_likes", "user_list_rank = 0", "user_id, station_id"),
        {"edges.user_station_likes", "edges.provenance"},
    ),
    "two links in one place": (
        f"UPDATE web_profiles SET user_list_rank = 1 WHERE {one('web_profiles', 'user_list_rank = 0', 'id')}",
        {"edges.user_links"},
    ),
    "a track that the service finds related in another place": (
        "UPDATE related_tracks SET rank = 99 WHERE method = 'soundcloud' AND "
        + one("related_tracks", "rank = 0", "track_id, related_track_id"),
        {"edges.track_related", "edges.provenance"},
    ),
    "a place of a station empty": (
        f"DELETE FROM station_tracks WHERE {one('station_tracks', 'position = 0', 'station_id, position')}",
        {"edges.station_tracks"},
    ),
    **{
        f"{thing}s that a search found in one place": (
            f"UPDATE search_results SET rank = 1 WHERE thing = '{thing}' AND "
            + one("search_results", f"thing = '{thing}' AND rank = 0", "search_id, thing_id"),
            {f"edges.found_{thing}s"},
        )
        for thing in ("track", "user", "playlist")
    },
    "two followers in one place": (
        "UPDATE user_follows SET followers_list_rank = 1 WHERE "
        + one("user_follows", "followers_list_rank = 0", A_FOLLOW),
        {"edges.user_followers"},
    ),
    "two followed in one place": (
        "UPDATE user_follows SET followings_list_rank = 1 WHERE "
        + one("user_follows", "followings_list_rank = 0", A_FOLLOW),
        {"edges.user_followings"},
    ),
    "who follows whom by a page of something else": (
        f"UPDATE user_follows SET first_page_id = 1 WHERE {one('user_follows', 'true', A_FOLLOW)}",
        {"edges.provenance"},
    ),
    "who follows whom of no list": (
        "INSERT INTO user_follows SELECT min(follower_id), min(follower_id), NULL, NULL, min(first_page_id) FROM"
        " user_follows",
        {"edges.ranked", "edges.provenance"},
    ),
    "a playlist forbidden without a reason": (
        f"UPDATE playlists SET status = 'forbidden' WHERE {one('playlists', 'true', 'id')}",
        {"graph.status"},
    ),
    "what waits of a reading lost": (
        "DELETE FROM reading_items WHERE "
        + one("reading_items", "place = 0 ORDER BY task_id", "task_id, reading, item_id, place"),
        {"readings.items"},
    ),
    "what waits of a reading that was answered": (
        "INSERT INTO reading_items SELECT task_id, number, 1, 0, 1 FROM readings WHERE number = 1 AND outcome ="
        " 'complete' LIMIT 1",
        {"readings.items"},
    ),
}


@pytest.mark.parametrize("name", one_in(3, DAMAGES))
def test_planted_damage_is_found_by_its_name_and_by_no_other(name, various, tmp_path):
    sql, expected = DAMAGES[name]
    assert set(told_of(damage(various, tmp_path, sql))) == expected


def test_every_list_of_a_kind_is_damaged_somewhere():
    named = {name for _, expected in DAMAGES.values() for name in expected if name.startswith("edges.")}
    plain = {"edges.track_likers", "edges.track_reposters", "edges.user_likes"}  # test_checks.py
    assert {f"edges.{kind.name}" for kind in KINDS.values() if kind.edge is not None and not kind.own} <= named | plain
