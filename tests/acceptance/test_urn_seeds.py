"""Seeds by URN: looked up in batches, each left out one by itself, the same seed as its page, gone and back again."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from harvest.models import Limits
from harvest.simulator import World, run_in_thread, serve
from tests.crawling import Onlooker, assert_exact, crawl_into, crawl_sessions, crawl_together, crawl_world, read
from tests.faulty import assert_no_contradiction
from tests.repetitions import rows_but

WORLD = World(7, users=200, tracks=400, playlists=60, likes_per_user=6, gone=0.2, forbidden=0, private=0.1)
NOTHING = Limits(read=(), seed_read=(), via=(), depth=0)
GONE = [WORLD.id("user", index) for index in range(200) if WORLD.is_gone(WORLD.id("user", index))]
PEOPLE = [WORLD.id("user", index) for index in range(200) if not WORLD.is_gone(WORLD.id("user", index))]
TRACKS = [WORLD.id("track", index) for index in range(400) if not WORLD.facts.private(index)]


def urns(thing: str, ids) -> list[str]:
    return [f"soundcloud:{thing}s:{number}" for number in ids]


def asked(server) -> list[str]:
    """What was asked besides tokens and artists: how many URNs at once, or the path of one thing."""
    paths = [entry.target for entry in server.requests if not entry.target.startswith("/oauth")]
    return [f"{p.partition('?')[0]} {len(re.findall('soundcloud:', p))}" if "urns=" in p else p for p in paths]


def test_many_are_looked_up_fifty_at_a_time_and_those_left_out_alone(tmp_path):
    people = [*PEOPLE[:110], *GONE[:3]]
    server = crawl_world(tmp_path / "t.db", WORLD, [urns("user", people)], NOTHING, max_in_flight=1)
    assert asked(server)[:3] == ["/users 50", "/users 50", "/users 13"]
    assert sorted(asked(server)[3:]) == sorted(f"/users/{urn}" for urn in urns("user", GONE[:3]))
    found = read(tmp_path / "t.db", "SELECT thing_id FROM seeds WHERE resolved_at IS NOT NULL ORDER BY id")
    assert [row[0] for row in found] == PEOPLE[:110]
    lost = read(tmp_path / "t.db", "SELECT thing_id FROM seeds WHERE resolved_at IS NULL AND reason LIKE '%404%'")
    assert {row[0] for row in lost} == set(GONE[:3])
    assert read(tmp_path / "t.db", "SELECT count(*) FROM visits WHERE round = 0") == [(110,)]
    assert_no_contradiction(tmp_path / "t.db")


@pytest.mark.parametrize("depth", [0, 1])
def test_tracks_people_and_playlists_by_urn_equal_the_truth(tmp_path, depth):
    seeds = (*urns("track", TRACKS[:2]), *urns("user", PEOPLE[3:5]), *urns("playlist", [WORLD.id("playlist", 1)]))
    limits = Limits(depth=depth, max_users=6, max_user_likes=5, max_tracks=3)
    crawl_world(tmp_path / "t.db", WORLD, [seeds], limits, page_size=7)
    assert_exact(tmp_path / "t.db", WORLD, [seeds], limits, page_size=7)
    assert_no_contradiction(tmp_path / "t.db")
    wrong = "SELECT chain FROM why WHERE seed_id IS NULL"
    assert read(tmp_path / "t.db", wrong) == []


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
def test_what_is_interrupted_among_the_look_ups_goes_on(tmp_path, stop_after):
    seeds, path = urns("user", [*PEOPLE[:60], GONE[0]]), tmp_path / "t.db"

    async def crawls() -> int:
        async with serve(WORLD, gzip=False) as server:
            await crawl_into(path, server, [seeds], NOTHING, onlooker=Onlooker(stop_after), max_in_flight=1)
            first = server.total
            assert await crawl_into(path, server, [seeds], NOTHING) == "drained"
            return server.total - first

    later = asyncio.run(crawls())
    assert later <= 5
    assert read(path, "SELECT count(*) FROM seeds WHERE resolved_at IS NOT NULL") == [(60,)]
    assert_no_contradiction(path)


def test_a_page_and_its_urn_are_one_seed_and_one_harvest(tmp_path):
    track = TRACKS[0]
    limits = Limits(max_users=3, max_user_likes=3)
    for starts in (
        ([WORLD.track_url(track)], urns("track", [track])),
        (urns("track", [track]), [WORLD.track_url(track)]),
    ):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        first, second = crawl_sessions(path, WORLD, [(starts[0], limits)], [(starts[1], limits)])
        assert second <= 3 < first  # at most a token, and the look-up of a page that was not known by this address
        assert read(path, "SELECT count(*), (SELECT count(*) FROM harvests) FROM seeds") == [(1, 1)]
        assert_exact(path, WORLD, [starts[0]], limits)
        assert_no_contradiction(path)


def test_nobody_at_the_end_of_a_urn_is_said_and_can_be_tried_again(run, tmp_path):
    with run_in_thread(WORLD) as server:
        urn = f"soundcloud:users:{GONE[0]}"
        done = run(urn, "--db", "t.db", "--delay", "0", server=server)
        assert f"could not be resolved: {urn}" in done.stdout
        assert run("status", "--db", "t.db", "--json").returncode == 0
        assert json.loads(run("status", "--db", "t.db", "--json").stdout)["harvests"][0]["state"] == "failed"
        again = run("retry", "--class", "gone", "--db", "t.db", "--delay", "0", server=server)
        assert "1 list put back." in again.stderr or "1 seed" in again.stderr, again.stderr
        assert run("verify", "--db", "t.db").returncode == 0


def test_the_artist_of_a_seed_is_looked_up_once_and_gone_when_there_is_nobody(tmp_path):
    index = next(i for i in range(400) if not WORLD.facts.private(i) and not WORLD.facts.nobody(i)
                 and WORLD.is_gone(WORLD.id("user", WORLD.facts.owner("track", i))))  # fmt: skip
    track, artist = WORLD.id("track", index), WORLD.id("user", WORLD.facts.owner("track", index))
    path, limits = tmp_path / "t.db", Limits(read=(), seed_read=(), via=(), depth=0)

    async def crawls() -> None:
        async with serve(WORLD, gzip=False) as server:
            for _ in range(2):
                assert await crawl_together(path, server, [(urns("track", [track]), limits)]) == "drained"
            assert server.total == 3  # a token, the track, the artist

    asyncio.run(crawls())
    assert read(path, "SELECT status FROM users WHERE id = ?", artist) == [("gone",)]
    assert read(path, "SELECT state FROM harvests") == [("drained",)]
    assert_no_contradiction(path)


PAGES = [
    ("likes", "user_likes"), ("tracks", "user_tracks"), ("reposts", "user_reposts"), ("sets", "user_playlists"),
    ("followers", "user_followers"), ("following", "user_followings"), ("stations", "user_station_likes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("page", "kind"),
    rows_but([("sets", "user_playlists"), ("following", "user_followings")], PAGES),
)
def test_the_page_of_a_list_reads_that_list_alone_until_it_is_told_to_go_on(run, tmp_path, page, kind):
    address, kinds = f"{WORLD.user_url(PEOPLE[2])}/{page}", "SELECT DISTINCT kind FROM tasks WHERE subject_id = ?"
    usual = ("--db", "t.db", "--delay", "0", "--max-users", "2", "--max-tracks", "2", "-q")
    with run_in_thread(WORLD) as server:
        assert run(address, *usual, server=server).returncode == 0
        assert read(tmp_path / "t.db", kinds, PEOPLE[2]) == [(kind,)]
        assert run(address, *usual, "--depth", "1", server=server).returncode == 0
    assert set(read(tmp_path / "t.db", kinds, PEOPLE[2])) == {(kind,), ("user_likes",)}
    assert read(tmp_path / "t.db", "SELECT count(*) FROM visits WHERE round > 0") > [(0,)]


def test_the_way_on_from_the_page_of_a_list_is_named_and_works(run, tmp_path):
    artist = next(person for person in PEOPLE if WORLD.listing("user_tracks", person))
    with run_in_thread(WORLD) as server:
        done = run(f"{WORLD.user_url(artist)}/tracks", "--db", "t.db", "--delay", "0", server=server)
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("Go on around their own tracks")]
        assert run(*line.split(": harvest ")[1].split(), "--delay", "0", "-q", server=server).returncode == 0
    assert read(tmp_path / "t.db", "SELECT count(*) FROM visits WHERE thing = 'track'") > [(0,)]


@pytest.mark.parametrize("options", [(), ("--db", "t.db", "--delay", "0")])
def test_me_takes_a_login(run, options):
    with run_in_thread(WORLD) as server:
        done = run("me", *options, server=server)
    assert (done.returncode, "harvest auth login" in done.stderr) == (3, True)


def test_me_is_read_with_what_is_mine_alone(tmp_path):
    path, limits = tmp_path / "t.db", Limits(seed_read=("likes", "recently-played"), read=(), via=(), depth=0)
    me, other = WORLD.me_id, next(person for person in PEOPLE if person != WORLD.me_id)

    async def crawls() -> int:
        async with serve(WORLD, gzip=False) as server:
            token = server.service.tokens.access_token(user=True)
            seeds = ("me", f"soundcloud:users:{other}")
            assert await crawl_into(path, server, [seeds], limits, access_token=token) == "drained"
            before = server.total
            assert await crawl_into(path, server, [seeds], limits, access_token=token) == "drained"
            return server.total - before

    assert asyncio.run(crawls()) == 0
    played = read(path, "SELECT user_id, track_id FROM plays ORDER BY user_list_rank")
    assert played == [(me, track) for track in WORLD.recently_played()]
    lists = set(read(path, "SELECT kind, subject_id FROM tasks WHERE kind NOT IN ('resolve', 'lookup')"))
    assert lists == {("user_likes", me), ("user_likes", other), ("recently_played", me)}
    liked = [
        row[0]
        for row in read(path, "SELECT track_id FROM user_engagements WHERE user_id = ? ORDER BY user_list_rank", me)
    ]
    assert liked == list(WORLD.listing("user_likes", me))
    assert_no_contradiction(path)


def test_a_plan_of_many_urns_counts_batches(run):
    with run_in_thread(WORLD) as server:
        lists = ("--read", "links", "--seed-read", "links")
        told = json.loads(
            run("plan", *urns("user", PEOPLE[:100]), *lists, "--delay", "0", "--json", server=server).stdout
        )
    assert told["requests"]["low"] <= 102 + 1 <= told["requests"]["high"]  # two batches, a list each, a token
