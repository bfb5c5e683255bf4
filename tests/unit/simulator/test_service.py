from __future__ import annotations

import json
import re
from urllib.parse import quote, urlsplit

import pytest

from harvest.simulator import World
from harvest.simulator.service.replies import SimRequest
from harvest.simulator.world.lists import KINDS

ALL = "access=playable,preview,blocked&linked_partitioning=true"


def path(world, kind: str, subject_id: int) -> str:
    declared = KINDS[kind]
    collection, _, rest = declared.path.partition("/")
    return f"/{collection}/soundcloud:{collection}:{subject_id}/{rest}"


def ids(pages) -> tuple[int, ...]:
    entries = [entry for page in pages for entry in page["collection"] if entry is not None]
    return tuple(int(entry["urn"].rpartition(":")[2]) for entry in entries)


@pytest.mark.parametrize(
    "kind", [name for name, kind in KINDS.items() if kind.item not in ("station", "link") and not kind.inside]
)
@pytest.mark.parametrize("limit", [1, 7, 200])
def test_paging_gives_exactly_the_list(caller, kind, limit):
    world = caller.world
    for index in range(0, 60, 4):
        subject_id = world.id(KINDS[kind].subject, index)
        if KINDS[kind].subject == "user" and (world.is_gone(subject_id) or world.is_forbidden(subject_id)):
            continue
        pages = caller.pages(f"{path(world, kind, subject_id)}?limit={limit}&{ALL}")
        assert ids(pages) == world.listing(kind, subject_id)
        assert all(len(page["collection"]) <= limit for page in pages)


def test_a_station_holds_its_tracks_as_far_as_they_may_be_seen(call):
    caller = call(World(3, 200, 400, null_entries=0.2, gone=0, forbidden=0, private=0.2, blocked=0.3))
    world = caller.world
    artist = next(user for user in range(200) if world.facts.uploads(user))
    for thing, index in (("track", 0), ("track", 30), ("user", artist)):
        urn = world.station_urn(thing, world.id(thing, index))
        listed = world.listing("station_tracks", world.id("station", world.facts.stations.at(urn)))
        station = caller.json(f"/system-playlists/{urn}?{ALL}")
        assert station["urn"] == urn
        assert ids([{"collection": station["tracks"]}]) == listed
        assert None in station["tracks"]
        assert len(ids([{"collection": caller.json(f"/system-playlists/{urn}")["tracks"]}])) < len(listed)


def test_a_hidden_track_and_a_person_without_tracks_have_no_station(caller):
    world, stations = caller.world, caller.world.facts.stations
    hidden = [index for index in range(stations.count) if not world.facts.station(index)]
    assert {stations.around(index)[0] for index in hidden} == {"track", "user"}
    for index in (hidden[0], hidden[-1]):
        assert caller.get(f"/system-playlists/{stations.urn(index)}").status == 404
    assert caller.get("/system-playlists/soundcloud:system-playlists:track-stations:1").status == 404


def test_null_entries_take_a_place_and_no_more(call):
    caller = call(World(3, 200, 400, null_entries=0.2, gone=0, forbidden=0))
    user = caller.world.id("user", 0)
    pages = caller.pages(f"{path(caller.world, 'user_likes', user)}?limit=10&{ALL}")
    assert ids(pages) == caller.world.listing("user_likes", user)
    assert any(entry is None for page in pages for entry in page["collection"])
    assert all(len(page["collection"]) == 10 for page in pages[:-1])


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("track_likers", r"\d{16}"),
        ("track_reposters", r"\d{13}"),
        ("user_followers", r"\d{13}"),
        ("user_followings", r"\d{13}"),
        ("user_likes", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,user-track-likes,000-\d{20}-\d{20}"),
        ("user_tracks", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z,tracks,\d{11}"),
    ],
)
def test_cursors_look_as_recorded(caller, kind, form):
    world = caller.world
    subject_ids = [world.id(KINDS[kind].subject, index) for index in range(60)]
    subject_id = next(number for number in subject_ids if len(world.listing(kind, number)) > 2)
    page = caller.json(f"{path(world, kind, subject_id)}?limit=2&linked_partitioning=true&access=playable,blocked")
    query = SimRequest.of("GET", page["next_href"]).query
    assert re.fullmatch(form, query["cursor"])
    assert query["page_size"] == "2"
    assert query["linked_partitioning"] == "true"
    assert query["access"] == "playable,blocked"


