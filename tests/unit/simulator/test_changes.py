"""What changed between two moments, told by the truth and found again by asking the service at both."""

from __future__ import annotations

import json
from functools import cache

import pytest

from harvest.simulator import Changes, Drift, World
from harvest.simulator.truth.changes import ThingChange
from harvest.simulator.world.lists import KINDS
from tests.repetitions import each_once
from tests.unit.simulator.conftest import Caller

TAIL = "limit=200&linked_partitioning=true&access=playable,preview,blocked"
BUSY = Drift.parse(
    "come=0.03,go=0.02,people_go=0.02,tracks_go=0.02,playlists_go=0.02,away_days=4,uploads=0.02,renames=0.02,edits=0.1"
)
WORLD = World(4, 150, 300, likes_per_user=30, drift=BUSY, gone=0.05, private=0.05, null_entries=0.03, quirks=False)
LONG = ("track_related", "station_tracks")
ALL = {"came", "withdrawn", "gone", "moved"}
EXPECTED = {
    **dict.fromkeys(("user_likes", "track_likers", "user_followers", "user_followings", "playlist_tracks"), ALL),
    **dict.fromkeys(("user_reposts", "track_reposters", "user_station_likes"), ALL - {"moved"}),
    **dict.fromkeys(("user_tracks", "user_playlists", "user_playlist_likes"), ALL - {"moved", "withdrawn"}),
    "user_links": ALL - {"moved"},
    "track_comments": {"came"},
}  # what is bound to happen within two weeks
NAMES = {"user": "username", "track": "title", "playlist": "title"}


@cache
def caller_at(moment: float) -> Caller:
    return Caller(WORLD.at(moment))


def entry_id(kind: str, subject: int, entry: dict) -> int:
    """Return the id of what stands in a list; those of stations and links are made of texts."""
    world = caller_at(20).world
    if kind == "user_station_likes":
        return world.id("station", world.facts.stations.at(entry["urn"]))
    if kind == "user_links":
        user = world.index("user", subject)
        links = {world.facts.links.url(link): link for link in range(6 * user, 6 * user + 6)}
        return world.id("link", links[entry["url"]])
    return int(entry["urn"].rpartition(":")[2])


def path_of(caller: Caller, thing: str, thing_id: int) -> str:
    """Return where a thing is looked up by itself."""
    if thing == "station":
        return f"/system-playlists/{caller.world.facts.stations.urn(caller.world.index(thing, thing_id))}"
    return f"/{thing}s/{thing_id}"


def asked(caller: Caller, kind: str, subject: int) -> list[int]:
    """Read a whole list; empty when it is refused."""
    declared = KINDS[kind]
    if kind == "station_tracks":
        reply = caller.get(f"{path_of(caller, 'station', subject)}?{TAIL}")
        found = json.loads(reply.body)["tracks"] if reply.status == 200 else []
    else:
        target = f"/{declared.path.replace('/', f'/{subject}/', 1)}?{TAIL}"
        if caller.get(target).status != 200:
            return []
        pages = caller.json(target) if declared.always_bare else caller.pages(target)
        found = pages if declared.always_bare else [entry for page in pages for entry in page["collection"]]
    return [entry_id(kind, subject, entry) for entry in found if entry]


def answers(caller: Caller, thing: str, thing_id: int) -> bool:
    """Say whether a thing is there when it is looked up by itself."""
    return caller.get(path_of(caller, thing, thing_id)).status == 200


