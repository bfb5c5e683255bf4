from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.simulator.world.lists import KINDS
from harvest.simulator.world.world import as_datetime

PLAIN = {"gone": 0.0, "forbidden": 0.0}


def everything(world: World, kind: str) -> dict[int, tuple[int, ...]]:
    """Return every list of one kind."""
    ids = world.facts.ids[KINDS[kind].subject]
    return {ids.id(index): world.listing(kind, ids.id(index)) for index in range(ids.count)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user_likes", "track_likers"),
        ("user_reposts", "track_reposters"),
        ("user_followings", "user_followers"),
        ("user_playlist_reposts", "playlist_reposters"),
    ],
)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), users=st.integers(1, 40), tracks=st.integers(1, 60))
def test_both_directions_agree(one, other, seed, users, tracks):
    world = World(seed, users, tracks, likes_per_user=8, private=0.1, **PLAIN)
    there = {(user, thing) for user, things in everything(world, one).items() for thing in things}
    back = {(user, thing) for thing, users in everything(world, other).items() for user in users}
    assert there == back


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), users=st.integers(2, 60), tracks=st.integers(2, 80))
def test_no_two_entries_of_a_list_share_a_time_and_the_newest_is_first(seed, users, tracks):
    world = World(seed, users, tracks, likes_per_user=10)
    for kind in ("user_likes", "track_likers", "track_reposters", "user_followers", "user_followings"):
        for index in range(min(users, tracks)):
            times = world.deeds.entries(kind, index).times
            assert list(times) == sorted(set(times), reverse=True)


def test_the_same_seed_gives_the_same_world_and_another_gives_another():
    first, again, other = World(5, 80, 200), World(5, 80, 200), World(6, 80, 200)
    assert everything(first, "user_likes") == everything(again, "user_likes")
    assert first.seed_urls() == again.seed_urls()
    assert expect(first) == expect(again)
    assert everything(first, "user_likes") != everything(other, "user_likes")


def test_a_like_has_one_time_wherever_it_is_listed(world):
    hit = world.seed_ids(1)[0]
    likers = world.listing("track_likers", hit)
    times = [world.liked_at(user, hit) for user in likers]
    assert times == sorted(times, reverse=True)
    user = next(user for user in likers if len(world.listing("user_likes", user)) > 3)
    times = [world.liked_at(user, track) for track in world.listing("user_likes", user)]
    assert times == sorted(times, reverse=True)


def test_nobody_likes_a_track_before_it_is_there(world):
    facts, deeds = world.facts, world.deeds
    for track in range(50):
        times = deeds.entries("track_likers", track).times
        assert all(facts.track_created(track) < time < world.options.now_ms for time in times)


def test_asking_for_a_like_that_is_not_there_fails(world):
    hit = world.seed_ids(1)[0]
    fans = set(world.listing("track_likers", hit))
    stranger = next(world.id("user", index) for index in range(300) if world.id("user", index) not in fans)
    with pytest.raises(KeyError):
        world.liked_at(stranger, hit)


def test_the_hit_has_exactly_the_likers_asked_for():
    world = World(2, 2500, 20_000, likes_per_user=500, seed_likers=2000, seed_reposters=150)
    hit = world.seed_ids(1)[0]
    assert len(world.listing("track_likers", hit)) == 2000
    assert len(world.listing("track_reposters", hit)) == 150


def test_who_is_gone_is_still_listed_but_lists_nothing(world):
    listed = {user for track in world.seed_ids(16) for user in world.listing("track_likers", track)}
    gone = next(user for user in listed if world.is_gone(user))
    assert world.listing("user_likes", gone) == ()


def test_communities_are_told_for_users_and_tracks(world):
    count = world.options.community_count
    assert count > 1
    assert {world.community_of_user(world.id("user", index)) for index in range(300)} == set(range(count))
    assert {world.community_of_track(world.id("track", index)) for index in range(900)} == set(range(count))


def test_a_huge_world_answers_without_storing_itself():
    world = World(1, 1_000_000, 2_000_000, cache=2000)
    hit = world.seed_ids(1)[0]
    likers = world.listing("track_likers", hit)
    assert len(likers) == 3000
    assert hit in world.listing("user_likes", next(user for user in likers if world.listing("user_likes", user)))
    for cache in (world.deeds.count, world.facts.track_created):
        assert cache.cache_info().maxsize is not None
    made = sum(len(world.deeds.entries("track_likers", index).items) for index in range(6))
    assert made > 2 * world.deeds.entries.budget
    assert world.deeds.entries.held <= world.deeds.entries.budget


def test_playlists_list_only_what_is_public(world):
    shown = {track for tracks in everything(world, "playlist_tracks").values() for track in tracks}
    assert shown
    assert not any(world.facts.private(world.index("track", track)) for track in shown)


def test_unknown_things_have_no_lists(world):
    with pytest.raises(KeyError):
        world.listing("user_likes", 1)


def test_options_are_checked():
    with pytest.raises(TypeError):
        World(1, 10, 10, nonsense=1)
    with pytest.raises(ValueError, match="at least one"):
        World(1, 0, 10)


@given(st.integers(0, 4_000_000_000_000))
def test_moments_keep_their_milliseconds(millis):
    moment = as_datetime(millis)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000 == pytest.approx(millis, abs=0.01)