@pytest.mark.parametrize("kind", ["playlist_tracks", "track_comments"])
def test_numbered_lists_go_on_by_offset(caller, kind):
    world = caller.world
    subject_ids = [world.id(KINDS[kind].subject, index) for index in range(60)]
    subject_id = next(number for number in subject_ids if len(world.listing(kind, number)) > 2)
    page = caller.json(f"{path(world, kind, subject_id)}?limit=2&linked_partitioning=true")
    query = SimRequest.of("GET", page["next_href"]).query
    assert (query["offset"], query["limit"]) == ("2", "2")


def test_a_cursor_is_the_time_of_the_last_entry_of_its_page(caller):
    world = caller.world
    hit = world.seed_ids(1)[0]
    page = caller.json(f"{path(world, 'track_likers', hit)}?limit=5&linked_partitioning=true")
    cursor = int(SimRequest.of("GET", page["next_href"]).query["cursor"])
    last = world.liked_at(world.listing("track_likers", hit)[4], hit)
    assert cursor // 1000 == round(last.timestamp() * 1000)


def test_the_access_filter_works_after_the_cut(caller):
    world = caller.world
    user = world.id("user", 0)
    target = f"{path(world, 'user_likes', user)}?limit=10&linked_partitioning=true"
    default, everything = caller.pages(target), caller.pages(f"{target}&access=playable,preview,blocked")
    assert len(default) == len(everything)
    assert {entry["access"] for page in default for entry in page["collection"]} <= {"playable", "preview", None}
    assert len(ids(default)) < len(ids(everything)) == len(world.listing("user_likes", user))
    blocked = caller.pages(f"{target}&access=blocked")
    assert len(blocked) == len(everything)
    assert {entry["access"] for page in blocked for entry in page["collection"]} == {"blocked"}


def test_without_linked_partitioning_some_lists_are_bare_arrays(caller):
    world = caller.world
    hit, user = world.seed_ids(1)[0], world.id("user", 0)
    assert isinstance(caller.json(path(world, "user_likes", user)), list)
    assert isinstance(caller.json(path(world, "track_likers", hit)), list)
    assert isinstance(caller.json(path(world, "user_followers", user)), dict)
    assert isinstance(caller.json(path(world, "track_reposters", hit)), dict)


def test_the_default_page_has_fifty(caller):
    hit = caller.world.seed_ids(1)[0]
    page = caller.json(f"{path(caller.world, 'track_likers', hit)}?linked_partitioning=true")
    assert len(page["collection"]) == 50


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=201", 500), ("limit=0", 400), ("limit=x", 400), ("access=all", 400), ("cursor=nonsense", 400)],
)
def test_bad_parameters_are_refused(caller, query, status):
    reply = caller.get(f"{path(caller.world, 'user_likes', caller.world.id('user', 0))}?{query}")
    assert reply.status == status
    assert json.loads(reply.body)["code"] == status


def test_page_size_is_another_name_for_limit(caller):
    hit = caller.world.seed_ids(1)[0]
    assert len(caller.json(f"/tracks/{hit}/favoriters?page_size=3")) == 3


@pytest.mark.parametrize("form", ["soundcloud:tracks:{}", "soundcloud%3Atracks%3A{}", "{}"])
def test_paths_take_urns_and_numbers(caller, form):
    hit = caller.world.seed_ids(1)[0]
    assert caller.json(f"/tracks/{form.format(hit)}")["urn"] == f"soundcloud:tracks:{hit}"


@pytest.mark.parametrize(
    "target", ["/tracks/1", "/tracks/soundcloud:users:5", "/users/x/likes/tracks", "/nothing", "/"]
)
def test_what_is_not_there_is_a_json_404(caller, target):
    reply = caller.get(target)
    body = json.loads(reply.body)
    assert (reply.status, body["code"], body["status"]) == (404, 404, "404 - Not Found")


def test_gone_people_are_404_and_forbidden_ones_403(caller):
    world = caller.world
    users = [world.id("user", index) for index in range(300)]
    gone = next(user for user in users if world.is_gone(user))
    forbidden = next(user for user in users if world.is_forbidden(user))
    assert caller.get(f"/users/{gone}").status == 404
    assert caller.get(f"/users/{gone}/likes/tracks").status == 404
    assert caller.json(f"/users/{gone}/followers?linked_partitioning=true")["collection"] == []
    assert caller.get(f"/users/{forbidden}").status == 200
    reply = caller.get(f"/users/{forbidden}/likes/tracks")
    assert (reply.status, json.loads(reply.body)["message"]) == (403, "")


