from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from harvest.simulator import World
from harvest.simulator.oracle import Oracle, expect
from harvest.simulator.service.objects import Objects
from harvest.simulator.truth.content import Visit, walk
from harvest.simulator.truth.options import TruthOptions
from harvest.simulator.truth.rows import iso, release_date, user_row


def ids(pages) -> list[int]:
    return [int(entry["urn"].rpartition(":")[2]) for page in pages for entry in page["collection"] if entry]


def test_the_truth_of_one_seed_is_what_its_pages_say(caller):
    """A tiny crawler, written here, finds the same edges with the same ranks."""
    world = caller.world
    seed = world.seed_ids(1)[0]
    tail = "?limit=200&linked_partitioning=true&access=playable,preview,blocked"
    edges: dict[tuple[int, int, str], list[int | None]] = {}
    people = []
    for name, deed in (("favoriters", "like"), ("reposters", "repost")):
        for rank, user in enumerate(ids(caller.pages(f"/tracks/{seed}/{name}{tail}"))):
            edges[user, seed, deed] = [None, rank]
            people.append(user)
    for user in dict.fromkeys(people):
        if world.is_gone(user) or world.is_forbidden(user):
            continue
        for rank, track in enumerate(ids(caller.pages(f"/users/{user}/likes/tracks{tail}"))):
            edges.setdefault((user, track, "like"), [None, None])[0] = rank
    truth = expect(world)
    assert truth.engagements == {edge: tuple(ranks) for edge, ranks in edges.items()}
    assert set(truth.users) >= set(people)
    assert {track for _, track, _ in edges} == set(truth.tracks) == set(truth.tags)


def test_how_lists_end_is_told(world):
    truth = expect(world, max_user_likes=30)
    outcomes = {outcome for outcome, _, _ in truth.lists.values()}
    assert outcomes >= {"complete", "capped", "gone", "forbidden"}
    for (kind, subject), (outcome, collected, claimed) in truth.lists.items():
        if kind == "user_likes":
            assert collected == len(
                [edge for edge, ranks in truth.engagements.items() if edge[0] == subject and ranks[0] is not None]
            )
            assert (collected == 30) >= (outcome == "capped")
            assert claimed == truth.users[subject]["likes_given_count"]


def test_profiles_that_count_too_much_leave_lists_short():
    truth = expect(World(1, 200, 500, overclaimed=0.3))
    short = [ended for ended in truth.lists.values() if ended[0] == "short"]
    assert short
    assert all(collected < claimed - max(2, claimed / 10) for _, collected, claimed in short)


def test_likers_are_followed_before_reposters(world):
    seed = world.seed_ids(1)[0]
    likers, reposters = world.listing("track_likers", seed), world.listing("track_reposters", seed)
    wanted = list(dict.fromkeys((*likers, *reposters)))
    assert expect(world).followed[seed] == tuple(wanted)
    assert expect(world, max_users=4).followed[seed] == tuple(wanted[:4])
    reachable = expect(world, max_users=3, max_listed=2)
    assert reachable.followed[seed] == tuple(dict.fromkeys((*likers[:2], *reposters[:2])))[:3]
    assert reachable.lists["track_likers", seed] == ("capped", 2, len(likers))


def test_nothing_beyond_a_cap_is_kept(world):
    truth = expect(world, max_users=0, max_listed=5)
    seed = world.seed_ids(1)[0]
    assert len(truth.engagements) == 10
    assert set(truth.tracks) == {seed}
    assert len(truth.users) <= 11


def test_depth_two_spills_what_most_like(world):
    seed = world.seed_ids(1)[0]
    truth = expect(world, depth=2, max_users=20, max_tracks=3)
    first = expect(world, max_users=20)
    votes = {
        track: sum((user, track, "like") in first.engagements for user in first.followed[seed])
        for track in first.tracks
        if track != seed
    }
    best = sorted(votes, key=lambda track: (-votes[track], track))[:3]
    assert truth.spilled[seed] == (seed, *best)
    assert {subject for kind, subject in truth.lists if kind == "track_likers"} == {seed, *best}
    assert len(truth.followed[seed]) <= 4 * 20


