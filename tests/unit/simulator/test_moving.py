"""A world at any moment: what comes and goes, and that everything said of it agrees at each."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.simulator import Drift, World
from harvest.simulator.world.lists import KINDS
from tests.repetitions import each_once
from tests.unit.simulator.conftest import Caller

PAIRS = [
    ("user_likes", "track_likers"),
    ("user_reposts", "track_reposters"),
    ("user_followings", "user_followers"),
    ("user_playlist_reposts", "playlist_reposters"),
]
WILD = Drift.parse(
    "come=0.1,go=0.05,people_go=0.05,tracks_go=0.05,playlists_go=0.05,away_days=3,"
    "uploads=0.05,renames=0.05,edits=0.2,plays=0.1"
)
TAIL = "limit=200&linked_partitioning=true&access=playable,preview,blocked"

moved_worlds = st.builds(
    lambda world, days: world.at(days),
    st.builds(
        World,
        st.integers(0, 2**32),
        st.integers(1, 50),
        st.sampled_from([1, 5, 30, 80]),
        likes_per_user=st.sampled_from([1.0, 8.0]),
        drift=st.just(WILD),
        private=st.just(0.1),
        gone=st.sampled_from([0.0, 0.2]),
        null_entries=st.sampled_from([0.0, 0.1]),
    ),
    st.floats(0, 40),
)


@cache
def town(drift: Drift = WILD) -> World:
    return World(8, 400, 1200, likes_per_user=12, drift=drift, gone=0.05, forbidden=0.02, private=0.05)


@cache
def crowd(drift: Drift) -> World:
    return World(3, 1000, 2000, likes_per_user=30, gone=0.0, forbidden=0.0, drift=drift)


@cache
def at_first(kind: str) -> dict[int, tuple[int, ...]]:
    return everything(crowd(Drift.nothing()), kind)


def everything(world: World, kind: str) -> dict[int, tuple[int, ...]]:
    """Return every list of one kind, by index."""
    count = world.facts.ids[KINDS[kind].subject].count
    return {index: world.deeds.entries(kind, index).items for index in range(count)}


def told(world: World) -> str:
    """Return all lists with their times and all that is said of things, in short."""
    digest = hashlib.sha256()
    caller = Caller(world)
    for kind, declared in KINDS.items():
        for index in range(min(60, world.facts.ids[declared.subject].count)):
            digest.update(repr(world.deeds.entries(kind, index)).encode())
    for thing in ("user", "track", "playlist"):
        for index in range(min(60, world.facts.ids[thing].count)):
            digest.update(caller.get(f"/{thing}s/{world.id(thing, index)}").body)
    return digest.hexdigest()


def edges(world: World, deed_lists: tuple[str, str]) -> tuple[set, set]:
    """Return the edges that either end tells of."""
    one, other = deed_lists
    there = {(user, item) for user, items in everything(world, one).items() for item in items}
    return there, {(user, item) for item, users in everything(world, other).items() for user in users}


def test_the_first_day_is_the_world_itself():
    world = town()
    assert world.at(0) is world
    assert world.at(5).at(0) is world
    moved = world.at(5)
    assert moved.at(5) is moved


def test_a_world_without_change_is_the_same_at_any_moment():
    world = town(Drift.nothing())
    assert told(world.at(40)) == told(world)
    assert told(World(8, 400, 1200, likes_per_user=12, gone=0.05, forbidden=0.02, private=0.05)) == told(world)


@pytest.mark.parametrize(
    ("world", "lists"),
    [
        (
            World(6, 300, 900, gone=0.05, private=0.05, null_users=0.1),
            "bcc80b3c665038b6a8cbfe1ca0259c91713d8072c3b59d04d577c22d2d5858f4",
        ),
        (World(2, 40, 120, newcomers_differ=0.5), "c05a38d51b2be67f932714f837e090030313bb369db8523af6fe2bb2bfadc187"),
    ],
)
def test_the_lists_of_the_first_day_are_those_of_ever(world, lists):
    """So that a file which was crawled from a simulated world by an earlier version goes on."""
    digest = hashlib.sha256()
    for kind, declared in KINDS.items():
        for index in range(min(world.facts.ids[declared.subject].count, 120)):
            entries = world.deeds.entries(kind, index)
            digest.update(repr((kind, index, entries.items, entries.times)).encode())
    assert digest.hexdigest() == lists


def test_the_same_moment_is_the_same_whatever_was_asked_before():
    one, other = town(), World(8, 400, 1200, likes_per_user=12, drift=WILD, gone=0.05, forbidden=0.02, private=0.05)
    at_once = told(one.at(12.5))
    assert told(one.at(3).at(40).at(12.5)) == at_once == told(other.at(12.5))
    assert told(one.at(12.75)) != at_once


def test_a_world_keeps_its_name_and_its_numbers():
    world = town()
    moved = world.at(30)
    assert moved.name == world.name == world.at(3000).name
    assert moved.seed_urls(16) == world.seed_urls(16)
    assert moved.me_id == world.me_id
    assert [moved.id("track", index) for index in range(1200)] == [world.id("track", index) for index in range(1200)]
    assert World(8, 400, 1200).name != World(8, 400, 1200, drift=WILD).name
    assert World(8, 400, 1200).name == World(8, 400, 1200, drift=Drift()).name


@pytest.mark.parametrize("moment", [-1, float("nan"), float("inf")])
def test_a_moment_is_a_number_of_days(moment):
    with pytest.raises(ValueError, match="days"):
        town().at(moment)


@settings(max_examples=25, deadline=None)
@given(world=moved_worlds, lists=st.sampled_from(PAIRS))
def test_both_ends_agree_at_every_moment(world, lists):
    there, back = edges(world, lists)
    assert there == back


@settings(max_examples=15, deadline=None)
@given(world=moved_worlds)
def test_lists_are_newest_first_without_repetition_and_name_nobody_who_is_away(world):
    for kind, declared in KINDS.items():
        for index in range(world.facts.ids[declared.subject].count):
            entries = world.deeds.entries(kind, index)
            assert not (entries.items and world.facts.away(declared.subject, index)), kind
            assert not any(world.facts.away(declared.item, item) for item in entries.items), kind
            if kind not in ("playlist_tracks", "station_tracks"):
                assert len(set(entries.items)) == len(entries.items), kind
            assert list(entries.times) == sorted(entries.times, reverse=True)
            assert all(time <= world.now_ms for time in entries.times)
            if kind in ("track_likers", "user_likes", "user_followers", "user_followings", "playlist_reposters"):
                assert len(set(entries.times)) == len(entries.times)


@settings(max_examples=15, deadline=None)
@given(world=moved_worlds)
def test_counts_are_those_of_the_lists(world):
    for kind in ("track_likers", "track_reposters", "track_comments", "user_reposts", "user_tracks", "user_playlists",
                 "user_followers", "user_followings", "user_playlist_likes"):  # fmt: skip
        for index, items in everything(world, kind).items():
            assert world.deeds.count(kind, index) == len(items), kind
    for playlist, items in everything(world, "playlist_tracks").items():
        if not world.facts.away("playlist", playlist):
            private = [track for track in world.deeds.content(playlist) if world.facts.private(track)]
            assert world.deeds.count("playlist_tracks", playlist) == len(items) + len(private)


def test_whoever_is_away_answers_404_and_comes_back():
    world = town()
    away = [index for index in range(400) if world.at(8).facts.away("user", index)]
    back = [index for index in away if not world.at(16).facts.away("user", index)]
    assert len(away) > 40
    assert len(back) > 5
    then, caller = world.at(8), Caller(world.at(8))
    for user in away[:20]:
        number = world.id("user", user)
        assert caller.get(f"/users/{number}").status == 404
        assert caller.get(f"/users/{number}/likes/tracks?{TAIL}").status == 404
        assert json.loads(caller.get(f"/resolve?url={world.user_url(number)}").body)["code"] == 404
    asked = ",".join(str(world.id("user", user)) for user in [*away[:20], 0])
    assert [user["urn"] for user in caller.json(f"/users?urns={asked}")] == [f"soundcloud:users:{then.id('user', 0)}"]


@pytest.mark.parametrize("thing", ["track", "playlist"])
def test_what_is_deleted_answers_404_and_is_in_no_list(thing):
    world = town()
    moved, caller = world.at(8), Caller(world.at(8))
    count = world.facts.ids[thing].count
    deleted = [index for index in range(count) if moved.facts.away(thing, index)]
    assert len(deleted) > count / 5
    assert any(not world.at(16).facts.away(thing, index) for index in deleted)
    for index in deleted[:20]:
        number = world.id(thing, index)
        assert caller.get(f"/{thing}s/{number}").status == 404
        assert caller.get(f"/{thing}s/{number}/reposters?{TAIL}").status == 404
        assert caller.get(f"/resolve?url={world.facts.url(thing, index)}").status == 404
    names = {
        moved.facts.owner(thing, index)
        for index in deleted
        if not moved.facts.away("user", moved.facts.owner(thing, index))
    }
    for user in list(names)[:5]:
        listed = moved.listing(f"user_{thing}s", moved.id("user", user))
        assert not {moved.index(thing, number) for number in listed} & set(deleted)


def test_a_deleted_track_is_left_out_of_a_look_up_even_with_its_secret():
    moved = town().at(8)
    caller = Caller(moved)
    deleted = [track for track in range(1200) if moved.facts.away("track", track)][:20]
    asked = ",".join(str(moved.id("track", track)) for track in [*deleted, 0])
    assert len(caller.json(f"/tracks?urns={asked}")) == 1
    hidden = next(track for track in range(1200) if moved.facts.away("track", track) and moved.facts.private(track))
    secret = moved.facts.secret(hidden)
    assert caller.get(f"/tracks/{moved.id('track', hidden)}?secret_token={secret}").status == 404


def test_the_first_tracks_and_who_made_them_stay():
    moved = town().at(365)
    assert sum(moved.facts.away("user", user) for user in range(400)) > 100
    for track in range(16):
        assert not moved.facts.away("track", track)
        assert not moved.facts.gone(moved.facts.owner("track", track)) or moved.at(0).facts.gone(
            moved.facts.owner("track", track)
        )


def test_new_tracks_stand_in_front_and_get_likers_of_their_own():
    world = town()
    moved, caller = world.at(12), Caller(world.at(12))
    new = [track for track in range(1200, moved.facts.ids["track"].count) if not moved.facts.hidden(track)]
    assert len(new) > 300
    assert sum(bool(moved.listing("track_likers", moved.id("track", track))) for track in new) > 50
    for track in new[:20]:
        owner = moved.facts.owner("track", track)
        assert world.options.now_ms < moved.facts.track_created(track) <= moved.now_ms
        shown = caller.json(f"/tracks/{moved.id('track', track)}")
        assert shown["urn"] == f"soundcloud:tracks:{moved.id('track', track)}"
        if not (moved.facts.gone(owner) or moved.facts.forbidden(owner)):
            uploads = moved.listing("user_tracks", moved.id("user", owner))
            made = [moved.facts.track_created(moved.index("track", number)) for number in uploads]
            assert moved.id("track", track) in uploads
            assert made == sorted(made, reverse=True)
        assert caller.get(f"/resolve?url={moved.track_url(moved.id('track', track)).split('?')[0]}").status == 302
        assert moved.id("track", track) not in {world.id("track", index) for index in range(1200)}


def test_names_change_and_addresses_stay():
    world = town()
    moved, before, after = world.at(10), Caller(world), Caller(world.at(10))
    changed = {"user": 0, "track": 0, "playlist": 0}
    for thing, name in (("user", "username"), ("track", "title"), ("playlist", "title")):
        there = [i for i in range(world.facts.ids[thing].count) if moved.facts.there(thing, i)]
        if thing == "track":
            there = [i for i in there if not moved.facts.private(i)]
        for index in there:
            old, new = (caller.json(f"/{thing}s/{world.id(thing, index)}") for caller in (before, after))
            changed[thing] += old[name] != new[name]
            assert old["permalink_url"] == new["permalink_url"]
        assert changed[thing] == pytest.approx(len(there) * 0.39, rel=0.2)


def test_playlists_are_edited_and_count_what_they_hold():
    world = World(8, 400, 1200, drift=Drift.parse("nothing,edits=0.2"))
    moved = world.at(5)
    before, after = everything(world, "playlist_tracks"), everything(moved, "playlist_tracks")
    edited = [playlist for playlist in before if before[playlist] != after[playlist]]
    assert len(edited) == pytest.approx(len(before) * (1 - 0.368), rel=0.2)
    kinds = {"longer": 0, "shorter": 0, "moved": 0}
    for playlist in edited:
        old, new = before[playlist], after[playlist]
        kinds["longer"] += len(new) > len(old)
        kinds["shorter"] += len(new) < len(old)
        kinds["moved"] += sorted(new) == sorted(old)
    assert min(kinds.values()) > 8
    assert everything(world, "user_likes") == everything(moved, "user_likes")


@pytest.mark.slow
def test_an_edge_that_comes_again_stands_in_front_and_its_old_place_is_empty():
    world, kind = town(Drift.edges(0.1)), "track_likers"
    before, after = (world.at(days).deeds.entries(kind, 0) for days in (2, 8))
    old, new = (dict(zip(e.items, e.times, strict=True)) for e in (before, after))
    again = [user for user in old if new.get(user, old[user]) != old[user]]
    assert len(again) > 5
    for user in again:
        assert new[user] > world.at(2).now_ms
        assert after.items.index(user) < min(after.items.index(one) for one in new if new[one] <= world.at(2).now_ms)


@pytest.mark.parametrize(
    "kind", ["track_likers", "user_followers", "user_likes", "user_station_likes", "track_comments"]
)
def test_what_comes_is_newer_than_what_was_seen_before(kind):
    """And what was withdrawn stays so, unless it is done anew."""
    moments = [town(Drift.edges(0.1)).at(days) for days in (0, 0.5, 0.51, 3, 8, 21)]
    came = 0
    for index in range(120):
        lists = [world.deeds.entries(kind, index) for world in moments]
        shown = [dict(zip(entries.items, entries.times, strict=True)) for entries in lists]
        for before, (old, new) in zip(moments, pairwise(shown), strict=False):
            fresh = [time for item, time in new.items() if old.get(item) != time]
            assert all(
                time > before.now_ms - 1000 * (kind == "track_comments") for time in fresh
            )  # these count seconds
            came += len(fresh)
    assert came > 20


@pytest.mark.first_case
@pytest.mark.parametrize(
    ("kind", "asked"),
    each_once(
        ["user_likes", "track_likers", "user_followers", "user_reposts", "user_station_likes", "user_links"],
        [(1, 0.01, 0.01), (10, 0.01, 0.002), (30, 0.02, 0.01)],
    ),
)
def test_as_much_changes_as_is_asked(kind, asked):
    days, come, go = asked
    world = crowd(Drift.edges(come, go))
    before, after = at_first(kind), everything(world.at(days), kind)
    total = sum(map(len, before.values()))
    came = sum(len(set(after[subject]) - set(before[subject])) for subject in before)
    went = sum(len(set(before[subject]) - set(after[subject])) for subject in before)
    if kind == "user_links":  # of a fixed number, so that as many come as go
        come = go = (come + go) / 2
    slack = 4 * (total * come * days) ** 0.5
    ever = 1 - 2.718281828 ** (-go * days)
    assert went == pytest.approx(total * ever, rel=0.2, abs=slack)
    assert came == pytest.approx(total * come / go * ever, rel=0.25, abs=slack)


def test_people_and_tracks_go_at_the_rates_asked():
    world = World(3, 5000, 9000, gone=0.0, drift=Drift.parse("nothing,people_go=0.01,return_share=0"))
    moved = world.at(10)
    people = sum(moved.facts.gone(user) for user in range(5000))
    assert people == pytest.approx(5000 * (1 - 0.905), rel=0.15)
    tracks = sum(moved.facts.away("track", track) for track in range(9000))
    assert tracks == pytest.approx(9000 * (1 - 0.905), rel=0.25)
    lost = World(3, 5000, 9000, drift=Drift.parse("nothing,tracks_go=0.01,return_share=1,away_days=2")).at(60)
    assert sum(lost.facts.away("track", track) for track in range(9000)) == pytest.approx(9000 * 0.02 / 1.02, rel=0.2)
    assert not any(lost.facts.away("user", user) for user in range(5000))


def test_plays_grow_by_themselves():
    world = World(3, 200, 400, drift=Drift.parse("nothing,plays=0.1"))
    before, after = (Caller(world.at(days)).json(f"/tracks/{world.seed_ids(1)[0]}") for days in (0, 10))
    assert after["playback_count"] == 2 * before["playback_count"]
    assert {name for name in before if before[name] != after[name]} == {"playback_count"}


@pytest.mark.parametrize(
    ("kind", "move"),
    each_once(
        ["user_likes", "user_followers", "user_tracks", "track_likers"],
        [(0, 1, 1), (0, 30, 3), (12, 0.5, 2), (5, 8, 7)],
    ),
)
def test_a_cursor_from_before_a_move_leads_on_through_the_list_of_now(kind, move):
    days, later, limit = move
    declared, tried = KINDS[kind], 0
    before, after = Caller(town().at(days)), Caller(town().at(days + later))
    for index in range(150):
        was, now = (caller.world.deeds.entries(kind, index) for caller in (before, after))
        path = f"/{declared.path.replace('/', f'/{before.world.id(declared.subject, index)}/', 1)}"
        target = f"{path}?{TAIL.replace('200', str(limit))}"
        if declared.subject == "user" and (before.world.facts.gone(index) or after.world.facts.gone(index)):
            continue
        if len(was.items) <= limit or before.get(target).status != 200 or after.get(target).status != 200:
            continue
        rest = after.pages(before.json(target)["next_href"].replace("https://api.soundcloud.com", ""))
        found = [int(entry["urn"].rpartition(":")[2]) for page in rest for entry in page["collection"]]
        older = [item for item, time in zip(now.items, now.times, strict=True) if time < was.times[limit - 1]]
        assert found == [after.world.id(declared.item, item) for item in older]
        tried += 1
        if tried == 20:
            break
    assert tried > 5, "too few lists are so long"


def test_a_drift_is_written_in_words():
    assert Drift.parse("") == Drift.parse("everything") == Drift()
    assert Drift.parse("edges") == Drift.edges() == Drift.edges(0.01, 0.01)
    assert Drift.parse("edges=0.02") == Drift.edges(0.02)
    assert Drift.parse("nothing, renames=0.5") == Drift.parse("nothing,renames=.5")
    assert Drift.parse("come=0.03").come == 0.03
    assert Drift.parse("come=0.03").go == Drift().go


@pytest.mark.parametrize("text", ["all", "come", "come=x", "come=-1", "come=nan", "renames=1,edges", "away_days=0"])
def test_a_drift_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"rate|number|0 or more|above 0"):
        Drift.parse(text)


def test_a_moved_world_of_a_million_people_is_made_without_making_its_lists():
    """It holds nothing but what was asked for, like the world itself."""
    moved = World(1, 1_000_000, 2_000_000, cache=2000).at(30)
    hit = moved.seed_ids(1)[0]
    likers = moved.listing("track_likers", hit)
    assert len(likers) > 2500
    assert any(hit in moved.listing("user_likes", user) for user in likers[:20])