def test_counts_of_listed_people_fit_their_lists(caller):
    world = caller.world
    for person in caller.json(f"/tracks/{world.seed_ids(1)[0]}/favoriters?limit=50"):
        user = int(person["urn"].rpartition(":")[2])
        if world.is_gone(user) or world.is_forbidden(user):
            continue
        assert person["followers_count"] == len(world.listing("user_followers", user))
        assert person["followings_count"] == len(world.listing("user_followings", user))
        assert person["track_count"] == len(world.listing("user_tracks", user))
        assert person["public_favorites_count"] >= len(world.listing("user_likes", user))


def test_counts_of_tracks_fit_their_lists(caller):
    world = caller.world
    seen_hidden = False
    for index in range(200):
        track_id = world.id("track", index)
        if world.facts.private(index):
            continue
        track = caller.json(f"/tracks/{track_id}")
        if not track["reveal_stats"]:
            seen_hidden = True
            assert track.get("favoritings_count") is None
            continue
        assert track["favoritings_count"] == len(world.listing("track_likers", track_id))
        assert track["reposts_count"] == len(world.listing("track_reposters", track_id))
        assert track["comment_count"] == len(world.listing("track_comments", track_id))
    assert seen_hidden


def test_users_inside_tracks_lack_their_counts(caller):
    tracks = caller.json(f"/users/{caller.world.id('user', 0)}/likes/tracks?limit=200")
    users = [track["user"] for track in tracks]
    assert None in users
    assert {user.get("followers_count") for user in users if user} == {0, None}


def test_oddities_occur(caller):
    world = caller.world
    tracks = [caller.service.objects.track(index) for index in range(900)]
    tag_lists = [track["tag_list"] for track in tracks]
    assert any('"' in tags for tags in tag_lists)
    assert any(tags.count('"') % 2 for tags in tag_lists)
    assert any(tags.startswith(" ") for tags in tag_lists)
    assert any("geo:lat=" in tags for tags in tag_lists)
    assert None in {track["title"] for track in tracks}
    assert {"", None} < {track["genre"] for track in tracks}
    assert {"playable", "preview", "blocked"} < {track["access"] for track in tracks}
    users = [caller.service.objects.user(index) for index in range(300)]
    assert any(user["username"].startswith("=") for user in users)
    assert any("default_avatar" in user["avatar_url"] for user in users)
    assert None in {user["created_at"] for user in users}
    assert all("?utm_medium=api" in user["permalink_url"] for user in users)
    assert not any("id" in thing for thing in (*users, *tracks))
    assert world.options.quirks


def test_quirks_can_be_switched_off(call):
    caller = call(World(3, 100, 200, quirks=False, numeric_ids=True))
    user = caller.service.objects.user(5)
    assert user["permalink_url"] == f"https://soundcloud.com/{user['permalink']}"
    assert user["id"] == caller.world.id("user", 5)
    assert all(caller.service.objects.track(index)["title"] for index in range(200))


def test_playlists_come_with_or_without_tracks(caller):
    playlist = caller.world.id("playlist", 1)
    full = caller.json(f"/playlists/{playlist}")
    assert [track["urn"] for track in full["tracks"]] == [
        f"soundcloud:tracks:{track}" for track in caller.world.listing("playlist_tracks", playlist)
    ]
    assert "tracks" not in caller.json(f"/playlists/{playlist}?show_tracks=false")


def test_uploads_can_be_listed_oldest_first(caller):
    world = caller.world
    users = [world.id("user", index) for index in range(300)]
    user = next(user for user in users if len(world.listing("user_tracks", user)) > 4)
    pages = caller.pages(f"/users/{user}/tracks?limit=2&sort=asc&{ALL}")
    assert ids(pages) == world.listing("user_tracks", user)[::-1]


@pytest.mark.parametrize("thing", ["track", "user"])
def test_urns_are_fetched_in_a_batch_each_once_in_an_order_of_its_own_without_the_missing(caller, thing):
    """What a batch leaves out is not there on its own either."""
    world, facts = caller.world, caller.world.facts
    hidden = facts.private if thing == "track" else facts.gone
    numbers = [world.id(thing, index) for index in range(90)]
    there = {number for index, number in enumerate(numbers) if not hidden(index)}

    def asked(wanted):
        urns = quote(",".join(f"soundcloud:{thing}s:{number}" for number in wanted))
        return caller.pages(f"/{thing}s?urns={urns}&{ALL}")

    pages = asked([*numbers, 17, *numbers[:20]])
    got = ids(pages)
    assert (len(pages), len(got), set(got)) == (2, len(there), there)
    assert got not in (tuple(number for number in numbers if number in there), tuple(sorted(there)))
    assert ids(asked(numbers[::-1])) == got
    alone = {number: caller.get(f"/{thing}s/{number}") for number in (*numbers, 17)}
    assert {number for number, reply in alone.items() if reply.status == 200} == there
    missing = [reply for number, reply in alone.items() if number not in there]
    assert len(missing) > 1
    assert {(reply.status, json.loads(reply.body)["code"]) for reply in missing} == {(404, 404)}