def test_several_seeds_are_the_union_of_their_harvests(world):
    one, other = world.seed_ids(2)
    oracle = Oracle(world)
    oracle.crawl((one, {"max_users": 10}), (other, {"max_users": 10}))
    both = oracle.truth
    apart = [expect(world, one, max_users=10), expect(world, other, max_users=10)]
    assert set(both.engagements) == {edge for truth in apart for edge in truth.engagements}
    assert both.followed == apart[0].followed | apart[1].followed
    assert set(both.lists) == {key for truth in apart for key in truth.lists}


def test_seeds_may_be_given_as_addresses(world):
    assert expect(world, world.seed_url()) == expect(world, world.seed_ids(1)) == expect(world)
    with pytest.raises(KeyError):
        expect(world, "https://soundcloud.com/nobody/nothing")


def test_what_is_known_of_a_person_grows_with_each_sighting(world):
    truth = expect(world)
    seen_as = {row["seen_as"] for row in truth.users.values()}
    assert seen_as == {"full", "list", "embedded"}
    assert {row["seen_as"] for row in truth.tracks.values()} == {"full", "list"}
    seed = world.seed_ids(1)[0]
    assert truth.tracks[seed]["seen_as"] == "full"
    assert [u for u, row in truth.users.items() if row["seen_as"] == "full"] == [truth.tracks[seed]["uploader_id"]]
    for row in truth.users.values():
        if row["seen_as"] == "embedded":
            assert row["followers_count"] is None
        else:
            assert row["followers_count"] is not None
    assert any(row["uploader_id"] is None for row in truth.tracks.values())


def test_zero_counts_of_embedded_people_are_unknown(world):
    sight = Objects(world).embedded_user(3) | {"reposts_count": 0, "track_count": 7}
    row = user_row(sight, "embedded")
    assert (row["reposts_given_count"], row["track_count"]) == (None, 7)
    assert user_row(sight, "list")["reposts_given_count"] == 0


def test_ranks_count_from_zero_without_gaps(world):
    truth = expect(world)
    by_user: dict[int, list[int]] = {}
    for (user, _, _), (rank, _) in truth.engagements.items():
        if rank is not None:
            by_user.setdefault(user, []).append(rank)
    assert all(b - a == 1 for ranks in by_user.values() for a, b in pairwise(sorted(ranks)))


def test_null_entries_may_hide_that_a_list_goes_on():
    world = World(1, 60, 300, null_entries=0.9, gone=0, forbidden=0, likes_per_user=100)
    user = next(
        world.id("user", index) for index in range(60) if len(world.listing("user_likes", world.id("user", index))) == 1
    )
    seeds = world.listing("user_likes", user)
    assert expect(world, seeds, page_size=1, max_user_likes=1).lists
    assert seeds


def test_times_and_dates_are_written_as_the_file_has_them():
    assert iso("2026/08/07 14:18:05 +0000") == "2026-08-07T14:18:05Z"
    assert iso(None) is None
    parts = {"release_year": 2020, "release_month": 3, "release_day": 9}
    assert release_date(parts) == "2020-03-09"
    assert release_date(parts | {"release_day": None}) == "2020-03"
    assert release_date(parts | {"release_month": None}) == "2020"
    assert release_date(parts | {"release_year": None}) is None


def someone(world: World, kind: str, thing: str = "user") -> int:
    """The user or playlist with the longest list of a kind."""
    size = world.options.users if thing == "user" else world.options.playlist_count
    return max((world.id(thing, index) for index in range(size)), key=lambda one: len(world.listing(kind, one)))


def test_a_seed_may_be_anything(world):
    user, playlist = someone(world, "user_tracks"), someone(world, "playlist_tracks", "playlist")
    assert expect(world, world.user_url(user)) == expect(world, f"soundcloud:users:{user}")
    kinds = {kind for kind, _ in expect(world, world.user_url(user)).lists}
    assert kinds == {"user_tracks", "user_likes", "user_reposts", "user_playlists"}
    truth = expect(world, world.playlist_url(playlist))
    assert {kind for kind, _ in truth.lists} == {"playlist_tracks", "playlist_reposters"}
    positions = [truth.playlist_tracks[playlist, place] for place in range(len(truth.playlist_tracks))]
    assert tuple(positions) == world.listing("playlist_tracks", playlist)