@pytest.mark.parametrize(("kind", "moments"), each_once([*KINDS], [(0, 6), (3, 3.5), (5, 20)]))
def test_the_difference_of_lists_is_what_their_pages_show(kind, moments):
    before, after = moments
    changes, declared = Changes(caller_at(before).world, caller_at(after).world), KINDS[kind]
    early, late = caller_at(before), caller_at(after)
    fired = {"came": 0, "withdrawn": 0, "gone": 0, "moved": 0}
    for index in range(min(40 if kind in LONG else 100, late.world.facts.ids[declared.subject].count)):
        subject = late.world.id(declared.subject, index)
        old = asked(early, kind, subject) if index < early.world.facts.ids[declared.subject].count else []
        new = asked(late, kind, subject)
        told = changes.of_list(kind, subject)
        assert list(told.came) == [item for item in dict.fromkeys(new) if item not in old]
        assert list(told.went) == [item for item in dict.fromkeys(old) if item not in new]
        subject_there = answers(late, declared.subject, subject)
        for item, reason in told.went.items():
            there = subject_there and (declared.item in ("comment", "link") or answers(late, declared.item, item))
            if declared.item == "comment":
                author = late.world.id("user", late.world.deeds.commenter(late.world.index("comment", item)))
                there = there and answers(late, "user", author)
            assert reason == ("withdrawn" if there else "gone")
            fired[reason] += 1
        same_order = [item for item in new if item in old] == [item for item in old if item in new]
        assert told.moved == (not same_order)
        assert bool(told) == (old != new or bool(told.again))
        fired["came"] += len(told.came)
        fired["moved"] += told.moved
    if after == 20:
        assert {what for what, times in fired.items() if times} >= EXPECTED.get(kind, set())


@pytest.mark.parametrize(("before", "after"), [(0, 6), (3, 3.5), (5, 20)])
@pytest.mark.parametrize("thing", ["user", "track", "playlist"])
def test_what_went_and_came_and_is_called_otherwise_is_what_look_ups_show(thing, before, after):
    early, late = caller_at(before), caller_at(after)
    told = Changes(early.world, late.world).of_things(thing)
    count = late.world.facts.ids[thing].count
    fired = [0, 0, 0, 0]
    for index in range(count):
        number = late.world.id(thing, index)
        if thing == "track" and late.world.facts.private(index):
            continue
        was, now = (caller.get(f"/{thing}s/{number}") for caller in (early, late))
        places = [number in group for group in (told.went, told.back, told.new, told.renamed)]
        fired = [sum(pair) for pair in zip(fired, places, strict=True)]
        assert sum(places) <= 1
        assert places[0] == (was.status == 200 and now.status == 404)
        assert (places[1] or places[2]) == (was.status == 404 and now.status == 200)
        if places[1] and index >= early.world.facts.ids[thing].first:
            made = late.world.facts.track_created if thing == "track" else late.world.facts.playlist_created
            assert made(index) <= early.world.now_ms
        elif places[1]:
            assert caller_at(0).get(f"/{thing}s/{number}").status == 200
        if was.status == now.status == 200:
            names = tuple(json.loads(reply.body)[NAMES[thing]] for reply in (was, now))
            assert places[3] == (names[0] != names[1])
            assert told.renamed.get(number, names) == names
    if (before, after) == (5, 20):
        assert fired[0]
        assert fired[1]
        assert fired[3]
        assert bool(fired[2]) == (thing != "user")


def test_what_is_done_again_is_told():
    world = World(4, 150, 300, seed_likers=100, drift=Drift.edges(0.1, 0.0))
    hit = world.seed_ids(1)[0]
    told = Changes(world, world.at(5)).of_list("track_likers", hit)
    assert told.again
    assert told.moved
    assert not told.went
    assert all(world.at(5).liked_at(user, hit) > world.liked_at(user, hit) for user in told.again)
    stayed = set(world.listing("track_likers", hit)) - set(told.again)
    assert all(world.at(5).liked_at(user, hit) == world.liked_at(user, hit) for user in stayed)


def test_nothing_changed_within_a_moment():
    changes = Changes(WORLD.at(7), WORLD.at(7))
    assert not any(changes.of_list("user_likes", WORLD.id("user", user)) for user in range(150))
    things = changes.of_things("track")
    assert things == ThingChange(frozenset(), frozenset(), frozenset(), {})


def test_some_things_can_be_asked_about():
    changes = Changes(WORLD, WORLD.at(20))
    gone = min(changes.of_things("user").went)
    there = WORLD.me_id
    assert changes.of_things("user", [gone, there]).went == {gone}
    assert changes.of_things("user", [there]).went == frozenset()


def test_only_moments_of_one_world_are_compared():
    for before, after in [(WORLD.at(3), WORLD.at(2)), (WORLD, World(5, 150, 300).at(3))]:
        with pytest.raises(ValueError, match="two moments of one world"):
            Changes(before, after)


def test_asking_about_what_has_never_been_fails():
    with pytest.raises(KeyError):
        Changes(WORLD, WORLD.at(2)).of_list("user_likes", 1)