@pytest.mark.parametrize(("many", "status"), [(200, 200), (201, 400)])
def test_a_batch_has_at_most_two_hundred_urns(caller, many, status):
    for thing in ("track", "user"):
        assert caller.get(f"/{thing}s?urns={','.join([f'soundcloud:{thing}s:17'] * many)}").status == status


def test_what_was_played_last_comes_whole_whatever_is_asked(call):
    caller = call(World(3, 200, 400, null_entries=0.2, blocked=0.3, private=0.2))
    assert caller.get("/me/recently-played/tracks").status == 401
    caller.token = caller.service.tokens.access_token(user=True)
    played = caller.json("/me/recently-played/tracks?limit=500&offset=3")
    assert played["collection"] == caller.json("/me/recently-played/tracks")["collection"]
    assert played.get("next_href") is None
    assert len(played["collection"]) == 25
    assert ids([played]) == caller.world.recently_played()
    assert len(set(ids([played]))) == len(ids([played])) < 25
    allowed = caller.json("/me/recently-played/tracks?access=playable")["collection"]
    tracks = [track for track in played["collection"] if track and track["access"] in ("playable", None)]
    assert [track for track in allowed if track] == tracks


def test_related_things_are_of_the_same_taste(caller):
    world = caller.world
    hit = world.seed_ids(1)[0]
    related = ids(caller.pages(f"/tracks/{hit}/related?limit=20&{ALL}"))
    assert related
    assert hit not in related
    assert {world.community_of_track(track) for track in related} == {world.community_of_track(hit)}
    assert ids(caller.pages(f"/users/{world.id('user', 9)}/related?{ALL}"))


def test_web_profiles_are_a_bare_array(caller):
    found = [caller.json(f"/users/{caller.world.id('user', index)}/web-profiles") for index in (0, 2, 4, 6)]
    assert all(isinstance(links, list) for links in found)


@pytest.mark.parametrize("numeric", [False, True])
def test_resolve_points_to_users_tracks_and_playlists(call, numeric):
    caller = call(World(3, 100, 200, numeric_ids=numeric, gone=0, private=0))
    world = caller.world
    for thing, url in (
        ("track", world.track_url(world.id("track", 9))),
        ("track", world.short_url(world.id("track", 9))),
        ("user", world.user_url(world.id("user", 9))),
        ("playlist", world.playlist_url(world.id("playlist", 9))),
    ):
        reply = caller.get(f"/resolve?url={quote(url, safe='')}")
        end = str(world.id(thing, 9)) if numeric else f"soundcloud:{thing}s:{world.id(thing, 9)}"
        location = f"https://api.soundcloud.com/{thing}s/{end}"
        assert (reply.status, reply.headers["location"]) == (302, location)
        assert json.loads(reply.body) == {"status": "302 - Found", "location": location}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://soundcloud.com/nobody/nothing",
        "https://soundcloud.com/x-1/likes",
        "https://example.com/a/b",
        "https://on.soundcloud.com/0",
    ],
)
def test_resolve_does_not_find_what_is_not_there(caller, url):
    assert caller.get(f"/resolve?url={quote(url, safe='')}").status == 404


def test_a_private_track_opens_with_its_secret_only(caller):
    world = caller.world
    private = next(index for index in range(900) if world.facts.private(index))
    url = world.track_url(world.id("track", private))
    assert caller.get(f"/resolve?url={quote(url.rpartition('/')[0], safe='')}").status == 404
    location = urlsplit(caller.get(f"/resolve?url={quote(url, safe='')}").headers["location"])
    assert caller.get(location.path).status == 404
    assert caller.json(f"{location.path}?{location.query}")["sharing"] == "private"
    assert caller.json(f"{location.path}/favoriters?{ALL}")["collection"] == []


def test_only_get_is_answered(caller):
    headers = {"authorization": f"OAuth {caller.token}"}
    assert caller.service.handle(SimRequest.of("DELETE", "/me", headers)).status == 404