def test_a_person_leads_to_tracks_only_where_asked_to(world):
    user = someone(world, "user_tracks")
    uploads = world.listing("user_tracks", user)
    truth = expect(world, world.user_url(user), depth=1, via=("uploads",), max_tracks=3, max_users=4)
    assert truth.spilled[user] == tuple(sorted(uploads)[:3])
    people = [visit for visit in truth.visits[0] if visit.round == 2]
    assert {visit.depth for visit in people} == {1}
    assert {visit.place for visit in people} <= {0, 1, 2, 3}
    assert {("user_tracks", visit.id) in truth.lists for visit in people} == {True}


def test_people_lead_to_those_whom_most_of_them_follow(world):
    user = someone(world, "user_followings")
    truth = expect(world, world.user_url(user), depth=2, via=("followings",), max_users=9)
    first = sorted(world.listing("user_followings", user))[:9]
    assert [visit.id for visit in truth.visits[0] if visit.round == 1] == first
    more = expect(world, world.user_url(user), depth=2, via=("followings",), max_users=1000)
    visited = [visit.id for visit in more.visits[0] if visit.round < 2]
    votes = Counter(other for one in visited for other in world.listing("user_followings", one))
    wanted = sorted(set(votes) - set(visited), key=lambda other: (-votes[other], other))[: 1000 - len(visited) + 1]
    assert [visit.id for visit in more.visits[0] if visit.round == 2] == wanted


def test_playlists_lead_to_their_tracks_in_order_and_together_to_no_more_than_asked(world):
    lists = [world.id("playlist", index) for index in range(40)]
    one, other = sorted(lists, key=lambda playlist: -len(world.listing("playlist_tracks", playlist)))[:2]
    tracks = tuple(dict.fromkeys(world.listing("playlist_tracks", one)))
    seeds = [world.playlist_url(one), world.playlist_url(other)]
    assert expect(world, seeds, depth=1, max_tracks=4).spilled[one] == tracks[:4]
    assert len(expect(world, seeds, depth=1, max_tracks=100).spilled[one]) > len(tracks)


def test_what_was_drawn_has_its_chance(world):
    seed = world.seed_ids(1)[0]
    people = expect(world).followed[seed]
    drawn = [visit for visit in expect(world, order="random", max_users=5).visits[0] if visit.round]
    assert [(visit.place, visit.chance) for visit in drawn] == [(place, 5 / len(people)) for place in range(5)]
    assert expect(world, max_users=5).visits[0][1] == Visit(1, "user", people[0], 0, 1, None)
    assert {visit.chance for visit in expect(world).visits[0][1:]} == {1.0}


def test_a_list_is_read_as_far_as_anybody_wants_it(world):
    oracle = Oracle(world)
    for cap in (3, 8, 5):
        oracle.crawl((world.seed_url(), {"max_user_likes": cap}))
    assert oracle.truth.lists == expect(world, max_user_likes=8).lists
    assert oracle.truth.engagements == expect(world, max_user_likes=8).engagements


def test_what_a_visit_reads_follows_from_the_options():
    assert set(TruthOptions().reads("user")) == {"likes"}
    assert set(TruthOptions(without=("uploads",)).reads("user", seed=True)) == {"likes", "reposts", "playlists"}
    assert set(TruthOptions(seed_read=("followers",)).reads("user", seed=True)) == {"likes", "followers"}
    assert set(TruthOptions(read=("likers",), via=("reposts",)).reads("user")) == {"reposts"}
    assert TruthOptions(max_user_likes=7, max_listed=9, caps=(("reposters", 0), ("likes", 8))).reads("track") == {
        "likers": 9
    }
    assert TruthOptions(read=("likers",), via=()).goes_to("user") is False


def test_a_list_ends_where_its_pages_say_so():
    assert walk([1, None, 2], 5, 2) == ([1, 2], "complete")
    assert walk([1, None, 2], 1, 2) == ([1], "capped")
    assert walk([1, None], 1, 1) == ([1], "capped")
    assert walk([1, None], 1, 2) == ([1], "complete")
    assert walk([1, *[None] * 30, 2], 5, 1) == ([1], "loop")
    assert walk([1, *[None] * 20], 5, 1) == ([1], "complete")
    assert walk([1, 1, 2], 5, 3, repeats=True) == ([1, 1, 2], "complete")
