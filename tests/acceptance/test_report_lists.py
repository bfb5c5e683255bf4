"""The report on files with all lists, from seeds of every kind: what it says of them, counted again from the rows."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest

from harvest.lists import BY_NAME, KINDS
from harvest.models import Limits
from harvest.report.facts import TOP, gather
from harvest.report.page import page as page_of
from harvest.report.texts import shown
from harvest.simulator import World
from harvest.store.database import open_to_read
from tests.crawling import crawl_world, read
from tests.htmlpages import has_table, parse, table, words
from tests.repetitions import slow_but

WORLD = World(4, users=50, tracks=120, playlists=60, likes_per_user=12, seed_likers=15, null_entries=0.05)
ALL = tuple(name for name, kind in BY_NAME.items() if not kind.own and not kind.searches)
LIMITS = Limits(read=ALL, max_users=6, max_tracks=3, max_playlists=8, max_user_likes=30, depth=1)
SEEDS = {
    "track": WORLD.seed_url(),
    "user": WORLD.user_url(WORLD.id("user", 5)),
    "playlist": WORLD.playlist_url(WORLD.id("playlist", 1)),
    "station": WORLD.facts.url("station", 1),
    "search_for_tracks": "search:tracks?q=o",
}
# What the lists of each kind name: the table with the places, whom or what, of which rows, and what it is called.
NAMED = {
    "related": ("related_tracks", "related_track_id", "rank", "method = 'soundcloud'", "tracks", "title"),
    "reposts": ("user_engagements", "track_id", "user_list_rank", "engagement_type = 'repost'", "tracks", "title"),
    "liked-playlists": (
        "playlist_engagements",
        "playlist_id",
        "user_list_rank",
        "engagement_type = 'like'",
        "playlists",
        "title",
    ),
    "reposted-playlists": (
        "playlist_engagements",
        "playlist_id",
        "user_list_rank",
        "engagement_type = 'repost'",
        "playlists",
        "title",
    ),
    "liked-stations": ("station_likes", "station_id", "user_list_rank", "1", "stations", "title"),
    "followings": ("user_follows", "followee_id", "followings_list_rank", "1", "users", "username"),
    "playlist-tracks": ("playlist_tracks", "track_id", "position", "1", "tracks", "title"),
    "station-tracks": ("station_tracks", "track_id", "position", "1", "tracks", "title"),
}


@pytest.fixture(scope="module", params=SEEDS)
def case(request, tmp_path_factory):
    """A file from one kind of seed, and its page."""
    path = tmp_path_factory.mktemp("report") / f"{request.param}.db"
    crawl_world(path, WORLD, [SEEDS[request.param]], LIMITS)
    with contextlib.closing(open_to_read(path)) as connection:
        text = page_of(gather(connection, path.name))
    return request.param, path, parse(text)


def uploaders(path):
    rows = read(path, "SELECT id FROM users WHERE track_count > 0 OR id IN (SELECT uploader_id FROM tracks)")
    return {row[0] for row in rows}


@pytest.mark.first_case
def test_the_lists_of_the_seed_stand_with_claim_and_outcome(case):
    thing, path, page = case
    ((subject,),) = read(path, "SELECT thing_id FROM seeds WHERE thing = ?", thing)
    expected = []
    for kind in sorted(KINDS.values(), key=lambda kind: kind.name):
        for outcome, claimed, collected in read(
            path, "SELECT outcome, claimed, collected FROM tasks WHERE kind = ? AND subject_id = ?", kind.name, subject
        ):
            if kind.subject == thing:
                claim = "not said" if claimed is None else f"{claimed:,}"
                expected.append([kind.title[:1].upper() + kind.title[1:], outcome, claim, f"{collected:,}"])
    assert table(page, "seed-1-lists") == expected
    assert expected


@pytest.mark.parametrize("option", slow_but([*NAMED][::3], NAMED))
def test_what_lists_name_most_is_counted_right(case, option):
    _, path, page = case
    source, item, rank, where, things, label = NAMED[option]
    rows = read(path, f"SELECT {item}, {rank} FROM {source} WHERE {rank} IS NOT NULL AND {where}")
    if things == "users":
        rows = [row for row in rows if row[0] in uploaders(path)]
    lists = Counter(one for one, _ in rows)
    first = {one: min(place for other, place in rows if other == one) for one in lists}
    expected = sorted(lists, key=lambda one: (-lists[one], first[one], one))[:TOP]
    if not expected:
        assert not has_table(page, f"most-{option}")
        return
    told = table(page, f"most-{option}")
    assert [row[1:] for row in told] == [[f"{lists[one]:,}", f"{first[one]:,}"] for one in expected]
    names = dict(read(path, f"SELECT id, {label} FROM {things}"))
    assert all(
        " ".join(row[0].split()).startswith(" ".join(shown(names[one]).split()))
        for row, one in zip(told, expected, strict=True)
    )


def test_what_stands_beside_the_seed_is_told(case):
    thing, path, page = case
    ((subject,),) = read(path, "SELECT thing_id FROM seeds WHERE thing = ?", thing)
    if thing == "track":
        held = {row[0] for row in read(path, "SELECT playlist_id FROM playlist_tracks WHERE track_id = ?", subject)}
        assert has_table(page, "seed-1-beside-playlists") == bool(held)
        assert len(table(page, "seed-1-beside-soundcloud")) == TOP
        assert "SoundCloud itself finds" in words(page)
    elif thing == "user":
        follow = {}
        for follower, followee in read(path, "SELECT follower_id, followee_id FROM user_follows"):
            follow.setdefault(followee, set()).add(follower)
        both = [int(row[1]) for row in table(page, "seed-1-beside-followers")]
        others = {one: len(follow[subject] & mine) for one, mine in follow.items() if one != subject}
        assert max(both) <= max(n for one, n in others.items() if one in uploaders(path))
        assert len(both) == TOP
    else:
        assert not has_table(page, "seed-1-beside-playlists")


def test_nobody_is_named_who_uploaded_nothing(case):
    """Seeds aside: whoever asked about a person knows who it is."""
    thing, path, page = case
    known = uploaders(path) | {row[0] for row in read(path, "SELECT owner_id FROM playlists")}
    if thing == "user":
        known |= {row[0] for row in read(path, "SELECT thing_id FROM seeds WHERE thing = 'user'")}
    pages = {row[0]: row[1] for row in read(path, "SELECT id, permalink_url FROM users")}
    strangers = {pages[user] for user in pages if user not in known}
    links = {link.get("href") for link in page.iter("a")}
    assert links & strangers == set()
    assert links & set(pages.values())


def test_the_heading_says_what_the_seed_is_called(case):
    thing, path, page = case
    heading = words(next(page.iter("h1")))
    if thing == "search_for_tracks":
        assert "“o”" in heading
    else:
        source, label = {"user": ("users", "username")}.get(thing, (f"{thing}s", "title"))
        ((name,),) = read(
            path, f"SELECT t.{label} FROM seeds s JOIN {source} t ON t.id = s.thing_id WHERE s.thing = ?", thing
        )
        assert shown(name, 60) in heading
